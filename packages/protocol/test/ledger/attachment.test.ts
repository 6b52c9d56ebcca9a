import fc from 'fast-check';
import { cidOfRaw, decodeLedgerAttachment, encodeLedgerAttachment, type LedgerAttachment } from '../../src/index.ts';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const attachments = fc.integer({ min: 1, max: 6 }).chain((count): fc.Arbitrary<LedgerAttachment> =>
  fc.record({
    statement: fc.uint8Array({ maxLength: 64 }),
    cids: fc.array(
      bytesOf(4).map((content) => cidOfRaw(content).bytes),
      { minLength: count, maxLength: count },
    ),
    tags: fc.array(bytesOf(32), { minLength: count, maxLength: count }),
    tokens: fc.array(fc.array(bytesOf(32), { maxLength: 3 }), { minLength: count, maxLength: count }),
    keys: fc.array(
      fc.record({ consignmentOid: bytesOf(16), epoch: fc.nat(), wrapped: fc.uint8Array({ maxLength: 80 }) }),
      { maxLength: 2 },
    ),
  }),
);

test('what is encoded is read back, and encoded again gives the same bytes', () => {
  fc.assert(
    fc.property(attachments, (attachment) => {
      const bytes = encodeLedgerAttachment(attachment);
      const read = decodeLedgerAttachment(bytes, attachment.cids.length);
      expect(encodeLedgerAttachment(read)).toEqual(bytes);
      expect(read.tokens.map((own) => own.length)).toEqual(attachment.tokens.map((own) => own.length));
    }),
  );
});

test('an attachment for another number of records is refused', () => {
  fc.assert(
    fc.property(attachments, fc.integer({ min: 1, max: 8 }), (attachment, count) => {
      fc.pre(count !== attachment.cids.length);
      expect(() => decodeLedgerAttachment(encodeLedgerAttachment(attachment), count)).toThrow(/attachment/);
    }),
  );
});

test('a CID of another kind than an envelope has is refused', () => {
  const cid = Uint8Array.from(cidOfRaw(new Uint8Array(1)).bytes);
  cid[1] = 0x71;
  const bytes = encodeLedgerAttachment({
    statement: new Uint8Array(0),
    cids: [cid],
    tags: [new Uint8Array(32)],
    tokens: [[]],
    keys: [],
  });
  expect(() => decodeLedgerAttachment(bytes, 1)).toThrow();
});
