import { decodeRecord, encodeRecords, recordOverheadBytes } from '../src/format/record.ts';
import { decodeSegmentHeader, encodeSegmentHeader, segmentHeaderSizeBytes } from '../src/format/segment-header.ts';
import { decodeStep, encodeStep } from '../src/format/step-encoding.ts';
import { encodeCbor } from '@waymark/protocol';
import { candidateStep, everyKind } from './support/steps.ts';

const tag = Buffer.from('segments');
const start = { seq: 6, digest: new Uint8Array(16).fill(9) };

test('a step of every kind comes back as it was', () => {
  for (const step of everyKind) expect(decodeStep(encodeStep(step))).toEqual(step);
});

test('a record with a leaf of another size comes back as it was', () => {
  const step = structuredClone(candidateStep(1));
  if (step.type !== 'candidate' || step.candidate.content.kind !== 'records') throw new Error('other step');
  const [audited] = step.candidate.content.audited;
  if (audited === undefined) throw new Error('no submission');
  Object.assign(audited.submission, { records: [{ oid: 'short', leaf: new Uint8Array(3) }] });
  expect(decodeStep(encodeStep(step))).toEqual(step);
});

test('a step that a later version wrote is refused as unsupported', () => {
  const step = encodeCbor({ type: 'from-the-future' });
  expect(() => decodeStep(step)).toThrow('a kind that this version does not know');
});

test('records follow one another: each has the next number and the digest of the one before', () => {
  const bodies = [
    { kind: 'step', payload: Buffer.from('one') } as const,
    { kind: 'mark', payload: new Uint8Array(0) } as const,
  ];
  const { bytes, end } = encodeRecords(bodies, tag, start, 5);
  expect(bytes.length).toBe(2 * recordOverheadBytes + 3);
  const first = decodeRecord(Buffer.from(bytes), 0, tag);
  const second = decodeRecord(Buffer.from(bytes), recordOverheadBytes + 3, tag);
  expect(first).toMatchObject({ kind: 'step', seq: 7, proven: 5 });
  expect(second).toMatchObject({ kind: 'mark', seq: 8, proven: 5 });
  expect(Buffer.compare(first?.prev ?? Buffer.alloc(0), start.digest)).toBe(0);
  expect(Buffer.compare(second?.prev ?? Buffer.alloc(0), first?.digest ?? Buffer.alloc(0))).toBe(0);
  expect(end).toEqual({ seq: 8, digest: second?.digest });
});

test('a record of another segment, or with any bit altered, or cut short, is none', () => {
  const { bytes } = encodeRecords([{ kind: 'step', payload: Buffer.from('payload') }], tag, start, 5);
  expect(decodeRecord(Buffer.from(bytes), 0, Buffer.from('another.'))).toBeUndefined();
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const altered = Buffer.from(bytes);
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(decodeRecord(altered, 0, tag)).toBeUndefined();
  }
  for (let size = 0; size < bytes.length; size += 1)
    expect(decodeRecord(Buffer.from(bytes.subarray(0, size)), 0, tag)).toBeUndefined();
});

test('a segment header comes back as it was, and with any bit altered it is none', () => {
  const header = {
    logId: new Uint8Array(16).fill(3),
    segment: 12,
    firstSeq: 2 ** 40,
    proven: 2 ** 40 - 1,
    isBase: true,
    tag: new Uint8Array(8).fill(7),
    prev: start.digest,
  };
  const bytes = Buffer.from(encodeSegmentHeader(header));
  expect(bytes.length).toBe(segmentHeaderSizeBytes);
  expect(decodeSegmentHeader(bytes)).toEqual(header);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const altered = Buffer.from(bytes);
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(decodeSegmentHeader(altered)).toBeUndefined();
  }
});
