import { createHash } from 'node:crypto';
import type { common } from '@hyperledger/fabric-protos';
import { derInteger, derOctetString, derSequence } from '../asn1/der.ts';

/** What a header hash covers. */
export interface HeaderFields {
  readonly number: bigint;
  readonly previousHash: Uint8Array;
  readonly dataHash: Uint8Array;
}

/** The ASN.1 form of a header that is hashed and signed (protoutil/blockutils.go, BlockHeaderBytes). */
export function headerBytes(header: HeaderFields): Uint8Array {
  return derSequence(derInteger(header.number), derOctetString(header.previousHash), derOctetString(header.dataHash));
}

/** SHA-256 of the header's ASN.1 form: the hash that the next block refers to. */
export function headerHash(header: HeaderFields): Uint8Array {
  return createHash('sha256').update(headerBytes(header)).digest();
}

/** SHA-256 of the concatenated envelopes. */
export function dataHash(envelopes: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const envelope of envelopes) hash.update(envelope);
  return hash.digest();
}

export function headerFieldsOf(header: common.BlockHeader): HeaderFields {
  return {
    number: BigInt(header.getNumber()),
    previousHash: header.getPreviousHash_asU8(),
    dataHash: header.getDataHash_asU8(),
  };
}
