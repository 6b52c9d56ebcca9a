import { randomBytes } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import {
  type BatchLeaf,
  batchLeafData,
  batchLeafHash,
  cidOfDagCbor,
  cidOfRaw,
  decodeBatchBlock,
  encodeBatchBlock,
  encodeCbor,
  leafHash,
  maxBatchBlockBytes,
  maxBatchRecords,
} from '../../src/index.ts';
import { randomLeaf } from '../support/batch.ts';
import { codeOf, flipped } from '../support/refusal.ts';

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const leaf: fc.Arbitrary<BatchLeaf> = fc
  .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes(8))
  .map(([recordOid, content]) => ({ recordOid, cid: cidOfRaw(content) }));
const block = fc.record({
  statement: bytes(700),
  signature: bytes(700),
  leaves: fc.array(leaf, { minLength: 1, maxLength: 300, size: 'max' }),
});

const plain = (leaves: readonly BatchLeaf[]): unknown => leaves.map(({ recordOid, cid }) => [recordOid, cid]);

/** A block by the general encoder, with some fields replaced. */
function blockWith(change: Readonly<Record<string, unknown>>): Uint8Array {
  return dagCbor.encode({
    v: 1,
    type: 'waymark/batch',
    statement: new Uint8Array(300),
    signature: new Uint8Array(70),
    leaves: plain([randomLeaf()]),
    ...change,
  });
}

test('a block comes back as it was', () => {
  fc.assert(
    fc.property(block, (batch) => {
      const encoded = encodeBatchBlock(batch);
      const read = decodeBatchBlock(encoded.bytes);
      expect(new Uint8Array(read.statement)).toEqual(batch.statement);
      expect(new Uint8Array(read.signature)).toEqual(batch.signature);
      expect(read.leaves.length).toBe(batch.leaves.length);
      for (const [index, { recordOid, cid }] of read.leaves.entries()) {
        expect(new Uint8Array(recordOid)).toEqual(batch.leaves[index]?.recordOid);
        expect(cid.equals(batch.leaves[index]?.cid)).toBe(true);
      }
      expect(encoded.cid.equals(cidOfDagCbor(encoded.bytes))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('to any IPLD reader it is a map whose leaves are links', () => {
  const leaves = [randomLeaf(), randomLeaf()];
  const encoded = encodeBatchBlock({ statement: Uint8Array.of(1), signature: Uint8Array.of(2), leaves });
  const read = dagCbor.decode<{ leaves: [Uint8Array, CID][] }>(encoded.bytes);
  expect(read).toMatchObject({ v: 1, type: 'waymark/batch', statement: Uint8Array.of(1), signature: Uint8Array.of(2) });
  expect(read.leaves.map(([, link]) => link.toString())).toEqual(leaves.map(({ cid }) => cid.toString()));
});

test('lengths around every size of head are read', () => {
  for (const size of [1, 23, 24, 255, 256, 257]) {
    const leaves = Array.from({ length: size }, randomLeaf);
    const batch = { statement: new Uint8Array(size), signature: new Uint8Array(size - 1), leaves };
    const read = decodeBatchBlock(encodeBatchBlock(batch).bytes);
    expect([read.statement.length, read.signature.length, read.leaves.length]).toEqual([size, size - 1, size]);
  }
});

test('bytes that are taken are exactly those that the general codec writes for their content', () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat({ max: 3 }), (batch, bit, kind) => {
      const whole = encodeBatchBlock(batch).bytes;
      const cut = bit % whole.length;
      const changed = [
        flipped(whole, bit),
        whole.subarray(0, cut),
        Buffer.concat([whole, Uint8Array.of(bit & 255)]),
        Buffer.concat([whole.subarray(0, cut), Uint8Array.of(bit & 255), whole.subarray(cut)]),
      ][kind] as Uint8Array;
      let read: ReturnType<typeof decodeBatchBlock>;
      try {
        read = decodeBatchBlock(changed);
      } catch {
        expect(codeOf(() => decodeBatchBlock(changed))).toBe('input-invalid');
        return;
      }
      expect(Buffer.from(encodeBatchBlock(read).bytes).equals(changed)).toBe(true);
      expect(Buffer.from(dagCbor.encode(dagCbor.decode(changed))).equals(changed)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('lengths in more bytes than they need are refused', () => {
  const whole = Buffer.from(encodeBatchBlock({ statement: new Uint8Array(3), signature: new Uint8Array(70), leaves: [randomLeaf()] }).bytes); // prettier-ignore
  const respelled = (after: string, from: string, to: string): Uint8Array => {
    const digits = whole.toString('hex');
    const at = digits.indexOf(Buffer.from(after).toString('hex')) + after.length * 2;
    expect(digits.slice(at, at + from.length)).toBe(from);
    return Buffer.from(digits.slice(0, at) + to + digits.slice(at + from.length), 'hex');
  };
  for (const bytes of [
    respelled('leaves', '81', '9801'),
    respelled('leaves', '81', '990001'),
    respelled('leaves', '81', '9a00000001'),
    respelled('signature', '5846', '590046'),
    respelled('signature', '5846', '5a00000046'),
    respelled('statement', '43', '5803'),
    respelled('leaves', '81', '9f'),
  ]) {
    expect(codeOf(() => decodeBatchBlock(bytes))).toBe('input-invalid');
  }
});

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['another version', { v: 2 }],
  ['another type', { type: 'waymark/other' }],
  ['a further field', { more: 1 }],
  ['a statement that is a text', { statement: 'x' }],
  ['a signature that is missing', { signature: undefined }],
  ['no leaves', { leaves: [] }],
  ['leaves that are no list', { leaves: {} }],
  ['a leaf of one part', { leaves: [[randomBytes(32)]] }],
  ['a leaf of three parts', { leaves: [[randomBytes(32), randomLeaf().cid, 1]] }],
  ['an oid of another length', { leaves: [[randomBytes(31), randomLeaf().cid]] }],
  ['a CID that is a text', { leaves: [[randomBytes(32), randomLeaf().cid.toString()]] }],
  ['a CID of another kind of block', { leaves: [[randomBytes(32), cidOfDagCbor(randomBytes(9))]] }],
  ['a CID of version 0', { leaves: [[randomBytes(32), CID.createV0(createDigest(0x12, randomBytes(32)))]] }],
])('a block with %s is refused', (_rule, change) => {
  const known = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const whole = dagCbor.decode<Record<string, unknown>>(blockWith(known));
  for (const [key, value] of Object.entries(change)) if (value === undefined) Reflect.deleteProperty(whole, key);
  expect(codeOf(() => decodeBatchBlock(dagCbor.encode(whole)))).toBe('input-invalid');
});

test('a block that claims more leaves than a batch may hold is refused before they are read', () => {
  const claims = Buffer.concat([blockWith({}).subarray(0, 33), Uint8Array.of(0x9b, ...new Uint8Array(8).fill(255))]);
  expect(codeOf(() => decodeBatchBlock(claims))).toBe('input-invalid');
  const one = randomLeaf();
  const leaves = Array.from({ length: maxBatchRecords + 1 }, () => one);
  const bytesOfAll = encodeBatchBlock({ statement: new Uint8Array(1), signature: new Uint8Array(1), leaves }).bytes;
  expect(codeOf(() => decodeBatchBlock(bytesOfAll))).toBe('input-invalid');
});

test('a block that not every IPFS node would pass on is neither written nor read', () => {
  const big = { statement: new Uint8Array(maxBatchBlockBytes), signature: new Uint8Array(1), leaves: [randomLeaf()] };
  expect(codeOf(() => encodeBatchBlock(big))).toBe('limit-exceeded');
  expect(codeOf(() => decodeBatchBlock(new Uint8Array(maxBatchBlockBytes + 1)))).toBe('limit-exceeded');
});

test('the largest batch fits a block', () => {
  const one = randomLeaf();
  const leaves = Array.from({ length: maxBatchRecords }, () => one);
  expect(codeOf(() => encodeBatchBlock({ statement: new Uint8Array(4_096), signature: new Uint8Array(4_096), leaves }))).toBe('accepted'); // prettier-ignore
});

test('a leaf hash is the RFC 6962 hash of cbor["waymark/batch-leaf/v1", oid, CID bytes]', () => {
  fc.assert(
    fc.property(leaf, ({ recordOid, cid }) => {
      const data = encodeCbor(['waymark/batch-leaf/v1', recordOid, cid.bytes]);
      expect(batchLeafData({ recordOid, cid })).toEqual(data);
      expect(batchLeafHash({ recordOid, cid })).toEqual(leafHash(data));
    }),
  );
  const odd = { recordOid: randomBytes(16), cid: randomLeaf().cid };
  expect(batchLeafHash(odd)).toEqual(leafHash(batchLeafData(odd)));
});
