import { common, peer } from '@hyperledger/fabric-protos';
import { buildSeek } from '../harness/proposals.ts';
import type { SigningIdentity } from '../../src/msp/index.ts';
import type { RawClient } from './inputs/raw-client.ts';
import { DELIVER, DELIVER_FILTERED } from './inputs/services.ts';

const TIMEOUT_MS = 15_000;
const { BAD_REQUEST, SUCCESS } = common.Status;

/**
 * Reads the whole chain from a peer, whole and filtered. Returns why that is not possible, or undefined: whatever was put into a
 * block must not keep anybody from the blocks behind it.
 */
export async function chainComplaint(
  client: RawClient,
  signer: SigningIdentity,
  channelId: string,
): Promise<string | undefined> {
  for (const { path } of [DELIVER, DELIVER_FILTERED]) {
    const seek = buildSeek(signer, { channelId, start: 'oldest', stop: 'newest', failIfNotReady: true });
    const { code, text, messages } = await client.stream(path, [seek.serializeBinary()], TIMEOUT_MS);
    const responses = messages.map((message) => peer.DeliverResponse.deserializeBinary(message));
    const last = responses.pop();
    if (code !== 0 || last?.getStatus() !== SUCCESS)
      return `${path} ended with ${code} ${text} ${last?.getStatus() ?? ''}`;
    for (const [index, response] of responses.entries()) {
      const number = response.getBlock()?.getHeader()?.getNumber() ?? response.getFilteredBlock()?.getNumber();
      // Fabric says so of a block that it cannot filter.
      if (number === undefined && response.getStatus() === BAD_REQUEST && path === DELIVER_FILTERED.path) continue;
      if (number !== index) return `${path} gave ${String(number)} for block ${index}`;
    }
  }
  return undefined;
}

/** How many envelopes the blocks of a peer hold. */
export async function countEnvelopes(client: RawClient, signer: SigningIdentity, channelId: string): Promise<number> {
  const seek = buildSeek(signer, { channelId, start: 'oldest', stop: 'newest', failIfNotReady: true });
  const { messages } = await client.stream(DELIVER.path, [seek.serializeBinary()], TIMEOUT_MS);
  return messages.reduce((sum, message) => {
    const block = peer.DeliverResponse.deserializeBinary(message).getBlock();
    return sum + (block?.getData()?.getDataList().length ?? 0);
  }, 0);
}
