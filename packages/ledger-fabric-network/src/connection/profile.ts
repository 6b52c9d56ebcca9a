import { keepaliveTimeMs, maxReceiveSizeBytes } from '@waymark/fabric/client';
import type { FabricNetworkOptions, NodeOptions } from '../options.ts';

/** How long to wait for a connection to a node before it counts as away, in milliseconds. */
const connectTimeoutMs = 3_000;

/** The connection profile for `Gateway.connect`. With discovery the channel's nodes are found, without it they are these. */
export function connectionProfile(options: FabricNetworkOptions): Record<string, unknown> {
  const { peers, orderers = [], channel, identity, discovery } = options;
  const mspIds = [...new Set([identity.mspId, ...peers.map(({ mspId }) => mspId)])];
  const nodes = (list: readonly NodeOptions[]): Record<string, unknown> =>
    Object.fromEntries(list.map((node) => [node.endpoint, profileNode(node)]));
  return {
    name: channel,
    version: '1.0.0',
    client: { organization: identity.mspId },
    organizations: Object.fromEntries(
      mspIds.map((mspid) => [
        mspid,
        { mspid, peers: peers.filter(({ mspId }) => mspId === mspid).map(({ endpoint }) => endpoint) },
      ]),
    ),
    peers: nodes(peers),
    orderers: nodes(orderers),
    ...(discovery === undefined
      ? {
          channels: {
            [channel]: {
              peers: peers.map(({ endpoint }) => endpoint),
              orderers: orderers.map(({ endpoint }) => endpoint),
            },
          },
        }
      : {}),
  };
}

/** For the nodes of the profile and for those that are discovered. */
export const connectionOptions = {
  'grpc.max_receive_message_length': maxReceiveSizeBytes,
  'grpc.max_send_message_length': maxReceiveSizeBytes,
  'grpc.keepalive_time_ms': keepaliveTimeMs,
  'grpc.max_reconnect_backoff_ms': 10_000,
  'grpc-wait-for-ready-timeout': connectTimeoutMs,
};

function profileNode({ endpoint, tlsRootPem, tlsServerName }: NodeOptions): Record<string, unknown> {
  return {
    url: `grpcs://${endpoint}`,
    tlsCACerts: { pem: tlsRootPem },
    ...(tlsServerName === undefined ? {} : { grpcOptions: { 'ssl-target-name-override': tlsServerName } }),
  };
}
