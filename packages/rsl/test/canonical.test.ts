import { decode } from '@ipld/dag-cbor';
import { cidOfRaw, inclusionProof, leafHash, toHex, verifyInclusion, WaymarkError } from '@waymark/protocol';
import { createCrypto, type Header, headerBytes, noBlock, statementBytes } from '../src/index.ts';

const body = cidOfRaw(Buffer.from('body')).toString();
const crypto = createCrypto({ bodyId: () => body, signBytes: (bytes) => toHex(bytes), verifyBytes: () => true });
const header: Header = {
  version: 1,
  ledger: 'firm/channel',
  epoch: 1,
  height: 1,
  term: 2,
  prev: noBlock,
  departments: '11'.repeat(32),
  root: '22'.repeat(32),
  accepted: 3,
  rejected: 1,
  timestampMs: 1_700_000_000_000,
  body,
};

test('a block hash is the CID of the unsigned dag-cbor header, and changes with each of its fields', () => {
  const hash = crypto.headerHash(header);
  expect(hash).toMatch(/^bafyrei[a-z2-7]{52}$/);
  const changes: Partial<Header>[] = [
    { ledger: 'other' },
    { epoch: 2 },
    { height: 2 },
    { term: 3 },
    { prev: hash },
    { departments: '12'.repeat(32) },
    { root: '23'.repeat(32) },
    { accepted: 4 },
    { rejected: 2 },
    { timestampMs: 1 },
    { body: cidOfRaw(Buffer.from('other')).toString() },
  ];
  const hashes = changes.map((change) => crypto.headerHash({ ...header, ...change }));
  expect(new Set([hash, ...hashes]).size).toBe(changes.length + 1);
});

test('in a header the block before and the body are links, the digests bytes', () => {
  const hash = crypto.headerHash(header);
  const decoded: Record<string, unknown> = decode(headerBytes({ ...header, prev: hash }));
  expect(String(decoded['prev'])).toBe(hash);
  expect(String(decoded['body'])).toBe(body);
  expect(decoded['root']).toHaveLength(32);
  expect(decode<Record<string, unknown>>(headerBytes(header))['prev']).toBeNull();
});

test('a header that names no CID cannot be hashed', () => {
  expect(() => headerBytes({ ...header, prev: 'bafy' })).toThrow(WaymarkError);
});

test('trees are those of RFC 6962: a leaf of a block has a path that protocol verifies', () => {
  const leaves = ['a', 'b', 'c'].map((text) => crypto.leafHash([text]));
  expect(leaves[0]).toEqual(leafHash(statementBytes(['a'])));
  const root = Buffer.from(crypto.merkleRoot(leaves), 'hex');
  expect(verifyInclusion({ size: 3, root }, 2, leaves[2] as Uint8Array, inclusionProof(leaves, 2))).toBe(true);
  expect(crypto.merkleRoot([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('statements of different kinds never have the same bytes', () => {
  expect(statementBytes(['a', 1])).not.toEqual(statementBytes(['a', '1']));
  expect(statementBytes([['a'], 'b'])).not.toEqual(statementBytes(['a', 'b']));
});
