import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { identity } from 'multiformats/hashes/identity';
import { sha256 as sha256Hasher, sha512 } from 'multiformats/hashes/sha2';
import {
  checkCid,
  cidOfDagCbor,
  cidOfRaw,
  dagCborCode,
  decodeCid,
  isWaymarkError,
  parseCid,
  rawCode,
  verifyBlock,
} from '../../src/index.ts';
import { codeOf, flipped } from '../support/refusal.ts';

const bytes = Buffer.from('a block');
const cid = cidOfRaw(bytes);

test('CIDs equal those of the library', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (content) => {
      const digest = await sha256Hasher.digest(content);
      for (const [ours, theirs] of [
        [cidOfRaw(content), CID.createV1(rawCode, digest)],
        [cidOfDagCbor(content), CID.createV1(dagCborCode, digest)],
      ] as const) {
        expect(ours.equals(theirs)).toBe(true);
        expect(ours.bytes).toEqual(theirs.bytes);
        expect(ours.toString()).toBe(theirs.toString());
        expect(CID.asCID(ours)).toBe(ours);
        expect(parseCid(theirs.toString()).equals(ours)).toBe(true);
        expect(decodeCid(theirs.bytes).multihash.bytes).toEqual(theirs.multihash.bytes);
      }
    }),
    { numRuns: 50 },
  );
});

test('the CID of the empty raw block is the known one', () => {
  expect(cidOfRaw(new Uint8Array(0)).toString()).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');
});

test('a decoded CID does not change with the bytes it was read from', () => {
  const source = new Uint8Array(cid.bytes);
  const read = decodeCid(source);
  source.fill(0);
  expect(read.equals(cid)).toBe(true);
});

test('only the kinds of block that the caller takes are taken', () => {
  expect(codeOf(() => parseCid(cid.toString(), [rawCode]))).toBe('accepted');
  expect(codeOf(() => parseCid(cid.toString(), [dagCborCode]))).toBe('input-invalid');
  expect(codeOf(() => decodeCid(cid.bytes, [dagCborCode]))).toBe('input-invalid');
});

test('a block is taken only for its own CID', () => {
  expect(codeOf(() => verifyBlock(cid, bytes))).toBe('accepted');
  fc.assert(
    fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
      expect(codeOf(() => verifyBlock(cid, flipped(bytes, bit)))).toBe('data-abnormal');
    }),
  );
  expect(codeOf(() => verifyBlock(cid, new Uint8Array(0)))).toBe('data-abnormal');
});

describe('second names and names without a check are refused', () => {
  test('version 0, identity, other hashes and other kinds of block', async () => {
    const digest = createDigest(0x12, cid.multihash.digest);
    const others = [
      CID.createV0(digest),
      CID.createV1(0x70, digest),
      CID.createV1(0x0129, digest),
      CID.createV1(raw.code, identity.digest(bytes)),
      CID.createV1(raw.code, await sha512.digest(bytes)),
      CID.createV1(raw.code, await sha256Hasher.digest(bytes, { truncate: 20 })),
    ];
    for (const other of others) {
      expect(codeOf(() => checkCid(other))).toBe('input-invalid');
      expect(codeOf(() => parseCid(other.toString()))).toBe('input-invalid');
      expect(codeOf(() => decodeCid(other.bytes))).toBe('input-invalid');
      expect(codeOf(() => verifyBlock(other, bytes))).toBe('input-invalid');
    }
  });

  test('texts other than lower-case base32, and texts that are too long to look at', () => {
    const text = cid.toString();
    const digits = Buffer.from(cid.bytes).toString('hex');
    const others = [
      text.toUpperCase(),
      `f${digits}`,
      `${text}=`,
      ` ${text}`,
      `${text}\n`,
      `/ipfs/${text}`,
      `${text.slice(0, -1)}${text.endsWith('z') ? 'y' : 'z'}`,
      '',
      'b',
      'z'.repeat(1_000_000),
    ];
    for (const other of others) expect([other.slice(0, 80), codeOf(() => parseCid(other))]).toEqual([other.slice(0, 80), 'input-invalid']); // prettier-ignore
  });

  test('the text whose last character carries bits that no byte uses', () => {
    // 36 bytes are 57.6 characters: the last one has two bits to spare.
    const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
    const text = cid.toString();
    const last = alphabet.indexOf(text.at(-1) ?? '');
    const twins = [1, 2, 3].map((spare) => text.slice(0, -1) + String(alphabet[(last & ~3) | ((last + spare) & 3)]));
    for (const twin of twins) expect(codeOf(() => parseCid(twin))).toBe('input-invalid');
  });

  test('bytes with something behind, something missing or a number in more bytes than it needs', () => {
    expect(codeOf(() => decodeCid(Buffer.concat([cid.bytes, Uint8Array.of(0)])))).toBe('input-invalid');
    expect(codeOf(() => decodeCid(cid.bytes.subarray(0, 35)))).toBe('input-invalid');
    expect(codeOf(() => decodeCid(new Uint8Array(0)))).toBe('input-invalid');
    const long = Buffer.concat([Uint8Array.of(1, 0xd5, 0x00, 0x12, 0x20), cid.multihash.digest]);
    expect(codeOf(() => decodeCid(long))).toBe('input-invalid');
    expect(codeOf(() => checkCid(new CID(1, rawCode, cid.multihash, long)))).toBe('input-invalid');
  });
});

test('the error names the CID that was asked for', () => {
  try {
    verifyBlock(cid, new Uint8Array(1));
  } catch (error) {
    expect(isWaymarkError(error, 'data-abnormal') && error.details).toEqual({ cid: cid.toString() });
  }
});
