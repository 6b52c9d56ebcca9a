import { posix } from 'node:path';
import type { OrdererPlan, OrderingType } from '../options.ts';

const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;

export interface OrdererConfigParams {
  readonly mspId: string;
  readonly orderer: OrdererPlan;
  readonly ordering: OrderingType;
  /** As the orderer sees it. */
  readonly dataDir: string;
  readonly listenHost: string;
}

/**
 * `orderer.yaml` of one orderer: channels are joined over its admin port, which takes clients of its own TLS CA only. Certificates
 * are named relatively: most to the file, those of the admin port to the working directory, which must be the file's folder.
 * The TLS roots of other organisations' orderers come with the channel's configuration.
 */
export function ordererConfig(params: OrdererConfigParams): object {
  const { orderer, listenHost, dataDir } = params;
  const tls = (file: string) => `tls/${file}`;
  const serverTls = { Enabled: true, Certificate: tls('server.crt'), PrivateKey: tls('server.key') };
  return {
    General: {
      ListenAddress: listenHost,
      ListenPort: orderer.port,
      TLS: { ...serverTls, RootCAs: [tls('ca.crt')], ClientAuthRequired: false },
      Keepalive: { ServerMinInterval: '10s', ServerInterval: '7200s', ServerTimeout: '20s' },
      MaxRecvMsgSize: MAX_MESSAGE_BYTES,
      MaxSendMsgSize: MAX_MESSAGE_BYTES,
      Cluster: {
        SendBufferSize: 100,
        ClientCertificate: tls('server.crt'),
        ClientPrivateKey: tls('server.key'),
        RootCAs: [tls('ca.crt')],
        DialTimeout: '5s',
        RPCTimeout: '7s',
        ReplicationBufferSize: 20_971_520,
        ReplicationPullTimeout: '5s',
        ReplicationRetryTimeout: '5s',
        ReplicationMaxRetries: 12,
        // Blocks are taken from one orderer, whether the others withhold some is asked of several. Fabric 2.5 refuses the key.
        ...(params.ordering === 'bft' ? { ReplicationPolicy: 'consensus' } : {}),
      },
      BootstrapMethod: 'none',
      LocalMSPDir: 'msp',
      LocalMSPID: params.mspId,
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      Authentication: { TimeWindow: '15m' },
    },
    FileLedger: { Location: posix.join(dataDir, 'ledger') },
    Operations: { ListenAddress: `${listenHost}:${orderer.operationsPort}`, TLS: { Enabled: false } },
    Metrics: { Provider: 'prometheus' },
    Admin: {
      ListenAddress: `${listenHost}:${orderer.adminPort}`,
      TLS: { ...serverTls, ClientAuthRequired: true, ClientRootCAs: [tls('ca.crt')] },
    },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '10 MB' },
    Consensus: { WALDir: posix.join(dataDir, 'wal'), SnapDir: posix.join(dataDir, 'snapshot') },
  };
}
