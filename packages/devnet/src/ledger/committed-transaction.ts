import type { TxValidationCode } from '../validation/parsed-transaction.ts';
import type { TransactionLocation } from './ledger.ts';

/** block ‖ transaction ‖ validation code. */
export function encodeTransactionLocation(blockNumber: bigint, txNumber: number, validationCode: number): Uint8Array {
  const bytes = Buffer.alloc(13);
  bytes.writeBigUInt64BE(blockNumber, 0);
  bytes.writeUInt32BE(txNumber, 8);
  bytes.writeUInt8(validationCode, 12);
  return bytes;
}

export function decodeTransactionLocation(stored: Uint8Array): TransactionLocation {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  return {
    blockNumber: bytes.readBigUInt64BE(0),
    txNumber: bytes.readUInt32BE(8),
    validationCode: bytes.readUInt8(12) as TxValidationCode,
  };
}

/** Offset and length of an envelope in its block, for the history of a key. */
export function encodeEnvelopeRange(offset: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(offset, 0);
  bytes.writeUInt32BE(length, 4);
  return bytes;
}

export function decodeEnvelopeRange(stored: Uint8Array): { offset: number; length: number } {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  return { offset: bytes.readUInt32BE(0), length: bytes.readUInt32BE(4) };
}
