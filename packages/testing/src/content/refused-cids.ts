import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { sampleBytes } from './sample-blocks.ts';

const digest = sampleBytes('refused', 32);

/** CIDs the product does not use, by what is wrong with each. */
export const refusedCids: readonly (readonly [string, CID])[] = [
  ['an identity CID', CID.createV1(0x55, create(0x00, Uint8Array.from([1, 2, 3])))],
  ['a v0 CID', CID.createV0(create(0x12, digest))],
  ['a sha2-512 CID', CID.createV1(0x55, create(0x13, sampleBytes('refused', 64)))],
  ['a truncated sha2-256 CID', CID.createV1(0x55, create(0x12, digest.subarray(0, 20)))],
  ['a dag-json CID', CID.createV1(0x0129, create(0x12, digest))],
  ['a git CID', CID.createV1(0x78, create(0x12, digest))],
];
