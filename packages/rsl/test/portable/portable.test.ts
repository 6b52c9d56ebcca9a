import fc from 'fast-check';
import { decodeCbor, encodeCbor, isWaymarkError } from '@waymark/protocol';
import {
  decodeAnchor,
  decodeConfiguration,
  decodeEquivocation,
  decodeFork,
  decodeHeader,
  decodeHeldBackClaim,
  encodeAnchor,
  encodeConfiguration,
  encodeEquivocation,
  encodeFork,
  encodeHeldBackClaim,
  headerBytes,
  maxLedgerMessageBytes,
} from '../../src/index.ts';
import { anchors, claims, configurationProofs, equivocations, forks, headers } from './arbitraries.ts';

interface Format<T> {
  readonly name: string;
  readonly values: fc.Arbitrary<T>;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

/** Hides the type of one format's value, so that all can stand in one list. */
function checked<T>({ name, values, encode, decode }: Format<T>) {
  return {
    name,
    samples: fc.sample(values, { numRuns: 3, seed: 7 }).map(encode),
    decode: decode as (bytes: Uint8Array) => unknown,
    roundTrip: () =>
      fc.assert(
        fc.property(values, (value) => {
          const bytes = encode(value);
          expect(decode(bytes)).toEqual(value);
          expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0);
        }),
        { numRuns: 20 },
      ),
    again: (bytes: Uint8Array) => encode(decode(bytes)),
  };
}

const messages = [
  checked({ name: 'ledger-anchor', values: anchors, encode: encodeAnchor, decode: decodeAnchor }),
  checked({
    name: 'ledger-configuration',
    values: configurationProofs,
    encode: encodeConfiguration,
    decode: decodeConfiguration,
  }),
  checked({
    name: 'ledger-equivocation',
    values: equivocations,
    encode: encodeEquivocation,
    decode: decodeEquivocation,
  }),
  checked({ name: 'ledger-fork', values: forks, encode: encodeFork, decode: decodeFork }),
  checked({ name: 'ledger-held-back', values: claims, encode: encodeHeldBackClaim, decode: decodeHeldBackClaim }),
];
const all = [checked({ name: 'header', values: headers, encode: headerBytes, decode: decodeHeader }), ...messages];

/** Code of the refusal, or 'accepted'; any other error is a fault. */
function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

test.each(all)('$name: every value comes back as it was', ({ roundTrip }) => {
  roundTrip();
});

test.each(all)('$name: whatever bytes are read are the ones that would be written: no second form', (format) => {
  const bytes = fc.constantFrom(...format.samples);
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (sample, at, change) => {
      const changed = new Uint8Array(sample);
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ change;
      if (codeOf(() => format.decode(changed)) !== 'accepted') return;
      expect(Buffer.compare(format.again(changed), changed)).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test.each(messages)('$name: another type, another version, a field more, a field less are refused', (format) => {
  const [sample = new Uint8Array()] = format.samples;
  const map = decodeCbor(sample) as Map<string, never>;
  const codeWith = (key: string, value: unknown) => {
    const changed = new Map<string, unknown>(map);
    if (value === undefined) changed.delete(key);
    else changed.set(key, value);
    return codeOf(() => format.decode(encodeCbor(changed as Map<string, never>)));
  };
  expect(codeWith('type', format.name)).toBe('accepted');
  for (const { name } of messages)
    if (name !== format.name) expect([name, codeWith('type', name)]).toEqual([name, 'input-invalid']);
  expect(codeWith('v', 2)).toBe('input-invalid');
  expect(codeWith('note', 1)).toBe('input-invalid');
  for (const key of map.keys()) {
    expect([key, codeWith(key, undefined)]).toEqual([key, 'input-invalid']);
    expect([key, codeWith(key, 'x'.repeat(600))]).toEqual([key, 'input-invalid']);
  }
});

test.each(messages)('$name: the messages of the others are refused', ({ decode, name }) => {
  for (const other of messages) {
    for (const sample of other.samples)
      expect([other.name, codeOf(() => decode(sample))]).toEqual([
        other.name,
        other.name === name ? 'accepted' : 'input-invalid',
      ]);
  }
  expect(codeOf(() => decode(new Uint8Array(maxLedgerMessageBytes + 1)))).toBe('limit-exceeded');
});

/** Whole items that are no maps: null, lists, numbers, texts, links. */
const small = fc
  .constantFrom('f6', 'f5', '80', '8100', 'a0', '00', '20', '40', '60', 'd82a450001711220')
  .map((hex) => Buffer.from(hex, 'hex'));

test.each(all)('$name: any bytes are read or refused with a typed error', ({ decode }) => {
  fc.assert(
    fc.property(fc.oneof(small, fc.uint8Array({ maxLength: 200 })), (bytes) =>
      expect(codeOf(() => decode(bytes))).not.toBe('accepted'),
    ),
    { numRuns: 100 },
  );
});
