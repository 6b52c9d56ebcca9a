import { common } from '@hyperledger/fabric-protos';
import type { Member } from '../membership/membership.ts';
import { type ChannelDescription, describeConfig } from './configuration.ts';
import { connectTo, type NodeAddress } from './connected-peer.ts';
import { proposeTo } from './proposal.ts';

/** What one peer says of a channel. */
export interface PeerFacts {
  readonly height: bigint;
  readonly config: ChannelDescription;
}

/**
 * Asks one peer, real or embedded, how high its ledger is and what the channel's configuration says.
 *
 * @throws WaymarkError `unavailable` when it does not answer in time
 */
export async function askPeer(
  node: NodeAddress,
  reader: Member,
  channel: string,
  timeoutMs: number,
): Promise<PeerFacts> {
  const client = connectTo(node);
  const ask = (chaincode: string, fn: string): Promise<Uint8Array> =>
    proposeTo(client, reader, { channel, chaincode, args: [Buffer.from(fn), Buffer.from(channel)] }, timeoutMs);
  try {
    const [info, block] = await Promise.all([ask('qscc', 'GetChainInfo'), ask('cscc', 'GetConfigBlock')]);
    return {
      height: BigInt(common.BlockchainInfo.deserializeBinary(info).getHeight()),
      config: describeConfig(common.Block.deserializeBinary(block)),
    };
  } finally {
    client.close();
  }
}
