import { credentials } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import type { Devnet, DevnetOrganisation, NodeConnection } from '../../src/index.ts';
import { metadataSlots, readMetadataValue } from '../../src/block/metadata.ts';
import { createSigningIdentity } from '../../src/msp/signing-identity.ts';
import { buildSignedProposal, processProposal } from '../harness/proposals.ts';
import type { PeerReport, Report } from './child-protocol.ts';

const { COMMIT_HASH } = common.BlockMetadataIndex;

/** What each peer answers for itself: nothing is taken from inside the network. */
export async function reportOf(devnet: Devnet): Promise<Report> {
  const entries = devnet.organisations.flatMap((organisation) =>
    organisation.peers.map(
      async (node) => [node.hostName, await reportOfPeer(devnet.channel, organisation, node)] as const,
    ),
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function reportOfPeer(
  channelId: string,
  { user }: DevnetOrganisation,
  node: NodeConnection,
): Promise<PeerReport> {
  const client = new peer.EndorserClient(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)));
  const signer = createSigningIdentity(user);
  const ask = async (chaincode: string, ...args: string[]): Promise<Uint8Array> => {
    const answer = await processProposal(client, buildSignedProposal(signer, { channelId, chaincode, args }));
    const response = answer.getResponse();
    if (response?.getStatus() !== 200) throw new Error(`${node.hostName}: ${response?.getMessage() ?? 'no answer'}`);
    return response.getPayload_asU8();
  };
  try {
    const info = common.BlockchainInfo.deserializeBinary(await ask('qscc', 'GetChainInfo', channelId));
    const height = info.getHeight();
    const newest = common.Block.deserializeBinary(await ask('qscc', 'GetBlockByNumber', channelId, String(height - 1)));
    const config = common.Config.deserializeBinary(await ask('cscc', 'GetChannelConfig', channelId));
    const list = JSON.parse(Buffer.from(await ask('assets', 'listAssets', '', '')).toString()) as {
      readonly id: string;
      readonly value: number;
    }[];
    return {
      height,
      blockHash: Buffer.from(info.getCurrentblockhash_asU8()).toString('hex'),
      commitHash: Buffer.from(readMetadataValue(metadataSlots(newest)[COMMIT_HASH])).toString('hex'),
      configSequence: config.getSequence(),
      state: Object.fromEntries(list.map(({ id, value }) => [id, value])),
    };
  } finally {
    client.close();
  }
}
