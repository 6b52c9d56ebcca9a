import { clientCredentials, clientOptions, type TlsIdentity } from '@waymark/transport';
import { type BlockRange, LedgerMemberClient, LedgerMemberService } from '@waymark/transport/ledger';
import type { PeersLimits } from './limits.ts';
import type { PeerAddress } from './peers.ts';

/**
 * The service with envelopes as bytes: they are encoded when they are queued, so that a queue knows its size, and decoded where a refusal can be typed
 * and laid to the member that sent them.
 */
export const memberService = {
  ...LedgerMemberService,
  exchange: {
    ...LedgerMemberService.exchange,
    requestSerialize: toBuffer,
    requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
    responseSerialize: toBuffer,
    responseDeserialize: (bytes: Buffer): Uint8Array => bytes,
  },
};

/** Opens a stream on which blocks are asked for. */
export function openReadBlocks(client: LedgerMemberClient) {
  const { path, requestSerialize } = memberService.readBlocks;
  const responseDeserialize = (bytes: Buffer): Uint8Array => bytes;
  return client.makeBidiStreamRequest<BlockRange, Uint8Array>(path, requestSerialize, responseDeserialize);
}

/** A connection of its own to a member: ended with `close()`. @throws WaymarkError configuration-invalid */
export function connectTo(
  { endpoint, tlsRootPem }: PeerAddress,
  identity: TlsIdentity,
  { keepaliveMs, keepaliveTimeoutMs, maxBackoffMs }: PeersLimits,
): LedgerMemberClient {
  return new LedgerMemberClient(endpoint, clientCredentials([tlsRootPem], identity), {
    ...clientOptions(),
    'grpc.use_local_subchannel_pool': 1,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    'grpc.max_reconnect_backoff_ms': maxBackoffMs,
  });
}

/** Opens the stream on which this member says what it has to say. */
export function openExchange(client: LedgerMemberClient) {
  const { path, requestSerialize, responseDeserialize } = memberService.exchange;
  return client.makeBidiStreamRequest<Uint8Array, Uint8Array>(path, requestSerialize, responseDeserialize);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
