import { createHash } from 'node:crypto';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { TestIdentity } from './identities.ts';

/** A batch as the contract takes it. */
export interface TestBatch {
  readonly outlet: string;
  readonly seq: number;
  readonly batchHash: string;
  readonly prev: string;
  readonly root: string;
  readonly cid: string;
  readonly count: number;
  readonly collectedFrom: string;
  readonly collectedTo: string;
  readonly certificate: string;
}

export const zeroHash = '0'.repeat(64);

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The CID of a dag-cbor block with this digest, by the multiformats library. */
export function cidOf(digest: Uint8Array, codec = 0x71): CID {
  return CID.createV1(codec, Digest.create(0x12, digest));
}

/** The batch with this sequence number of an outlet; the same arguments always give the same batch. */
export function batchOf(outlet: TestIdentity, seq: number, changes: Partial<TestBatch> = {}): TestBatch {
  const hashOf = (number: number): string =>
    sha256(`${outlet.mspId}/${outlet.enrolmentId}/${String(number)}`).toString('hex');
  return {
    outlet: outlet.enrolmentId,
    seq,
    batchHash: hashOf(seq),
    prev: seq === 1 ? zeroHash : hashOf(seq - 1),
    root: sha256(`root ${hashOf(seq)}`).toString('hex'),
    cid: cidOf(sha256(`block ${hashOf(seq)}`)).toString(),
    count: 3,
    collectedFrom: '2026-01-02T03:04:05.006Z',
    collectedTo: '2026-01-02T03:04:06.000Z',
    certificate: outlet.digest,
    ...changes,
  };
}

/** Consecutive batches of an outlet. */
export function batchesOf(outlet: TestIdentity, fromSeq: number, count: number): readonly TestBatch[] {
  return Array.from({ length: count }, (_, index) => batchOf(outlet, fromSeq + index));
}
