import { privateLedgerSection } from '@waymark/private-ledger';
import { type ConfigurationTypes, loadConfiguration } from '@waymark/service-kit';
import { z } from 'zod';

const define = (types: ConfigurationTypes) =>
  types.section({
    mspId: types.name(),
    channel: types.name(),
    chaincode: types.name().default('waymark'),
    /** An outlet hands in records; a verifier only re-audits what others do, and keeps the chain (D2). */
    role: z.enum(['outlet', 'verifier']).default('outlet'),
    /** The firm's private ledger, for a department that is a member of it. */
    privateLedger: privateLedgerSection(types).optional(),
    /** The outlet's X.509 identity: it signs batches, and shows itself to the center with it. */
    identity: types.section({ certificateFile: types.path(), privateKeyFile: types.secretFile() }),
    msp: types.section({
      rootFiles: z.array(types.path()).min(1).max(16),
      intermediateFiles: z.array(types.path()).max(16).default([]),
      crlFiles: z.array(types.path()).max(16).default([]),
    }),
    ledger: types.section({
      endpoint: types.endpoint(),
      tlsRootFile: types.path(),
      tlsServerName: types.name().optional(),
    }),
    /**
     * The firm's centers, of which one at a time is in office: uploads go to its gRPC endpoint; blocks come from their trustless gateways
     * unless `content` names a kubo. Without private ledger there is one. With `enrolmentId` an outlet is told the sooner where to go.
     */
    centers: z
      .array(
        types.section({
          endpoint: types.endpoint(),
          apiUrl: z.url(),
          tlsRootFile: types.path(),
          enrolmentId: types.name().optional(),
        }),
      )
      .min(1)
      .max(8),
    content: z
      .discriminatedUnion('kind', [
        types.section({ kind: z.literal('center') }),
        types.section({
          kind: z.literal('kubo'),
          url: z.url(),
          authorizationScheme: z.enum(['basic', 'bearer']).default('bearer'),
          authorizationFile: types.secretFile().optional(),
        }),
      ])
      .default({ kind: 'center' }),
    keyStore: types.section({ file: types.path(), passphraseFile: types.secretFile() }),
    /** Firm policy: are consignment keys handed to the center? */
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
    batch: types
      .section({
        maxRecords: types.integer({ min: 1, max: 10_000 }).default(1_000),
        maxBytes: types.integer({ min: 1_024, max: 8_388_608 }).default(2_097_152),
        lingerMs: types.integer({ min: 0, max: 60_000 }).default(20),
      })
      .prefault({}),
    limits: types
      .section({
        maxQueuedBatches: types.integer({ min: 1, max: 100_000 }).default(256),
        maxOpenRecordsPerStream: types.integer({ min: 1, max: 1_000_000 }).default(50_000),
        /** Batches signed longer ago are signed anew before they are sent; below the center's freshness window. */
        maxStampAgeMs: types.integer({ min: 1_000, max: 86_400_000 }).default(120_000),
        /** How far into the future a record's collection time may lie; below the center's limit. */
        collectionSkewMs: types.integer({ min: 0, max: 86_400_000 }).default(120_000),
      })
      .prefault({}),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  });

/** An outlet's configuration. */
export type DepartmentConfiguration = z.infer<ReturnType<typeof define>>;

/**
 * Reads an outlet's configuration file.
 * @throws WaymarkError configuration-invalid, naming the key and what is expected there
 */
export function loadDepartmentConfiguration(file: string): DepartmentConfiguration {
  return loadConfiguration<DepartmentConfiguration>(file, define);
}
