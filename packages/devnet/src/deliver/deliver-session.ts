import { common, orderer } from '@hyperledger/fabric-protos';
import { decode } from '../protobuf/decode.ts';
import type { CommittedBlock } from '../ledger/ledger.ts';
import type { SignedData } from '../policy/policy.ts';
import { blocksFrom, type BlockSource } from './block-iterator.ts';
import type { DeliverStatus } from './deliver-status.ts';
import { resolveSeek } from './seek.ts';

/** How far a request's clock may be from the server's (Fabric: peer.authentication.timewindow). */
const TIME_WINDOW_MS = 15 * 60 * 1000;

/** One channel as the deliver service sees it. */
export interface DeliverChannel {
  readonly blocks: BlockSource;
  /** Changes with each configuration; access is checked again then. */
  readonly configSequence: () => number;
  /** Throws when the signer may not read blocks. */
  readonly checkRead: (signed: SignedData) => void;
  /** When the certificate of a client expires; undefined for one that is not known. */
  readonly expiresAtMs: (identity: Uint8Array) => number | undefined;
}

export interface DeliverContext {
  readonly channel: (channelId: string) => DeliverChannel | undefined;
  readonly nowMs: () => number;
}

/** What one seek request gets: blocks, then nothing more; the status comes from the return value. */
export interface DeliveredBlock {
  readonly committed: CommittedBlock;
  readonly headersOnly: boolean;
}

/**
 * Serves one signed seek (Fabric: common/deliver/deliver.go): yields blocks and returns the closing status, or undefined
 * when aborted.
 */
export async function* deliverBlocks(
  context: DeliverContext,
  envelope: common.Envelope,
  aborted: AbortSignal,
): AsyncGenerator<DeliveredBlock, DeliverStatus | undefined> {
  const request = parseRequest(envelope, context.nowMs());
  if (request === undefined) return common.Status.BAD_REQUEST;
  const channel = context.channel(request.channelId);
  if (channel === undefined) return common.Status.NOT_FOUND;
  const isAllowed = createAccessCheck(context, channel, request.signed);
  if (!isAllowed()) return common.Status.FORBIDDEN;
  const range = resolveSeek(request.seek, channel.blocks.height);
  if (typeof range === 'number') return range;
  if (range.failIfNotReady && range.start >= channel.blocks.height) return common.Status.NOT_FOUND;
  for await (const committed of blocksFrom(channel.blocks, range.start, aborted)) {
    if (!isAllowed()) return common.Status.FORBIDDEN;
    yield { committed, headersOnly: range.headersOnly };
    if (committed.number === range.stop) return common.Status.SUCCESS;
    if (range.failIfNotReady && committed.number + 1n >= channel.blocks.height) return common.Status.NOT_FOUND;
  }
  return undefined;
}

interface DeliverRequest {
  readonly channelId: string;
  readonly seek: orderer.SeekInfo;
  readonly signed: SignedData;
}

function parseRequest(envelope: common.Envelope, nowMs: number): DeliverRequest | undefined {
  try {
    const payloadBytes = envelope.getPayload_asU8();
    const payload = decode('Payload', common.Payload, payloadBytes);
    const header = payload.getHeader();
    if (header === undefined) return undefined;
    const channelHeader = decode('ChannelHeader', common.ChannelHeader, header.getChannelHeader_asU8());
    const signatureHeader = decode('SignatureHeader', common.SignatureHeader, header.getSignatureHeader_asU8());
    const timestamp = channelHeader.getTimestamp();
    if (timestamp === undefined) return undefined;
    const timeMs = timestamp.getSeconds() * 1000 + timestamp.getNanos() / 1e6;
    if (Math.abs(nowMs - timeMs) > TIME_WINDOW_MS) return undefined;
    return {
      channelId: channelHeader.getChannelId(),
      seek: decode('SeekInfo', orderer.SeekInfo, payload.getData_asU8()),
      signed: {
        data: payloadBytes,
        identity: signatureHeader.getCreator_asU8(),
        signature: envelope.getSignature_asU8(),
      },
    };
  } catch {
    return undefined;
  }
}

/** Access is decided once per configuration, expiry every time. */
function createAccessCheck(context: DeliverContext, channel: DeliverChannel, signed: SignedData): () => boolean {
  const expiresAtMs = channel.expiresAtMs(signed.identity);
  let checkedSequence: number | undefined;
  return () => {
    if (expiresAtMs !== undefined && context.nowMs() > expiresAtMs) return false;
    const sequence = channel.configSequence();
    if (sequence === checkedSequence) return true;
    try {
      channel.checkRead(signed);
      checkedSequence = sequence;
      return true;
    } catch {
      return false;
    }
  };
}
