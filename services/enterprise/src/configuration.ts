import { privateLedgerSection } from '@waymark/private-ledger';
import { type ConfigurationTypes, loadConfiguration } from '@waymark/service-kit';
import { z } from 'zod';

const define = (types: ConfigurationTypes) =>
  types.section({
    mspId: types.name(),
    channel: types.name(),
    chaincode: types.name().default('waymark'),
    /** The center's X.509 identity: it signs receipts and submits evidence. */
    identity: types.section({ certificateFile: types.path(), privateKeyFile: types.secretFile() }),
    /** What the firm's MSP trusts. */
    msp: types.section({
      rootFiles: z.array(types.path()).min(1).max(16),
      intermediateFiles: z.array(types.path()).max(16).default([]),
      crlFiles: z.array(types.path()).max(16).default([]),
    }),
    /** The organisations of the consortium (see `members-file.ts`): their members may fetch blocks and evidence, their centers exchange pins. Read again when it changes. */
    membersFile: types.path().optional(),
    ledger: types.section({
      /** The peer's gateway, or the older client that talks to peers and orderers itself (package `ledger-fabric-network`, with discovery). */
      client: z.enum(['gateway', 'fabric-network']).default('gateway'),
      endpoint: types.endpoint(),
      tlsRootFile: types.path(),
      tlsServerName: types.name().optional(),
    }),
    content: z.discriminatedUnion('kind', [
      types.section({ kind: z.literal('embedded') }),
      types.section({
        kind: z.literal('kubo'),
        url: z.url(),
        authorizationScheme: z.enum(['basic', 'bearer']).default('bearer'),
        authorizationFile: types.secretFile().optional(),
      }),
    ]),
    keyStore: types.section({ file: types.path(), passphraseFile: types.secretFile() }),
    /** The firm's private ledger: without it batches go to the channel as evidence (S5). */
    privateLedger: privateLedgerSection(types).optional(),
    pins: types
      .section({
        /** Organisations that must hold an anchored batch, or the body of an anchored block, this one included. */
        replicas: types.integer({ min: 1, max: 64 }).default(1),
        /** Whether a batch or block goes to the channel only once that many organisations have given pin receipts. */
        anchorAfterReceipts: z.boolean().default(false),
        /** From the end of one round of the watcher to the begin of the next. */
        watchIntervalMs: types.integer({ min: 100, max: 86_400_000 }).default(600_000),
        /** Of one batch or body with its envelopes, fetched from another organisation. */
        maxDagBytes: types.integer({ min: 1_048_576, max: 1_073_741_824 }).default(268_435_456),
        /** Batches and bodies kept for one other organisation before the channel has them; more are refused. */
        maxOffersPerMember: types.integer({ min: 1, max: 1_000_000 }).default(8_192),
        /** How long such a batch is kept. */
        offerLifetimeMs: types.integer({ min: 60_000, max: 2_592_000_000 }).default(172_800_000),
        /** Calls about pins by one other center. */
        callsPerMinute: types.integer({ min: 1, max: 1_000_000 }).default(6_000),
      })
      .prefault({}),
    /** Firm policy: may the center open what outlets seal? */
    centerIsRecipient: z.boolean(),
    tls: types.section({ certificateFile: types.path(), privateKeyFile: types.secretFile() }),
    listen: types.section({
      host: z.string().default('127.0.0.1'),
      grpcPort: types.port(),
      apiPort: types.port(),
      operationsPort: types.port(),
      /** Another address than loopback only where the network keeps strangers out, as a container's does: this port asks nobody who they are. */
      operationsHost: z.string().default('127.0.0.1'),
    }),
    dataFolder: types.path(),
    limits: types
      .section({
        /** How far `sentAt` of a message may be from the center's clock. */
        freshnessMs: types.integer({ min: 1_000, max: 86_400_000 }).default(300_000),
        /** How far into the future a collection time may lie. */
        collectionSkewMs: types.integer({ min: 0, max: 86_400_000 }).default(300_000),
        /** Batches accepted and not yet anchored, above which outlets are held back. */
        maxPendingBatches: types.integer({ min: 1, max: 1_000_000 }).default(4_096),
        maxBatchBytes: types.integer({ min: 1_024, max: 15_728_640 }).default(8_388_608),
        externalQueryTimeoutMs: types.integer({ min: 100, max: 300_000 }).default(20_000),
        externalQueriesPerMinute: types.integer({ min: 1, max: 100_000 }).default(60),
      })
      .prefault({}),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  });

/** A center's configuration. */
export type EnterpriseConfiguration = z.infer<ReturnType<typeof define>>;

/**
 * Reads a center's configuration file.
 * @throws WaymarkError configuration-invalid, naming the key and what is expected there
 */
export function loadEnterpriseConfiguration(file: string): EnterpriseConfiguration {
  return loadConfiguration<EnterpriseConfiguration>(file, define);
}
