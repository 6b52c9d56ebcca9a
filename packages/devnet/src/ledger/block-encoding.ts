import { common } from '@hyperledger/fabric-protos';

/** Where an envelope lies inside the encoded block. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Header and data of a block as `common.Block` fields 1 and 2: the part that is the same on every peer. */
export interface EncodedHeaderAndData {
  readonly bytes: Uint8Array;
  readonly envelopes: readonly ByteRange[];
}

const HEADER_FIELD = 0x0a;
const DATA_FIELD = 0x12;
const METADATA_FIELD = 0x1a;
const ENVELOPE_FIELD = 0x0a;

/** Blocks are never changed after the orderer made them; all peers of the process store the same bytes. */
const encodedBlocks = new WeakMap<common.Block, EncodedHeaderAndData>();

export function encodeHeaderAndData(block: common.Block): EncodedHeaderAndData {
  let encoded = encodedBlocks.get(block);
  if (encoded === undefined) {
    encoded = encode(block);
    encodedBlocks.set(block, encoded);
  }
  return encoded;
}

function encode(block: common.Block): EncodedHeaderAndData {
  const header = (block.getHeader() ?? new common.BlockHeader()).serializeBinary();
  const envelopes = block.getData()?.getDataList_asU8() ?? [];
  const dataLength = envelopes.reduce((sum, envelope) => sum + fieldLength(envelope.length), 0);
  const bytes = Buffer.allocUnsafe(fieldLength(header.length) + fieldLength(dataLength));
  let offset = writeField(bytes, 0, HEADER_FIELD, header);
  offset = writeTag(bytes, offset, DATA_FIELD, dataLength);
  const ranges: ByteRange[] = [];
  for (const envelope of envelopes) {
    offset = writeField(bytes, offset, ENVELOPE_FIELD, envelope);
    ranges.push({ offset: offset - envelope.length, length: envelope.length });
  }
  return { bytes, envelopes: ranges };
}

/** Complete `common.Block` bytes with the given metadata. */
export function encodeBlock(headerAndData: EncodedHeaderAndData, metadata: common.BlockMetadata): Uint8Array {
  const metadataBytes = metadata.serializeBinary();
  const bytes = Buffer.allocUnsafe(headerAndData.bytes.length + fieldLength(metadataBytes.length));
  bytes.set(headerAndData.bytes);
  writeField(bytes, headerAndData.bytes.length, METADATA_FIELD, metadataBytes);
  return bytes;
}

/** The header of an encoded block, without decoding the rest; undefined when there is none. */
export function decodeHeader(blockBytes: Uint8Array): common.BlockHeader | undefined {
  if (blockBytes[0] !== HEADER_FIELD) return undefined;
  const length = blockBytes[1];
  // Two hashes and a number never need a second length octet.
  if (length === undefined || length >= 0x80 || blockBytes.length < 2 + length) return undefined;
  try {
    return common.BlockHeader.deserializeBinary(blockBytes.subarray(2, 2 + length));
  } catch {
    return undefined;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

function fieldLength(contentLength: number): number {
  return 1 + varintLength(contentLength) + contentLength;
}

function writeTag(target: Uint8Array, offset: number, tag: number, length: number): number {
  target[offset++] = tag;
  let rest = length;
  while (rest >= 0x80) {
    target[offset++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[offset++] = rest;
  return offset;
}

function writeField(target: Uint8Array, offset: number, tag: number, content: Uint8Array): number {
  const start = writeTag(target, offset, tag, content.length);
  target.set(content, start);
  return start + content.length;
}
