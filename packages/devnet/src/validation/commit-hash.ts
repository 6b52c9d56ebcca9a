import { createHash } from 'node:crypto';
import type { Version } from '../ledger/ledger.ts';
import type { UpdateBatch } from './update-batch.ts';

/**
 * The hash in metadata slot 4, by which peers can compare their states: over the validation flags, the changes of the block in
 * a fixed order, and the previous commit hash (core/ledger/kvledger/kv_ledger.go, txmgr/update_batch_bytes.go). The empty
 * namespace (the channel configuration) is left out. Block 0 has none.
 */
export function commitHash(flags: Uint8Array, updates: UpdateBatch, previous: Uint8Array): Uint8Array {
  const hash = createHash('sha256');
  hash.update(encodeVarint(flags.length));
  hash.update(flags);
  let currentNamespace = '';
  for (const { namespace, key, update } of updates.entries()) {
    if (namespace === '') continue;
    const message = Buffer.concat([
      namespace === currentNamespace ? EMPTY : encodeBytes(1, Buffer.from(namespace)),
      encodeBytes(3, Buffer.from(key)),
      update.value === undefined ? IS_DELETE : EMPTY,
      encodeBytes(5, update.value ?? EMPTY),
      encodeBytes(6, encodeVersion(update.version)),
    ]);
    currentNamespace = namespace;
    hash.update(encodeBytes(1, message, true));
  }
  hash.update(previous);
  return hash.digest();
}

const EMPTY = Buffer.alloc(0);
/** Field 4, true. */
const IS_DELETE = Buffer.of(0x20, 0x01);

function encodeVarint(value: number): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    octets.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  octets.push(rest);
  return Uint8Array.from(octets);
}

/** A length-delimited protobuf field; proto3 leaves empty scalars out. */
function encodeBytes(field: number, content: Uint8Array, evenIfEmpty = false): Uint8Array {
  if (content.length === 0 && !evenIfEmpty) return EMPTY;
  return Buffer.concat([encodeVarint((field << 3) | 2), encodeVarint(content.length), content]);
}

/** Both numbers as their count of significant octets followed by these (internal/version/version.go, ToBytes). */
function encodeVersion(version: Version): Uint8Array {
  return Buffer.concat([encodeOrdered(version.blockNumber), encodeOrdered(version.txNumber)]);
}

function encodeOrdered(value: bigint): Uint8Array {
  if (value === 0n) return Buffer.of(0);
  const hex = value.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(octets.length), octets]);
}
