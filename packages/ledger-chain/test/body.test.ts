import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { cidOfDagCbor, cidOfRaw, encodeLedgerAttachment, sha256, toHex } from '@waymark/protocol';
import type { AuditedSubmission, Content } from '@waymark/rsl';
import type { CID } from 'multiformats/cid';
import { encodeBodyRoot } from '../src/body/body-root.ts';
import { type BodyContent, createBodyCipher } from '../src/index.ts';
import { withCode } from './support/with-code.ts';

const ledger = 'firm/channel';
const indexRoot = new Uint8Array(32).fill(3);
const cipher = () => createBodyCipher({ indexRoot, ledger });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = digest.map(toHex);
const name = fc.string({ maxLength: 12, unit: 'grapheme' });

const audited: fc.Arbitrary<AuditedSubmission> = fc
  .record({
    department: name,
    seq: fc.nat(),
    prev: fc.oneof(hex, fc.constant('')),
    root: hex,
    hash: hex,
    oids: fc.array(fc.oneof({ weight: 9, arbitrary: hex }, { weight: 1, arbitrary: name }), { maxLength: 6 }),
    attachment: fc.uint8Array({ maxLength: 40 }),
    signature: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      name,
    ),
    leaf: digest,
    reason: name,
  })
  .map(({ oids, leaf, reason, ...rest }) => ({
    submission: { ledger, ...rest, records: oids.map((oid) => ({ oid, leaf })) },
    rejected: oids.flatMap((_oid, index) => (index % 2 === 1 ? [{ index, reason }] : [])),
  }));
const contents: fc.Arbitrary<Content> = fc.oneof(
  fc.array(audited, { maxLength: 3 }).map((items): Content => ({ kind: 'records', audited: items })),
  fc.constant<Content>({ kind: 'empty' }),
  fc
    .record({ epoch: fc.nat(), members: fc.array(name, { maxLength: 4 }), colluding: fc.option(fc.nat()) })
    .map(({ epoch, members, colluding }): Content => ({
      kind: 'configuration',
      configuration: {
        epoch,
        members,
        learners: members.slice(1),
        eligible: members.slice(0, 1),
        profile: colluding === null ? { center: 'trusted' } : { center: 'lying', colluding },
      },
    })),
);
const bodies = fc.record({ ledger: fc.constant(ledger), salt: hex, content: contents });

const plain = (body: BodyContent): unknown =>
  JSON.parse(JSON.stringify(body, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value)));

test('every content is read back, and every member makes the same bytes of it', () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const encoded = cipher().encodeBody(body);
      expect(cipher().encodeBody(structuredClone(body))).toEqual(encoded);
      const [root, ...parts] = encoded.blocks;
      const read = cipher().decodeBody(
        root as (typeof encoded.blocks)[number],
        parts.map(({ bytes }) => bytes),
      );
      expect(plain(read)).toEqual(plain(body));
      expect(cipher().encodeBody(read).cid.toString()).toBe(encoded.cid.toString());
    }),
    { numRuns: 200 },
  );
});

test('a body is named by content and salt, encoded once, and encoded again after it was released', () => {
  const own = cipher();
  const content: Content = { kind: 'empty' };
  const first = own.encodeBody({ ledger, salt: 'a', content });
  expect(own.encodeBody({ ledger, salt: 'a', content })).toBe(first);
  expect(own.encodeBody({ ledger, salt: 'b', content }).cid.equals(first.cid)).toBe(false);
  own.encodeBody({ ledger, salt: 'a', content });
  own.release({ ledger, salt: 'a', content });
  expect(own.encodeBody({ ledger, salt: 'a', content })).toEqual(first);
});

test('an altered byte of root or parts is refused, and so is another key or another ledger', () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, flip) => {
      const { blocks } = cipher().encodeBody(body);
      const altered = blocks.map(({ cid, bytes }) => ({ cid, bytes: Uint8Array.from(bytes) }));
      let place = at % altered.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const target = altered.find(({ bytes }) => {
        if (place < bytes.length) return true;
        place -= bytes.length;
        return false;
      }) as (typeof altered)[number];
      target.bytes[place] = (target.bytes[place] as number) ^ flip;
      const decode = (list: typeof altered, reader = cipher()) =>
        reader.decodeBody(
          list[0] as (typeof altered)[number],
          list.slice(1).map(({ bytes }) => bytes),
        );
      expect(() => decode(altered)).toThrow(withCode('data-abnormal'));
      const intact = blocks.map(({ cid, bytes }) => ({ cid, bytes: Uint8Array.from(bytes) }));
      expect(() => decode(intact.slice(0, -1))).toThrow(withCode('data-abnormal'));
      const otherKey = createBodyCipher({ indexRoot: new Uint8Array(32), ledger });
      expect(() => decode(intact, otherKey)).toThrow(withCode('data-abnormal'));
      const otherLedger = createBodyCipher({ indexRoot, ledger: 'other/channel' });
      expect(() => decode(intact, otherLedger)).toThrow(withCode('data-abnormal'));
    }),
    { numRuns: 200 },
  );
});

function batch(records: number, rejected: AuditedSubmission['rejected'] = []): Content {
  const numbers = Array.from({ length: records }, (_none, number) => sha256(Buffer.from(String(number))));
  const attachment = encodeLedgerAttachment({
    statement: new Uint8Array(300),
    cids: numbers.map((bytes) => cidOfRaw(bytes).bytes),
    tags: numbers,
    tokens: numbers.map((bytes) => [bytes, bytes, bytes]),
    keys: [],
  });
  const submission = {
    ledger,
    department: 'outlet-1',
    seq: 1,
    prev: '',
    root: toHex(new Uint8Array(32)),
    hash: toHex(new Uint8Array(32)),
    records: numbers.map((bytes) => ({ oid: toHex(bytes), leaf: bytes })),
    attachment,
    signature: 'AAAA',
  };
  return { kind: 'records', audited: [{ submission, rejected }] };
}

test('a block of 10,000 records fits: parts of at most 1 MiB, a root of at most 2 MiB that links every envelope', () => {
  const { blocks } = cipher().encodeBody({ ledger, salt: 's', content: batch(10_000) });
  const [root, ...parts] = blocks;
  expect(parts.length).toBeGreaterThan(1);
  for (const { bytes } of parts) expect(bytes.length).toBeLessThanOrEqual(1024 * 1024);
  expect(root?.bytes.length).toBeLessThan(2 * 1024 * 1024);
});

test('the root links the envelopes of accepted records in byte order, as a dag-cbor encoder writes it', () => {
  for (const records of [1, 5, 23, 24, 40, 255, 256, 300]) {
    const content = batch(records, [{ index: 0, reason: 'envelope-missing' }]);
    const { blocks } = cipher().encodeBody({ ledger, salt: 's', content });
    const links = Array.from({ length: records - 1 }, (_none, number) =>
      cidOfRaw(sha256(Buffer.from(String(number + 1)))),
    ).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    const parts = blocks.slice(1).map(({ cid }) => cid);
    expect(Buffer.from(blocks[0]?.bytes ?? [])).toEqual(
      Buffer.from(encode({ v: 1, type: 'waymark/rsl-body', ledger, parts, links })),
    );
    const again = encodeBodyRoot({ ledger, parts, links: links.map((link: CID) => link.bytes) });
    expect(Buffer.from(again)).toEqual(Buffer.from(blocks[0]?.bytes ?? []));
  }
});

test('a root that links other envelopes than its records have is refused', () => {
  const own = cipher();
  const { blocks } = own.encodeBody({ ledger, salt: 's', content: batch(3) });
  const [root, ...parts] = blocks;
  const cids = own.partsOf(root as (typeof blocks)[number]);
  const envelopes = [0, 1, 2].map((number) => cidOfRaw(sha256(Buffer.from(String(number)))).bytes);
  envelopes.sort((a, b) => Buffer.compare(a, b));
  const decode = (links: readonly Uint8Array[]) => {
    const bytes = encodeBodyRoot({ ledger, parts: cids, links });
    return own.decodeBody(
      { cid: cidOfDagCbor(bytes), bytes },
      parts.map((part) => part.bytes),
    );
  };
  expect(decode(envelopes).salt).toBe('s');
  for (const links of [
    envelopes.slice(1),
    envelopes.toReversed(),
    [...envelopes, cidOfRaw(new Uint8Array(1)).bytes],
    [],
  ])
    expect(() => decode(links)).toThrow(withCode('data-abnormal'));
});

test('outlet names and oids are not to be found in what is stored', () => {
  const { blocks } = cipher().encodeBody({ ledger, salt: 's', content: batch(3) });
  const all = Buffer.concat(blocks.map(({ bytes }) => bytes));
  expect(all.includes('outlet-1')).toBe(false);
  expect(all.includes(Buffer.from(sha256(Buffer.from('0'))))).toBe(false);
});
