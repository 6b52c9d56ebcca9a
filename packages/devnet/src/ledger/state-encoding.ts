import { crc32 } from 'node:zlib';
import { ledger } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import type { StateValue, Version } from './ledger.ts';

const { KVMetadataEntry, KVMetadataWrite } = ledger.rwset.kvrwset;

/** First octet of every key of the database. */
const PREFIX = { savepoint: 0x01, block: 0x02, transaction: 0x03, state: 0x04, history: 0x05 } as const;
const SEPARATOR = 0x00;

export const SAVEPOINT_KEY: Uint8Array = Buffer.of(PREFIX.savepoint);

/** Marks that the state contains a block; a gap between marks tells that the database lost a write. */
export function blockKey(blockNumber: bigint): Uint8Array {
  const key = Buffer.alloc(9);
  key[0] = PREFIX.block;
  key.writeBigUInt64BE(blockNumber, 1);
  return key;
}

export const BLOCK_KEYS = { gte: Buffer.of(PREFIX.block), lt: Buffer.of(PREFIX.block + 1) };

export function transactionKey(txId: string): Uint8Array {
  return Buffer.concat([Buffer.of(PREFIX.transaction), Buffer.from(txId)]);
}

/** Keys order by their UTF-8 bytes; a namespace never contains the separator. */
export function stateKey(namespace: string, key: string): Uint8Array {
  return Buffer.concat([namespacePrefix(PREFIX.state, namespace), Buffer.from(key)]);
}

/** `end` is exclusive; empty means to the end of the namespace. */
export function stateRange(namespace: string, start: string, end: string): { gte: Uint8Array; lt: Uint8Array } {
  const lt = end === '' ? afterPrefix(namespacePrefix(PREFIX.state, namespace)) : stateKey(namespace, end);
  return { gte: stateKey(namespace, start), lt };
}

export function keyOfState(databaseKey: Uint8Array, namespace: string): string {
  const bytes = Buffer.from(databaseKey.buffer, databaseKey.byteOffset, databaseKey.length);
  return bytes.toString('utf8', Buffer.byteLength(namespace) + 2);
}

/** All changes of a key lie together, oldest first. */
export function historyKey(namespace: string, key: string, version: Version): Uint8Array {
  const position = Buffer.alloc(16);
  position.writeBigUInt64BE(version.blockNumber, 0);
  position.writeBigUInt64BE(version.txNumber, 8);
  return Buffer.concat([historyPrefix(namespace, key), position]);
}

export function historyRange(namespace: string, key: string): { gte: Uint8Array; lt: Uint8Array } {
  const prefix = historyPrefix(namespace, key);
  return { gte: prefix, lt: afterPrefix(prefix) };
}

export function blockNumberOfHistory(databaseKey: Uint8Array): bigint {
  const bytes = Buffer.from(databaseKey.buffer, databaseKey.byteOffset, databaseKey.length);
  return bytes.readBigUInt64BE(bytes.length - 16);
}

/** CRC-32 over key and rest ‖ block ‖ transaction ‖ length of metadata ‖ metadata ‖ value. */
export function encodeStateValue(
  databaseKey: Uint8Array,
  version: Version,
  value: Uint8Array,
  metadata: ReadonlyMap<string, Uint8Array> | undefined,
): Uint8Array {
  const metadataBytes = metadata === undefined ? EMPTY : encodeMetadata(metadata);
  const result = Buffer.allocUnsafe(HEADER_BYTES + metadataBytes.length + value.length);
  result.writeBigUInt64BE(version.blockNumber, 4);
  result.writeUInt32BE(Number(version.txNumber), 12);
  result.writeUInt32BE(metadataBytes.length, 16);
  result.set(metadataBytes, HEADER_BYTES);
  result.set(value, HEADER_BYTES + metadataBytes.length);
  result.writeUInt32BE(crc32(result.subarray(4), crc32(databaseKey)), 0);
  return result;
}

const EMPTY = new Uint8Array();
const HEADER_BYTES = 20;

/** Throws DevnetError LEDGER_CORRUPT when the stored bytes are not those that were written under this key. */
export function decodeStateValue(databaseKey: Uint8Array, stored: Uint8Array): StateValue {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== crc32(bytes.subarray(4), crc32(databaseKey))) {
    throw new DevnetError('LEDGER_CORRUPT', 'a value of the state database was altered');
  }
  const metadataEnd = HEADER_BYTES + bytes.readUInt32BE(16);
  return {
    version: { blockNumber: bytes.readBigUInt64BE(4), txNumber: BigInt(bytes.readUInt32BE(12)) },
    value: bytes.subarray(metadataEnd),
    ...(metadataEnd === HEADER_BYTES ? {} : { metadata: decodeMetadata(bytes.subarray(HEADER_BYTES, metadataEnd)) }),
  };
}

function encodeMetadata(metadata: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const message = new KVMetadataWrite();
  message.setEntriesList(
    [...metadata].map(([name, value]) => {
      const entry = new KVMetadataEntry();
      entry.setName(name);
      entry.setValue(value);
      return entry;
    }),
  );
  return message.serializeBinary();
}

function decodeMetadata(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const entries = KVMetadataWrite.deserializeBinary(bytes).getEntriesList();
  return new Map(entries.map((entry) => [entry.getName(), entry.getValue_asU8()]));
}

function namespacePrefix(prefix: number, namespace: string): Buffer {
  return Buffer.concat([Buffer.of(prefix), Buffer.from(namespace), Buffer.of(SEPARATOR)]);
}

/** The key's length keeps one key's history apart from that of a longer key. */
function historyPrefix(namespace: string, key: string): Buffer {
  const keyBytes = Buffer.from(key);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(keyBytes.length);
  return Buffer.concat([namespacePrefix(PREFIX.history, namespace), length, keyBytes]);
}

/** The first key after all that start with `prefix`. */
function afterPrefix(prefix: Buffer): Uint8Array {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  const next = Buffer.from(prefix.subarray(0, end));
  const last = next.at(-1);
  if (last === undefined) throw new RangeError('a prefix never consists of 0xff octets alone');
  next[end - 1] = last + 1;
  return next;
}
