import { join } from 'node:path';
import { connectGateway, privateKeySigner } from '@waymark/fabric';
import { type JsonObject, WaymarkError } from '@waymark/protocol';
import { answer, authentication, callerOf } from '@waymark/query-api';
import {
  type Component,
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
} from '@waymark/service-kit';
import { type GrpcServer, serverCredentials, startGrpcServer } from '@waymark/transport';
import { certificateVerifier, openKeyStore, readPassphrase, signingIdentityFromPem } from '@waymark/vault';
import swaggerUi from 'swagger-ui-express';
import type { DepartmentConfiguration } from '../configuration.ts';
import type { Department } from '../composed-department.ts';
import { departmentOpenApi } from '../rest/openapi.ts';
import { openDepartmentLedger } from '../private-ledger/department-ledger.ts';
import { openDepartmentLedgerRest } from '../private-ledger/department-ledger-rest.ts';

/**
 * Composes a department that hands nothing in: it re-audits the firm's private ledger, keeps the whole chain and compares it with the channel (D2, D6, D12).
 * @throws WaymarkError configuration-invalid: it is no member of a private ledger
 */
export async function createVerifier(config: DepartmentConfiguration, logger: Logger): Promise<Department> {
  const nowMs = (): number => Date.now();
  const { mspId, channel } = config;
  if (config.privateLedger === undefined)
    throw new WaymarkError('configuration-invalid', 'privateLedger: a verifier is a member of a private ledger');
  const lock = lockDataFolder(config.dataFolder);
  const registry = createMetrics('department');
  const certificatePem = readTextFile(config.identity.certificateFile);
  const privateKeyPem = readSecretFile(config.identity.privateKeyFile);
  const identity = signingIdentityFromPem({ mspId, certificatePem, privateKeyPem });
  const trust = openOrganisationTrust({ ...config.msp, mspId, logger, nowMs });
  const { verifier } = trust;
  const keyStore = await openKeyStore({
    file: config.keyStore.file,
    passphrase: readPassphrase({ file: config.keyStore.passphraseFile }),
  });
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
    // Of evidence it keeps what stands on the channel, and reads no batches.
    content: { get: () => Promise.reject(new WaymarkError('unavailable', 'A verifier keeps no index of records.')) },
    logger,
    registry,
    indexes: () => false,
  });
  const register = replicaRegister(replica);
  const callers = createCallers([{ mspId, verifier }], register, nowMs);
  const openCalls = createOpenCalls();
  trust.onChange(openCalls.recheck);
  replica.onNode(openCalls.recheck);
  const privateLedger = await openDepartmentLedger({
    config,
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
    ledger,
    logger,
    registry,
    nowMs,
    openCalls,
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
  const status = (): JsonObject => ({
    service: 'department',
    mspId,
    department: identity.enrolmentId,
    channel,
    block: replica.state.blockNumber === undefined ? null : Number(replica.state.blockNumber),
    ledger: privateLedger?.status() ?? null,
  });

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
      app.get(
        '/v1/status',
        answer((request) => {
          callerOf(request);
          return status();
        }),
      );
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
    ],
  });
  let grpc: GrpcServer | undefined;
  const grpcServer: Component = {
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
        addServices: (server) => privateLedger?.peers.addTo(server),
      });
    },
    stop: async () => grpc?.stop(2_000),
  };
  return {
    components: [
      {
        name: 'stores',
        start: () => undefined,
        stop: () => {
          ledger.close();
          lock.release();
        },
      },
      replica,
      trust,
      openCalls,
      ...(privateLedger?.components ?? []),
      ...(ledgerRest === undefined ? [] : [ledgerRest.component]),
      grpcServer,
      api,
      operations,
    ],
    ports: () => ({ grpc: grpc?.port ?? 0, api: api.port, operations: operations.port }),
  };
}

function required(condition: boolean, reason: string): void {
  if (!condition) throw new WaymarkError('unavailable', reason);
}
