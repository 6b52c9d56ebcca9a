import { grpcStatuses, ledgerFailure } from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import type { BlockType, Endorser, Eventer } from 'fabric-common';
import type { Link } from '../connection/link.ts';
import { fromLibraryFailure } from '../failure.ts';

/** A number of Fabric's 64 bits, as the client library reads it. */
export interface LongNumber {
  toString(): string;
}

/** A block as it came over the wire. */
export interface WireBlock {
  readonly header: { readonly number: LongNumber; readonly previous_hash: Buffer; readonly data_hash: Buffer };
  readonly data: { readonly data: readonly Buffer[] };
  readonly metadata: { readonly metadata: readonly Buffer[] };
}

/** A block without contents: which transactions it has, and how they ended. */
export interface WireFilteredBlock {
  readonly number: LongNumber;
  readonly filtered_transactions: readonly { readonly txid: string; readonly tx_validation_code: number | string }[];
}

/** Of the three only the one that was sent is there; the others are null or missing. */
interface DeliverResponse {
  readonly block?: WireBlock | null;
  readonly filtered_block?: WireFilteredBlock | null;
  readonly status?: number | string;
}

interface DeliverStream extends AsyncIterable<DeliverResponse> {
  write(envelope: unknown): void;
  on(event: 'error', listener: () => void): void;
  cancel(): void;
}

/** What the library's types leave out. */
interface StreamingEventer extends Eventer {
  readonly stream: DeliverStream | null;
  setStreamByType(blockType: BlockType): void;
}

/** Where to begin. */
export type DeliverStart = bigint | 'newest';

/**
 * Messages of a peer's deliver service, without end. The library's own event service decodes blocks beyond what their
 * hashes need and reads on whether or not anybody keeps up; this reads its stream.
 *
 * @throws WaymarkError `unavailable` when the stream ends, `refused` when this identity may not read
 */
export async function* deliver(
  link: Link,
  peer: Endorser,
  blockType: BlockType,
  start: DeliverStart,
  signal: AbortSignal,
): AsyncGenerator<DeliverResponse> {
  const stopped = (): boolean => signal.aborted;
  const service = link.channel.newEventService(peer.name);
  const eventer = link.channel.client.newEventer(peer.name) as StreamingEventer;
  const cancel = (): void => eventer.stream?.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    service.sign(await link.sign(service.build(link.context(), { blockType, startBlock: String(start) })));
    eventer.setEndpoint(peer.endpoint);
    const connected = await eventer.checkConnection();
    if (stopped()) return;
    if (!connected) throw new WaymarkError('unavailable', 'the peer does not answer');
    eventer.setStreamByType(blockType);
    const { stream } = eventer;
    if (stream === null) throw new WaymarkError('unavailable', 'the peer does not answer');
    // One that is cancelled after it was read to the end has nobody else to tell.
    stream.on('error', () => undefined);
    stream.write(service.getSignedEnvelope());
    for await (const message of stream) {
      if (stopped()) return;
      yield refuseStatus(message);
    }
    if (!stopped()) throw new WaymarkError('unavailable', 'the ledger ended the stream');
  } catch (error) {
    if (stopped()) return;
    throw fromLibraryFailure(error);
  } finally {
    signal.removeEventListener('abort', cancel);
    eventer.disconnect();
  }
}

/** A status instead of a block ends a stream. */
function refuseStatus(message: DeliverResponse): DeliverResponse {
  if ((message.block ?? message.filtered_block ?? undefined) !== undefined) return message;
  const text = `status=${statusName(message.status)}`;
  throw ledgerFailure({ grpcStatus: grpcStatuses.ABORTED, texts: [text], peers: [] }, {}, new Error(text));
}

function statusName(status: number | string | undefined): string {
  return status === 403 ? 'FORBIDDEN' : String(status);
}
