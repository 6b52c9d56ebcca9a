import { orderer, type common } from '@hyperledger/fabric-protos';
import { createAtomicBroadcastService } from '../deliver/atomic-broadcast-service.ts';
import type { BlockSource } from '../deliver/block-iterator.ts';
import type { DeliverContext } from '../deliver/deliver-session.ts';
import type { CommittedBlock } from '../ledger/ledger.ts';
import type { OrderingService } from '../orderer/index.ts';
import { validSigners } from '../policy/policy.ts';
import { serveGrpc, type GrpcEndpoint } from './grpc-server.ts';
import type { NodeMembership } from './membership.ts';

const READERS = '/Channel/Readers';

export interface OrdererNodeParams {
  readonly mspId: string;
  readonly membership: NodeMembership;
  readonly host: string;
  readonly port: number;
  readonly ordering: OrderingService;
  readonly nowMs: () => number;
}

/** The orderer: `orderer.AtomicBroadcast` on its own endpoint. */
export interface OrdererNode {
  readonly mspId: string;
  readonly hostName: string;
  readonly address: string;
  readonly membership: NodeMembership;
  readonly ordering: OrderingService;
  listen(): Promise<void>;
  /** Closes the endpoint; the ordering service is its owner's. */
  close(): Promise<void>;
}

export function createOrdererNode(params: OrdererNodeParams): OrdererNode {
  const { ordering, membership, mspId } = params;
  const address = `${params.host}:${params.port}`;
  let endpoint: GrpcEndpoint | undefined;
  return {
    mspId,
    hostName: membership.hostName,
    address,
    membership,
    ordering,
    listen: async () => {
      endpoint = await serveGrpc({ host: params.host, port: params.port }, membership.tls, [
        {
          definition: orderer.AtomicBroadcastService,
          handlers: createAtomicBroadcastService({
            broadcast: (envelope) => ordering.broadcast(envelope),
            deliver: deliverContext(ordering, params.nowMs),
          }),
        },
      ]);
    },
    close: async () => {
      await endpoint?.close();
    },
  };
}

function deliverContext(ordering: OrderingService, nowMs: () => number): DeliverContext {
  const channel = {
    blocks: blockSource(ordering),
    configSequence: () => ordering.channelConfig.sequence,
    checkRead: (signed: Parameters<typeof validSigners>[0][number]) => {
      const { msps } = ordering.channelConfig;
      if (!ordering.channelConfig.policy(READERS).evaluate(validSigners([signed], msps))) {
        throw new Error('the policy for reading the channel is not satisfied');
      }
    },
    expiresAtMs: (identity: Uint8Array) => {
      try {
        return ordering.channelConfig.msps.deserialize(identity).notAfterMs;
      } catch {
        return undefined;
      }
    },
  };
  return { nowMs, channel: (channelId) => (channelId === ordering.channelId ? channel : undefined) };
}

/** The orderer's chain in the shape that the deliver service reads. */
function blockSource(ordering: OrderingService): BlockSource {
  const toCommitted = (block: common.Block): CommittedBlock => ({
    number: BigInt(block.getHeader()?.getNumber() ?? 0),
    block,
    bytes: new Uint8Array(),
  });
  return {
    get height() {
      return ordering.height;
    },
    getBlock: async (number) => {
      const block = await ordering.getBlock(number);
      return block === undefined ? undefined : toCommitted(block);
    },
    onCommit: (listener) => {
      const stopped = new AbortController();
      const follow = async () => {
        for await (const block of ordering.blocks(ordering.height, stopped.signal)) listener(toCommitted(block));
      };
      // A chain that cannot be read ends the reader's own stream, when it asks for the block itself.
      follow().catch(() => undefined);
      return () => stopped.abort();
    },
  };
}
