import { posix } from 'node:path';
import type { PeerPlan } from '../options.ts';
import type { NodePaths } from './runner.ts';

const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;

export interface CoreConfigParams {
  readonly mspId: string;
  readonly hostName: string;
  readonly peer: PeerPlan;
  /** `host:port` that other nodes reach the peer at. */
  readonly address: string;
  /** `host:port` of a peer of the same organisation to begin gossip with. */
  readonly bootstrap: string;
  /** As the peer sees them. */
  readonly paths: NodePaths;
  readonly listenHost: string;
  /** As Fabric's own programs say it, for example `3.1.5`. */
  readonly fabricVersion: string;
}

/**
 * `core.yaml` of one peer. Only what differs from Fabric's built-in defaults, and what has none (sampleconfig/core.yaml names
 * them all). Peers pull blocks from the orderers (`orgLeader`), chaincode runs as a service, no engine is dialled. Certificates
 * are named relatively to the file: the folder may stand anywhere.
 */
export function coreConfig(params: CoreConfigParams): object {
  const { peer, address, listenHost, paths } = params;
  const tls = (file: string) => ({ file: `tls/${file}` });
  return {
    peer: {
      id: params.hostName,
      networkId: 'waymark',
      listenAddress: `${listenHost}:${peer.port}`,
      address,
      chaincodeListenAddress: `${listenHost}:${peer.chaincodePort}`,
      addressAutoDetect: false,
      gateway: { enabled: true, endorsementTimeout: '30s', broadcastTimeout: '30s', dialTimeout: '30s' },
      keepalive: {
        interval: '7200s',
        timeout: '20s',
        minInterval: '10s',
        client: { interval: '60s', timeout: '20s' },
        deliveryClient: { interval: '60s', timeout: '20s' },
      },
      gossip: {
        bootstrap: params.bootstrap,
        endpoint: address,
        externalEndpoint: address,
        useLeaderElection: false,
        orgLeader: true,
        membershipTrackerInterval: '5s',
        maxBlockCountToStore: 10,
        maxPropagationBurstLatency: '10ms',
        maxPropagationBurstSize: 10,
        propagateIterations: 1,
        propagatePeerNum: 3,
        pullInterval: '4s',
        pullPeerNum: 3,
        requestStateInfoInterval: '1s',
        publishStateInfoInterval: '1s',
        publishCertPeriod: '10s',
        dialTimeout: '3s',
        connTimeout: '2s',
        recvBuffSize: 20,
        sendBuffSize: 200,
        digestWaitTime: '1s',
        requestWaitTime: '1500ms',
        responseWaitTime: '2s',
        aliveTimeInterval: '2s',
        aliveExpirationTimeout: '10s',
        reconnectInterval: '5s',
        maxConnectionAttempts: 120,
        msgExpirationFactor: 20,
        state: { enabled: false },
        pvtData: {
          pullRetryThreshold: '60s',
          transientstoreMaxBlockRetention: 1000,
          pushAckTimeout: '3s',
          btlPullMargin: 10,
          reconcileBatchSize: 10,
          reconcileSleepInterval: '1m',
          reconciliationEnabled: true,
          implicitCollectionDisseminationPolicy: { requiredPeerCount: 0, maxPeerCount: 1 },
        },
      },
      tls: {
        enabled: true,
        clientAuthRequired: false,
        cert: tls('server.crt'),
        key: tls('server.key'),
        rootcert: tls('ca.crt'),
      },
      authentication: { timewindow: '15m' },
      fileSystemPath: paths.dataDir,
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      mspConfigPath: 'msp',
      localMspId: params.mspId,
      localMspType: 'bccsp',
      client: { connTimeout: '3s' },
      deliveryclient: {
        blockGossipEnabled: false,
        reconnectTotalTimeThreshold: '3600s',
        connTimeout: '3s',
        reConnectBackoffThreshold: '10s',
        minimalReconnectInterval: '100ms',
        policy: 'cluster',
      },
      handlers: {
        authFilters: authFilters(params.fabricVersion).map((name) => ({ name })),
        decorators: [{ name: 'DefaultDecorator' }],
        endorsers: { escc: { name: 'DefaultEndorsement' } },
        validators: { vscc: { name: 'DefaultValidation' } },
      },
      discovery: {
        enabled: true,
        authCacheEnabled: true,
        authCacheMaxSize: 1000,
        authCachePurgeRetentionRatio: 0.75,
        orgMembersAllowedAccess: false,
      },
      limits: { concurrency: { endorserService: 2500, deliverService: 2500, gatewayService: 500 } },
      maxRecvMsgSize: MAX_MESSAGE_BYTES,
      maxSendMsgSize: MAX_MESSAGE_BYTES,
    },
    vm: { endpoint: '' },
    chaincode: {
      mode: 'net',
      installTimeout: '300s',
      startuptimeout: '300s',
      executetimeout: '30s',
      externalBuilders: [{ name: 'ccaas', path: paths.builderDir }],
      system: { _lifecycle: 'enable', cscc: 'enable', lscc: 'enable', qscc: 'enable' },
      logging: { level: 'info', shim: 'warning' },
      runtimeParams: {
        useWriteBatch: true,
        maxSizeWriteBatch: 1000,
        useGetMultipleKeys: true,
        maxSizeGetMultipleKeys: 1000,
      },
    },
    ledger: {
      state: { stateDatabase: 'goleveldb', totalQueryLimit: 100_000 },
      history: { enableHistoryDatabase: true },
      pvtdataStore: {
        collElgProcMaxDbBatchSize: 5000,
        collElgProcDbBatchesInterval: 1000,
        deprioritizedDataReconcilerInterval: '60m',
        purgeInterval: 100,
      },
      snapshots: { rootDir: posix.join(paths.dataDir, 'snapshots') },
    },
    operations: { listenAddress: `${listenHost}:${peer.operationsPort}`, tls: { enabled: false } },
    metrics: { provider: 'prometheus' },
  };
}

/** A filter that a version does not know stops its peer. */
function authFilters(fabricVersion: string): readonly string[] {
  const filters = ['DefaultAuth', 'ExpirationCheck'];
  return fabricVersion.startsWith('2.') ? filters : [...filters, 'TimeWindowCheck'];
}
