import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContentStore } from '@waymark/content';
import { createGatewayHandler, openEmbeddedStore, openKuboStore } from '@waymark/content';
import { openLedgerRest, operatorCallers } from '@waymark/ledger-operations';
import { signReceipt, WaymarkError } from '@waymark/protocol';
import { authentication, callerOf, createQueryRouter, createReads, type JsonObject } from '@waymark/query-api';
import {
  type Callers,
  createAnchorContract,
  type Component,
  createApiServer,
  createApplication,
  createCallers,
  createHttpMetrics,
  createMetrics,
  createOpenCalls,
  createOperationsServer,
  createRoom,
  endProcess,
  lockDataFolder,
  type Logger,
  openOrganisationTrust,
  openReplica,
  readSecretFile,
  readTextFile,
  replicaRegister,
} from '@waymark/service-kit';
import {
  type BatchReceipt,
  type CallContext,
  CenterService,
  type ExternalAnswer,
  type ExternalQuery,
  type GrpcServer,
  type SealedBatch,
  serveBidi,
  serverCredentials,
  serveUnary,
  startGrpcServer,
} from '@waymark/transport';
import {
  certificateVerifier,
  openKeyStore,
  openTransportKeyRing,
  readEnvelopeHeader,
  readPassphrase,
  signingIdentityFromPem,
  tokens as tokensOf,
} from '@waymark/vault';
import { middleware as openApiValidator } from 'express-openapi-validator';
import swaggerUi from 'swagger-ui-express';
import { createAdmission } from './admission/admission.ts';
import type { EnterpriseConfiguration } from './configuration.ts';
import { createEvidenceLedger } from './evidence-ledger.ts';
import { createExternalRouter } from './external/external-router.ts';
import { createOutletRegistry } from './external/outlet-registry.ts';
import { openJournal } from './journal/journal.ts';
import { openMembers } from './members/members.ts';
import { registerEnterpriseMetrics } from './metrics.ts';
import { openCenterLedger } from './private-ledger/center-ledger.ts';
import { createPins } from './pins/pins.ts';
import { createCenterKeys } from './query/center-keys.ts';
import { createJournalIndex } from './query/journal-index.ts';
import { openLedger } from './ledger.ts';
import { createRelay } from './relay/relay.ts';
import { enterpriseOpenApi } from './rest/openapi.ts';
import { createIntake, journalAcceptance, outcomeInJournal } from './upload/intake.ts';
import { createUploadServer } from './upload/upload-server.ts';

const transportKeyCheckMs = 5_000;

/** A center that is put together and can be started. */
export interface Enterprise {
  readonly components: readonly Component[];
  /** Known once the components are started. */
  readonly ports: () => { grpc: number; api: number; operations: number };
}

/** Composes a center from its configuration. Files are read and opened here; sockets when the components start. */
export async function createEnterprise(config: EnterpriseConfiguration, logger: Logger): Promise<Enterprise> {
  const nowMs = (): number => Date.now();
  const { mspId, channel, limits } = config;
  const lock = lockDataFolder(config.dataFolder);
  const registry = createMetrics('enterprise');

  const certificatePem = readTextFile(config.identity.certificateFile);
  const privateKeyPem = readSecretFile(config.identity.privateKeyFile);
  const identity = signingIdentityFromPem({ mspId, certificatePem, privateKeyPem });
  const trust = openOrganisationTrust({ ...config.msp, mspId, logger, nowMs });
  const { verifier } = trust;
  const members = openMembers({ file: config.membersFile, mspId, logger });
  const keyStore = await openKeyStore({
    file: config.keyStore.file,
    passphrase: readPassphrase({ file: config.keyStore.passphraseFile }),
  });
  const transportKeys = await openTransportKeyRing({
    channel,
    identity,
    storage: keyStore.transportKeys,
    nowMs: nowMs(),
  });
  const tokens = tokensOf(keyStore.indexRoot, mspId);
  const journal = openJournal(join(config.dataFolder, 'journal.db'), {
    followsLedger: config.privateLedger !== undefined,
  });
  const content = await openContent(config);
  const ledger = await openLedger(config, { certificatePem, privateKeyPem });
  const replica = openReplica({
    path: join(config.dataFolder, 'replica.db'),
    ledger,
    content,
    logger,
    registry,
    // The journal is the center's index: it knows every record of the firm from the moment it is accepted.
    indexes: () => false,
  });
  const register = replicaRegister(replica);
  // Whom a revocation list or the register revokes loses what it has open, too.
  const openCalls = createOpenCalls();
  trust.onChange(openCalls.recheck);
  replica.onNode(openCalls.recheck);
  const knownCallers = (): Callers => createCallers([{ mspId, verifier }, ...members.current()], register, nowMs);
  let callers = knownCallers();
  members.onChange(() => {
    callers = knownCallers();
    api.reload();
  });

  const pins = createPins({
    config,
    path: join(config.dataFolder, 'pins.db'),
    identity,
    certificatePem,
    privateKeyPem,
    content,
    replica,
    register,
    journal,
    members,
    ownLedger: () => privateLedger?.ownLedger,
    onReceipts: () => {
      relay.wake();
      privateLedger?.relay.wake();
    },
    logger,
    nowMs,
  });

  const room = createRoom(() => intake.full || privateLedger?.full === true);
  const privateLedger =
    config.privateLedger === undefined
      ? undefined
      : await openCenterLedger({
          config: config.privateLedger,
          dataFolder: config.dataFolder,
          channel,
          identity,
          identityPem: { certificateChainPem: certificatePem, privateKeyPem },
          indexRoot: keyStore.indexRoot.export(),
          verifier,
          readingVerifier: certificateVerifier({
            rootsPem: config.msp.rootFiles.map(readTextFile),
            intermediatesPem: config.msp.intermediateFiles.map(readTextFile),
          }),
          register,
          replica,
          contract: createAnchorContract(ledger, mspId),
          journal,
          content,
          sharesContent: config.content.kind === 'kubo',
          keyStore,
          logger,
          registry,
          nowMs,
          serve: (check, work) => openCalls.serve(check, work),
          onFault: endProcess,
          onOutcome: (outcome) => uploads.report(outcome),
          onOffice: (isHere) => {
            intake.rewind();
            if (!isHere) uploads.endAll(new WaymarkError('unavailable', 'This center has left office.'));
          },
          onRoom: () => room.check(),
          mayAnchor: pins.mayAnchorBlocks,
        });
  const intake = createIntake({
    acceptance: privateLedger?.acceptance ?? journalAcceptance(journal, content),
    signer: identity,
    open: (sealed) => transportKeys.open(sealed, nowMs()),
    createAdmission: (knownTag) =>
      createAdmission({
        channel,
        msp: mspId,
        center: identity.enrolmentId,
        register,
        verifyCertificate: (der, atMs) => verifier.verify(der, { atMs, roles: ['client', 'peer'] }),
        readHeader: readEnvelopeHeader,
        nowMs,
        freshnessMs: limits.freshnessMs,
        // What is wrong with single records is the audit's business where there is one: they are rejected, not their batch.
        skewMs: privateLedger === undefined ? limits.collectionSkewMs : Number.POSITIVE_INFINITY,
        knownTag: privateLedger === undefined ? knownTag : () => undefined,
        maxBatchBytes: limits.maxBatchBytes,
      }),
    wrapKey: (key, consignmentOid, epoch) =>
      keyStore.localWrap.wrapLocal(key, { channel, msp: mspId, consignmentOid, epoch }),
    nowMs,
    onAccepted: () => relay.wake(),
    maxPending: limits.maxPendingBatches,
  });
  const identifyOutlet = (context: CallContext): string => {
    if (context.peerCertificate === undefined) {
      throw new WaymarkError('certificate-untrusted', 'A client certificate of the organisation is needed.');
    }
    const caller = callers.identify(context.peerCertificate);
    if (caller.mspId !== mspId) {
      throw new WaymarkError('recipient-mismatch', 'This center serves the outlets of another organisation.');
    }
    if (caller.kind !== 'outlet' && caller.kind !== 'department') {
      throw new WaymarkError('role-not-permitted', `A ${caller.kind} may not do this.`);
    }
    return caller.enrolmentId;
  };
  const uploads = createUploadServer({
    intake,
    outcomeOf:
      privateLedger === undefined
        ? outcomeInJournal({ journal })
        : (outlet, seq) => privateLedger.outcomeOf(outlet, seq),
    ...(privateLedger === undefined
      ? {}
      : { ledgerReceiptOf: (outlet, seq) => privateLedger.acceptance.ledgerReceiptOf(outlet, seq) }),
    identifyOutlet,
    room: room.wait,
  });
  const relay = createRelay({
    journal,
    ledger: createEvidenceLedger(ledger),
    replica,
    isRegistered: ({ msp, outlet, certificate }) => {
      const node = register.node(msp, outlet);
      return node?.revoked === false && node.certificates.get(certificate) === 'valid';
    },
    ...(config.pins.anchorAfterReceipts ? { mayAnchor: pins.mayAnchor } : {}),
    signReceipt: (batch, txId) =>
      signReceipt(identity, {
        state: 'anchored',
        channel,
        msp: mspId,
        outlet: batch.outlet,
        seq: batch.seq,
        batchHash: batch.batchHash,
        batchCid: batch.cid,
        root: Buffer.from(batch.evidence.root, 'hex'),
        count: batch.count,
        messageId: batch.messageId,
        acceptedAtMs: batch.acceptedAtMs,
        txId,
      }),
    onOutcome: (outcome) => {
      if (outcome.state === 'refused') {
        const { outlet, seq } = outcome.batch;
        logger.error('the channel refused an accepted batch', { outlet, seq, code: outcome.refusal.code });
        intake.rewind(outlet);
        pins.refused(outcome.batch);
      }
      const { batch, ...rest } = outcome;
      uploads.report({ outlet: batch.outlet, seq: batch.seq, ...rest });
      room.check();
    },
    onRetry: (error, delayMs) => logger.warn('anchoring is tried again', { error, delayMs }),
    delay: async (delayMs, signal) => {
      await delay(delayMs, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
  });
  const requireOffice = (): void => privateLedger?.requireOffice();
  const ledgerRest =
    privateLedger === undefined || config.privateLedger === undefined
      ? undefined
      : openLedgerRest({
          mspId,
          config: config.privateLedger,
          dataFolder: config.dataFolder,
          privateLedger: privateLedger.privateLedger,
          register,
          replica,
          ledger,
          identify: operatorCallers({ mspId, verifier, callers: () => callers, nowMs }),
          nowMs,
        });
  const outlets = createOutletRegistry();
  const index = createJournalIndex(mspId, journal, replica);
  const keys = createCenterKeys({ channel, msp: mspId, journal, keyStore, tokens });
  const reads = createReads({ index, keys, content: pins.reader, proofs: privateLedger?.records });
  const status = (): JsonObject => {
    const counts = journal.counts();
    const { blockNumber, evidence, pendingBatches } = replica.state;
    return {
      service: 'enterprise',
      mspId,
      channel,
      centerIsRecipient: config.centerIsRecipient,
      block: blockNumber === undefined ? null : Number(blockNumber),
      evidence,
      batches: { ...counts, indexing: pendingBatches },
      transportKey: transportKeys.current().kid,
      outletsConnected: outlets.connected().length,
      uploadStreams: uploads.openStreams,
      ...(privateLedger === undefined ? {} : { ledger: privateLedger.status() }),
      pins: pins.statusDocument(),
    };
  };
  registerEnterpriseMetrics(registry, {
    journal,
    openStreams: () => uploads.openStreams,
    outlets: () => outlets.connected().length,
    pins: pins.status,
  });

  let grpc: GrpcServer | undefined;
  const tlsFiles = { certificateFile: config.tls.certificateFile, privateKeyFile: config.tls.privateKeyFile };
  const ownCaFiles = [...config.msp.rootFiles, ...config.msp.intermediateFiles];
  const blocksFor = {
    members: createGatewayHandler(pins.reader),
    centers: createGatewayHandler(pins.readerForCenters),
  };
  const application = createApplication({
    logger,
    metrics: createHttpMetrics(registry),
    routes: (app) => {
      if (ledgerRest !== undefined) app.use(ledgerRest.router);
      app.use(authentication((der) => callers.identify(der)));
      app.get('/ipfs/:cid', (request, response, next) => {
        const caller = callerOf(request);
        const blocks = caller.mspId === mspId ? blocksFor.members : blocksFor.centers;
        blocks(request, response, next);
      });
      app.use(
        openApiValidator({ apiSpec: enterpriseOpenApi as never, validateRequests: true, validateResponses: false }),
      );
      app.use(createQueryRouter({ reads, mspId, status, onRead: () => undefined }));
      app.use(pins.router);
      app.use(
        createExternalRouter({
          channel,
          mspId,
          index,
          keys,
          outlets,
          journal,
          timeoutMs: limits.externalQueryTimeoutMs,
          perMinute: limits.externalQueriesPerMinute,
          nowMs,
        }),
      );
    },
  });
  const api = createApiServer({
    host: config.listen.host,
    port: config.listen.apiPort,
    tls: () => ({
      ...tlsFiles,
      clientCaFiles: [...ownCaFiles, ...members.current().flatMap(({ caFiles }) => caFiles)],
    }),
    handler: application,
  });
  const operations = createOperationsServer({
    host: config.listen.operationsHost,
    allowRemote: true,
    port: config.listen.operationsPort,
    registry,
    openApi: enterpriseOpenApi,
    docs: [...swaggerUi.serve, swaggerUi.setup(enterpriseOpenApi)],
    checks: [
      {
        name: 'replica',
        kind: 'ready',
        check: () => required(replica.state.phase === 'following', 'the channel is not being followed'),
      },
      {
        name: 'backlog',
        kind: 'ready',
        check: () => required(!intake.full && privateLedger?.full !== true, 'too many batches wait for the channel'),
      },
    ],
  });

  const stores: Component = {
    name: 'stores',
    start: () => undefined,
    stop: async () => {
      ledger.close();
      pins.close();
      await content.close();
      journal.close();
      lock.release();
    },
  };
  const keyTurn = rotation(
    async () => transportKeys.maintain(nowMs()),
    (error) => logger.error('the transport key was not renewed', { error }),
  );
  const relaying: Component = { name: 'relay', start: () => relay.start(), stop: () => relay.stop() };
  const grpcServer: Component = {
    name: 'grpc',
    async start() {
      grpc = await startGrpcServer({
        host: config.listen.host,
        port: config.listen.grpcPort,
        credentials: serverCredentials(
          {
            certificateChainPem: readTextFile(tlsFiles.certificateFile),
            privateKeyPem: readSecretFile(tlsFiles.privateKeyFile),
          },
          ownCaFiles.map(readTextFile),
        ),
        addServices: (server) => {
          privateLedger?.privateLedger.peers.addTo(server);
          server.addService(CenterService, {
            getTransportKey: serveUnary((_request, context) =>
              Promise.resolve(context)
                .then(identifyOutlet)
                .then(requireOffice)
                .then(() => ({ statement: Buffer.from(transportKeys.current().announcement) })),
            ),
            getPosition: serveUnary(async (_request, context) => {
              const outlet = identifyOutlet(context);
              requireOffice();
              uploads.endStream(outlet);
              const { seq, batchHash } = await intake.position(outlet);
              return { seq, batchHash: Buffer.from(batchHash) };
            }),
            upload: serveBidi<SealedBatch, BatchReceipt>((batches, receipts, context) =>
              openCalls.serve(
                () => identifyOutlet(context),
                () => {
                  requireOffice();
                  return uploads.upload(batches, receipts, context);
                },
              ),
            ),
            answerQueries: serveBidi<ExternalAnswer, ExternalQuery>((answers, queries, context) =>
              openCalls.serve(
                () => identifyOutlet(context),
                () => {
                  requireOffice();
                  return outlets.serve(identifyOutlet(context), answers, (query) => queries.write(query));
                },
              ),
            ),
          });
        },
      });
    },
    stop: async () => grpc?.stop(2_000),
  };
  return {
    components: [
      stores,
      replica,
      ...pins.components,
      trust,
      openCalls,
      keyTurn,
      ...(privateLedger?.components ?? [relaying]),
      ...(ledgerRest === undefined ? [] : [ledgerRest.component]),
      grpcServer,
      api,
      operations,
    ],
    ports: () => ({ grpc: grpc?.port ?? 0, api: api.port, operations: operations.port }),
  };
}

async function openContent(config: EnterpriseConfiguration): Promise<ContentStore> {
  const { content } = config;
  if (content.kind === 'embedded') return openEmbeddedStore({ folder: join(config.dataFolder, 'content') });
  return openKuboStore({
    url: content.url,
    ...(content.authorizationFile === undefined
      ? {}
      : { authorization: { scheme: content.authorizationScheme, secretFile: content.authorizationFile } }),
  });
}

function required(condition: boolean, reason: string): void {
  if (!condition) throw new WaymarkError('unavailable', reason);
}

function rotation(turn: () => Promise<void>, onError: (error: unknown) => void): Component {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'transport-key',
    async start() {
      await turn();
      timer = setInterval(() => {
        turn().catch(onError);
      }, transportKeyCheckMs);
    },
    stop: () => clearInterval(timer),
  };
}
