import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BlockReader, createGatewayHandler, createGatewaySource, openKuboStore } from '@waymark/content';
import { connectGateway, privateKeySigner } from '@waymark/fabric';
import { formatEvidenceId, isWaymarkError, parseCid, toHex, WaymarkError } from '@waymark/protocol';
import { authentication, createQueryRouter, createReads, type IndexHit, type JsonObject } from '@waymark/query-api';
import { createTrustedReader, type Hint } from '@waymark/reading';
import {
  createApiServer,
  createApplication,
  createCallers,
  createHttpMetrics,
  createMetrics,
  createOpenCalls,
  createOperationsServer,
  lockDataFolder,
  type Logger,
  openOrganisationTrust,
  openReplica,
  readSecretFile,
  readTextFile,
  replicaRegister,
  requireRegistered,
} from '@waymark/service-kit';
import {
  type CallContext,
  type GrpcServer,
  OutletService,
  serveBidi,
  serverCredentials,
  startGrpcServer,
  type SubmitRequest,
  type SubmitResponse,
} from '@waymark/transport';
import {
  certificateVerifier,
  consignmentKeys,
  openKeyStore,
  outletIds,
  parseEncryptionPublicKey,
  readEnvelopeHeader,
  readPassphrase,
  signingIdentityFromPem,
  tokens as tokensOf,
  wrapConsignmentKey,
} from '@waymark/vault';
import { middleware as openApiValidator } from 'express-openapi-validator';
import swaggerUi from 'swagger-ui-express';
import type { DepartmentConfiguration } from './configuration.ts';
import { createAllowLists } from './external/allow-lists.ts';
import { createAnswering } from './external/answer-queries.ts';
import { registerDepartmentMetrics } from './metrics.ts';
import { openOutbox } from './outbox/outbox.ts';
import { centersContent } from './query/centers-content.ts';
import { createCenterLookups } from './query/center-lookups.ts';
import { createOutletIndex } from './query/outlet-index.ts';
import { centersLedger, memberLedger, requireProof } from './query/outlet-ledger.ts';
import { reportingReader } from './query/reporting-reader.ts';
import { createAllowListRouter } from './rest/allow-list-router.ts';
import { departmentOpenApi } from './rest/openapi.ts';
import { createProgress } from './sealing/progress.ts';
import { openDepartmentLedger } from './private-ledger/department-ledger.ts';
import { createHeldBackWatch } from './private-ledger/held-back.ts';
import { openDepartmentLedgerRest } from './private-ledger/department-ledger-rest.ts';
import type { Department } from './composed-department.ts';
import { createVerifier } from './verifier/verifier.ts';
import { createSealer } from './sealing/sealer.ts';
import { createSubmitHandler } from './submit/submit-server.ts';
import { type CenterPlace, connectCenters } from './upload/centers.ts';
import { createUploader } from './upload/uploader.ts';

/** Composes an outlet from its configuration. Files are read and opened here; sockets when the components start. */
export async function createDepartment(config: DepartmentConfiguration, logger: Logger): Promise<Department> {
  if (config.role === 'verifier') return createVerifier(config, logger);
  const nowMs = (): number => Date.now();
  const { mspId, channel, limits } = config;
  const lock = lockDataFolder(config.dataFolder);
  const registry = createMetrics('department');

  const certificatePem = readTextFile(config.identity.certificateFile);
  const privateKeyPem = readSecretFile(config.identity.privateKeyFile);
  const identity = signingIdentityFromPem({ mspId, certificatePem, privateKeyPem });
  const outlet = identity.enrolmentId;
  const trust = openOrganisationTrust({ ...config.msp, mspId, logger, nowMs });
  const { verifier } = trust;
  // What was signed before a revocation stays valid: reading judges certificates without revocation lists.
  const readingVerifier = certificateVerifier({
    rootsPem: config.msp.rootFiles.map(readTextFile),
    intermediatesPem: config.msp.intermediateFiles.map(readTextFile),
  });
  const keyStore = await openKeyStore({
    file: config.keyStore.file,
    passphrase: readPassphrase({ file: config.keyStore.passphraseFile }),
  });
  const tokens = tokensOf(keyStore.indexRoot, mspId);
  const outbox = openOutbox(join(config.dataFolder, 'outbox.db'));
  const keys = consignmentKeys({ channel, msp: mspId, wrap: keyStore.localWrap, table: outbox.keyTable });
  const content = await openContent(config, { certificatePem, privateKeyPem });
  const ledger = connectGateway({
    endpoint: config.ledger.endpoint,
    tlsRootPem: readTextFile(config.ledger.tlsRootFile),
    ...(config.ledger.tlsServerName === undefined ? {} : { tlsServerName: config.ledger.tlsServerName }),
    identity: { mspId, certificatePem, sign: privateKeySigner(privateKeyPem) },
    channel,
    chaincode: config.chaincode,
  });
  const replica = openReplica({
    path: join(config.dataFolder, 'replica.db'),
    ledger,
    content: content.reader,
    logger,
    registry,
    indexes: (evidence) => evidence.msp === mspId,
  });
  const register = replicaRegister(replica);
  const callers = createCallers([{ mspId, verifier }], register, nowMs);
  // Whom a revocation list or the register revokes loses what it has open, too.
  const openCalls = createOpenCalls();
  trust.onChange(openCalls.recheck);
  replica.onNode(openCalls.recheck);
  const requireCenter = (certificateDer: Uint8Array): void => {
    const { enrolmentId, digest } = verifier.verify(certificateDer, { atMs: nowMs() });
    requireRegistered(register, { msp: mspId, enrolmentId, digest }, ['center']);
  };

  const retried =
    (what: string) =>
    (error: unknown, delayMs: number): void =>
      logger.warn(what, { error, delayMs });
  const centers = connectCenters({
    endpoints: config.centers.map(({ endpoint, tlsRootFile, enrolmentId }): CenterPlace => ({
      endpoint,
      tlsRootFile,
      ...(enrolmentId === undefined ? {} : { enrolmentId }),
    })),
    identity: { certificateChainPem: certificatePem, privateKeyPem },
    channel,
    msp: mspId,
    verifier,
    checkCenter: (enrolmentId) => {
      const node = register.node(mspId, enrolmentId);
      if (node?.kind === 'center' && !node.revoked) return;
      throw new WaymarkError('role-not-permitted', 'The transport key is not that of a registered center.');
    },
    nowMs,
  });
  const privateLedger = await openDepartmentLedger({
    config,
    identity,
    identityPem: { certificateChainPem: certificatePem, privateKeyPem },
    indexRoot: keyStore.indexRoot.export(),
    verifier,
    readingVerifier,
    register,
    replica,
    ledger,
    logger,
    registry,
    nowMs,
    openCalls,
  });
  const heldBack = privateLedger === undefined ? undefined : createHeldBackWatch(privateLedger, logger);
  privateLedger?.listen({ applied: () => heldBack?.check() });
  /** From here on this member misses the batch when the center leaves it out (rsl.md, protocol step 3). */
  const expect = (batch: number): void => {
    const claim = outbox.ledgerReceipt(batch);
    // Empty: the batch is in a block already, which nobody can hold back.
    if (claim !== undefined && claim.length > 0) heldBack?.expect(claim);
  };
  const progress = createProgress(outbox);
  const changed = (batch: number): void => {
    if (outbox.state(batch)?.state === 'accepted') expect(batch);
    progress.changed(batch);
    sealer.check();
  };
  /** The transaction that anchored a block of the firm's private ledger; while the index is being read again nothing is known. */
  const anchorOf = (height: number): string | undefined => {
    try {
      return replica.anchorCovering(mspId, height)?.txId;
    } catch (error) {
      if (isWaymarkError(error, 'unavailable')) return undefined;
      throw error;
    }
  };
  const uploader = createUploader({
    channel,
    identity,
    outbox,
    keys,
    centers,
    checkCenter: requireCenter,
    nowMs,
    maxStampAgeMs: limits.maxStampAgeMs,
    transactionOf: ({ seq, batchHash, height }) => {
      if (height !== undefined) return anchorOf(height);
      const committed = replica.committed(formatEvidenceId({ msp: mspId, outlet, seq }));
      return committed?.batchHash === toHex(batchHash) ? committed.txId : undefined;
    },
    onChanged: changed,
    onRetry: retried('the center is tried again'),
    delay: pause,
  });
  const sealer = createSealer({
    outlet,
    outbox,
    ids: outletIds(keyStore.outletSecret, { channel, msp: mspId, outlet }),
    tokens,
    keys,
    limits: {
      ...config.batch,
      maxQueuedBatches: limits.maxQueuedBatches,
      collectionSkewMs: limits.collectionSkewMs,
    },
    centerIsRecipient: config.centerIsRecipient,
    nowMs,
    onQueued: () => uploader.wake(),
  });

  /** The channel itself says what is anchored; a receipt may have been lost on the way. */
  const anchored = (seq: number, batchHash: string, txId: string): void => {
    const found = outbox.acceptedBySeq(seq);
    if (found === undefined || toHex(found.batchHash) !== batchHash) return;
    outbox.markAnchored(found.id, found.receipt, txId);
    changed(found.id);
  };
  const anchoredBlocks = ({ first, last, txId }: { first: number; last: number; txId: string }): void => {
    for (const { id, receipt } of outbox.confirmedIn(first, last)) {
      outbox.markAnchored(id, receipt, txId);
      changed(id);
    }
  };
  replica.onAnchor((anchor) => {
    if (anchor.msp === mspId) anchoredBlocks(anchor);
  });
  replica.onEvidence(({ evidence, batchHash, txId }) => {
    if (evidence.msp === mspId && evidence.outlet === outlet) anchored(evidence.seq, batchHash, txId);
  });

  const lookups = createCenterLookups(
    config.centers.map(({ apiUrl, tlsRootFile }) => ({ apiUrl, tlsRootPem: readTextFile(tlsRootFile) })),
    { certificatePem, privateKeyPem },
  );
  const records =
    privateLedger === undefined ? centersLedger(outbox, lookups) : memberLedger(mspId, privateLedger, outbox);
  const toHint = ({ recordOid, evidenceId, leafIndex, cid }: IndexHit): Hint => ({
    recordOid,
    evidenceId,
    leafIndex,
    cid: cid.toString(),
    proof: records.has(recordOid) ? () => requireProof(records, recordOid) : undefined,
  });
  const reader = createTrustedReader({
    ledger,
    content: content.reader,
    verifierOf: (msp) => (msp === mspId ? readingVerifier : undefined),
    keys: {
      consignmentKeys: (places) =>
        Promise.all(places.map(({ consignmentOid, epoch }) => keys.reveal(consignmentOid, epoch))),
    },
  });
  const index = createOutletIndex(outbox, replica, { ledger: records });
  const allowLists = createAllowLists({ channel, identity, verifier: readingVerifier, outbox, nowMs });
  const answering = createAnswering({
    channel,
    identity,
    allowLists,
    reader,
    findByOid: async (oid) => {
      const hit = await index.findByOid(oid);
      return hit === undefined ? undefined : toHint(hit);
    },
    getEnvelope: (cid) => content.reader.get(parseCid(cid)),
    center: (signal) => centers.inOffice(signal),
    nowMs,
    onAnswered: (outcome) => logger.info('external query', { outcome }),
    onRetry: retried('the stream for external queries is opened again'),
    delay: pause,
  });

  const reads = createReads({
    index,
    content: content.reader,
    proofs: records,
    keys: {
      get ownerKid() {
        return keyStore.encryptionKey.kid;
      },
      token: (type, value) => tokens.token({ type, value }),
      consignmentKey: async (consignmentOid, epoch) => keys.reveal(consignmentOid, epoch),
      wrap: async ({ consignmentKey, consignmentOid, epoch, encryptionKey }) => {
        const { jwe } = await wrapConsignmentKey({
          ck: consignmentKey,
          context: { channel, msp: mspId, consignmentOid, epoch },
          ownerKid: keyStore.encryptionKey.kid,
          recipient: parseEncryptionPublicKey(encryptionKey),
        });
        return jwe;
      },
      envelopePlace: readEnvelopeHeader,
    },
  });
  const ledgerRest = openDepartmentLedgerRest({
    config,
    privateLedger,
    verifier,
    callers,
    register,
    replica,
    ledger,
    nowMs,
  });
  const status = (): JsonObject => {
    const { blockNumber, evidence, pendingBatches } = replica.state;
    const position = outbox.position();
    return {
      service: 'department',
      mspId,
      outlet,
      channel,
      centerIsRecipient: config.centerIsRecipient,
      block: blockNumber === undefined ? null : Number(blockNumber),
      evidence,
      batches: { ...outbox.counts(), indexing: pendingBatches },
      position: formatEvidenceId({ msp: mspId, outlet, seq: position.seq }),
      centerConnected: uploader.connected,
      answering: answering.connected,
      ...(privateLedger === undefined ? {} : { ledger: privateLedger.status() }),
    };
  };
  registerDepartmentMetrics(registry, { outbox, uploading: () => uploader.connected });

  const authorize = (context: CallContext): void => {
    if (context.peerCertificate === undefined) {
      throw new WaymarkError('certificate-untrusted', 'A client certificate of the organisation is needed.');
    }
    const caller = callers.identify(context.peerCertificate);
    const may = caller.kind === 'client' || caller.kind === 'reader' || caller.enrolmentId === outlet;
    if (!may) throw new WaymarkError('role-not-permitted', `A ${caller.kind} may not submit here.`);
  };
  const submit = createSubmitHandler({
    msp: mspId,
    outlet,
    sealer,
    progress,
    onRejectionTold: (place) => outbox.tellRejection(place),
    maxOpenRecords: limits.maxOpenRecordsPerStream,
    authorize,
  });

  let grpc: GrpcServer | undefined;
  const tls = {
    certificateFile: config.tls.certificateFile,
    privateKeyFile: config.tls.privateKeyFile,
    clientCaFiles: [...config.msp.rootFiles, ...config.msp.intermediateFiles],
  };
  const application = createApplication({
    logger,
    metrics: createHttpMetrics(registry),
    routes: (app) => {
      if (ledgerRest !== undefined) app.use(ledgerRest.router);
      app.use(authentication((der) => callers.identify(der)));
      app.get('/ipfs/:cid', createGatewayHandler(content.reader));
      app.use(
        openApiValidator({ apiSpec: departmentOpenApi as never, validateRequests: true, validateResponses: false }),
      );
      app.use(createQueryRouter({ reads, mspId, status, onRead: () => undefined }));
      app.use(createAllowListRouter({ mspId, outlet, allowLists, outbox, tokens }));
    },
  });
  const api = createApiServer({ host: config.listen.host, port: config.listen.apiPort, tls, handler: application });
  const operations = createOperationsServer({
    host: config.listen.operationsHost,
    allowRemote: true,
    port: config.listen.operationsPort,
    registry,
    openApi: departmentOpenApi,
    docs: [...swaggerUi.serve, swaggerUi.setup(departmentOpenApi)],
    checks: [
      {
        name: 'replica',
        kind: 'ready',
        check: () => required(replica.state.phase === 'following', 'the channel is not being followed'),
      },
      { name: 'center', kind: 'ready', check: () => required(uploader.connected, 'the center is not connected') },
    ],
  });

  return {
    components: [
      {
        name: 'stores',
        start: () => undefined,
        stop: async () => {
          ledger.close();
          centers.close();
          lookups.close();
          await content.close();
          outbox.close();
          lock.release();
        },
      },
      replica,
      trust,
      openCalls,
      ...(privateLedger?.components ?? []),
      ...(ledgerRest === undefined ? [] : [ledgerRest.component]),
      {
        name: 'anchors',
        start: () => {
          for (const { id, seq } of outbox.accepted()) {
            expect(id);
            const committed = replica.committed(formatEvidenceId({ msp: mspId, outlet, seq }));
            if (committed !== undefined) anchored(seq, committed.batchHash, committed.txId);
          }
          for (const { height } of outbox.confirmedIn(1, Number.MAX_SAFE_INTEGER)) {
            const txId = anchorOf(height);
            if (txId !== undefined) anchoredBlocks({ first: height, last: height, txId });
          }
        },
        stop: () => undefined,
      },
      { name: 'upload', start: () => uploader.start(), stop: () => uploader.stop() },
      { name: 'external-queries', start: () => answering.start(), stop: () => answering.stop() },
      {
        name: 'grpc',
        async start() {
          grpc = await startGrpcServer({
            host: config.listen.host,
            port: config.listen.grpcPort,
            credentials: serverCredentials(
              {
                certificateChainPem: readTextFile(tls.certificateFile),
                privateKeyPem: readSecretFile(tls.privateKeyFile),
              },
              tls.clientCaFiles.map(readTextFile),
            ),
            addServices: (server) => {
              privateLedger?.peers.addTo(server);
              server.addService(OutletService, {
                submit: serveBidi<SubmitRequest, SubmitResponse>((requests, responses, context) =>
                  openCalls.serve(
                    () => authorize(context),
                    () => submit(requests, responses, context),
                  ),
                ),
              });
            },
          });
        },
        stop: async () => {
          sealer.stop();
          await grpc?.stop(2_000);
        },
      },
      api,
      operations,
    ],
    ports: () => ({ grpc: grpc?.port ?? 0, api: api.port, operations: operations.port }),
  };
}

async function openContent(
  config: DepartmentConfiguration,
  identity: { certificatePem: string; privateKeyPem: string },
): Promise<{ reader: BlockReader; close: () => Promise<void> }> {
  const { content } = config;
  const source = centersContent(
    config.centers.map(({ apiUrl, tlsRootFile }) =>
      createGatewaySource({
        baseUrl: apiUrl,
        tls: {
          ca: readTextFile(tlsRootFile),
          certificate: identity.certificatePem,
          privateKey: identity.privateKeyPem,
        },
      }),
    ),
  );
  if (content.kind === 'center') return { reader: source, close: () => source.close() };
  const store = await openKuboStore({
    url: content.url,
    ...(content.authorizationFile === undefined
      ? {}
      : { authorization: { scheme: content.authorizationScheme, secretFile: content.authorizationFile } }),
  });
  return {
    // The center repairs what it reads and finds altered: it is made to read it.
    reader: reportingReader(store, (cid) => source.has(cid)),
    close: async () => {
      await source.close();
      await store.close();
    },
  };
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function required(condition: boolean, reason: string): void {
  if (!condition) throw new WaymarkError('unavailable', reason);
}
