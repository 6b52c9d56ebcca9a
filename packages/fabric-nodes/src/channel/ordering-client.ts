import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { common, orderer } from '@hyperledger/fabric-protos';
import { createSigningIdentity } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { Member } from '../membership/membership.ts';
import { buildHeader } from './proposal.ts';

const CALL_TIMEOUT_MS = 15_000;
const { deliver, broadcast } = orderer.AtomicBroadcastService;

/** An orderer's answer to what was sent for ordering. */
export interface BroadcastAnswer {
  readonly status: common.StatusMap[keyof common.StatusMap];
  readonly info: string;
}

/**
 * One block of a channel, from one orderer, also while the channel has no leader.
 *
 * @param signer who may read the channel
 * @throws WaymarkError `unavailable` when the orderer does not answer or does not give it
 */
export async function fetchBlock(
  client: Client,
  signer: Member,
  channel: string,
  position: 'newest' | bigint,
): Promise<common.Block> {
  return exchange(
    client.makeBidiStreamRequest(deliver.path, deliver.requestSerialize, deliver.responseDeserialize, {
      deadline: Date.now() + CALL_TIMEOUT_MS,
    }),
    seekEnvelope(signer, channel, position),
    (response) => {
      const block = response.getBlock();
      if (block === undefined) {
        throw new WaymarkError('unavailable', `the orderer gives no block: status ${response.getStatus()}`);
      }
      return block;
    },
  );
}

/** The configuration block in force, as one orderer knows it. */
export async function fetchConfigBlock(client: Client, signer: Member, channel: string): Promise<common.Block> {
  const newest = await fetchBlock(client, signer, channel, 'newest');
  const slot = newest.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.SIGNATURES] ?? new Uint8Array();
  const metadata = common.OrdererBlockMetadata.deserializeBinary(
    common.Metadata.deserializeBinary(slot).getValue_asU8(),
  );
  const index = BigInt(metadata.getLastConfig()?.getIndex() ?? 0);
  return index === BigInt(newest.getHeader()?.getNumber() ?? 0) ? newest : fetchBlock(client, signer, channel, index);
}

/**
 * Sends one envelope to one orderer.
 *
 * @throws WaymarkError `unavailable` when the orderer does not answer
 */
export function broadcastTo(client: Client, envelope: common.Envelope): Promise<BroadcastAnswer> {
  return exchange(
    client.makeBidiStreamRequest(broadcast.path, broadcast.requestSerialize, broadcast.responseDeserialize, {
      deadline: Date.now() + CALL_TIMEOUT_MS,
    }),
    envelope,
    (response) => ({ status: response.getStatus(), info: response.getInfo() }),
  );
}

/** One message there, the first message back. */
function exchange<Request, Response, Result>(
  stream: ClientDuplexStream<Request, Response>,
  request: Request,
  read: (response: Response) => Result,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    stream.on('data', (response: Response) => {
      try {
        resolve(read(response));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      stream.cancel();
    });
    // After the answer this is only the cancellation.
    stream.on('error', (cause) => reject(new WaymarkError('unavailable', `orderer: ${cause.message}`, { cause })));
    stream.on('end', () => reject(new WaymarkError('unavailable', 'the orderer gave no answer')));
    stream.write(request);
    stream.end();
  });
}

function seekEnvelope(signer: Member, channel: string, position: 'newest' | bigint): common.Envelope {
  const at = new orderer.SeekPosition();
  if (position === 'newest') at.setNewest(new orderer.SeekNewest());
  else {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(Number(position));
    at.setSpecified(specified);
  }
  const seek = new orderer.SeekInfo();
  seek.setStart(at);
  seek.setStop(at);
  seek.setBehavior(orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
  seek.setErrorResponse(orderer.SeekInfo.SeekErrorResponse.BEST_EFFORT);
  const identity = createSigningIdentity(signer);
  const { header } = buildHeader(identity, { type: common.HeaderType.DELIVER_SEEK_INFO, channel });
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(seek.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(identity.sign(envelope.getPayload_asU8()));
  return envelope;
}
