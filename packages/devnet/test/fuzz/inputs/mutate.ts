import type { Random } from './random.ts';
import { encodeFields, encodeVarint, I32, I64, LEN, parseFields, VARINT, type WireField } from './wire.ts';

/** What can be done to a message, with the name that a failure is reported by. */
export interface Mutation {
  readonly name: string;
  readonly bytes: Buffer;
}

type Change = (random: Random, siblings: WireField[], index: number, field: WireField) => void;

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
/** Overlong forms, surrogates, a continuation without a start, a cut sequence, beyond U+10FFFF, NUL, noncharacters. */
const HOSTILE_TEXTS: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe, 0xfd]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xed, 0xb0, 0x80]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0x80]),
  Buffer.from([0xf0, 0x9f, 0x92]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from('\0\u{10ffff}\u{fffe}'),
  Buffer.from('%s%n%00../../\r\n\x1b[31m'),
  Buffer.from('__proto__'),
  Buffer.from('constructor'),
];
const EXTREMES = [0n, 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, MAX_UINT64];

/** Depth of a message that only holds itself: beyond what any stack takes. */
const DEEP = 12_000;

const CHANGES: Readonly<Record<string, Change>> = {
  'flip bits': (random, _siblings, _index, field) => {
    const value = Buffer.from(contentOf(field));
    for (let i = random.below(4); i >= 0 && value.length > 0; i--) {
      const at = random.below(value.length);
      value[at] = (value[at] ?? 0) ^ (1 << random.below(8));
    }
    setContent(field, value);
  },
  truncate: (random, _siblings, _index, field) => {
    const value = contentOf(field);
    setContent(field, value.subarray(0, random.below(value.length + 1)));
  },
  empty: (_random, _siblings, _index, field) => setContent(field, Buffer.alloc(0)),
  'drop field': (_random, siblings, index) => void siblings.splice(index, 1),
  duplicate: (random, siblings, index, field) => {
    const copies = random.pick([1, 2, 50, 1000]);
    const bounded = contentOf(field).length * copies > 200_000 ? 1 : copies;
    siblings.splice(index, 0, ...Array.from({ length: bounded }, () => ({ ...field })));
  },
  swap: (random, siblings, index, field) => {
    const other = random.below(siblings.length);
    const there = siblings[other];
    if (there === undefined) return;
    siblings[other] = field;
    siblings[index] = there;
  },
  'other number': (random, _siblings, _index, field) =>
    void (field.number = random.pick([1, 2, 3, 7, 15, 16, 1000, 2 ** 29 - 1])),
  'wrong wire type': (random, _siblings, _index, field) => void (field.type = random.pick([0, 1, 2, 3, 4, 5, 6, 7])),
  'extreme number': (random, _siblings, _index, field) => {
    field.type = VARINT;
    field.children = undefined;
    field.value = encodeVarint(random.pick(EXTREMES));
  },
  'endless varint': (random, _siblings, _index, field) => {
    field.type = VARINT;
    field.value = Buffer.alloc(random.pick([9, 10, 11, 500]), 0xff);
  },
  'length overflow': (random, _siblings, _index, field) => {
    field.type = LEN;
    field.claimedLength = random.pick([
      encodeVarint(contentOf(field).length + 1),
      encodeVarint(2 ** 31 - 1),
      encodeVarint(2n ** 32n - 1n),
      encodeVarint(MAX_UINT64),
      Buffer.alloc(11, 0x80),
    ]);
  },
  'hostile text': (random, _siblings, _index, field) => {
    field.type = LEN;
    setContent(
      field,
      Buffer.concat([random.chance(0.5) ? contentOf(field) : Buffer.alloc(0), random.pick(HOSTILE_TEXTS)]),
    );
  },
  'random bytes': (random, _siblings, _index, field) => {
    field.type = LEN;
    setContent(field, random.bytes(random.below(64)));
  },
  large: (random, _siblings, _index, field) => {
    field.type = LEN;
    setContent(field, Buffer.alloc(random.pick([1_000, 70_000, 300_000]), random.pick([0, 0x41, 0x0a, 0xff])));
  },
  'deep nesting': (random, _siblings, _index, field) => {
    field.type = LEN;
    setContent(field, nest(random.pick([1, 2, 3, field.number]), random.pick([100, DEEP])));
  },
  'unknown fields': (random, siblings, index) => {
    const unknown = (): WireField => {
      const type = random.pick([VARINT, I64, I32, LEN]);
      const value = type === VARINT ? encodeVarint(random.below(1e6)) : random.bytes(type === I64 ? 8 : 4);
      return { number: 100 + random.below(1e6), type, value, children: undefined };
    };
    siblings.splice(index, 0, ...Array.from({ length: random.pick([1, 200]) }, unknown));
  },
};

const NAMES = Object.keys(CHANGES);

/** Damages one to three places of a message, at any level of nesting. */
export function mutate(random: Random, original: Uint8Array): Mutation {
  const fields = parseFields(Buffer.from(original));
  if (fields === undefined || fields.length === 0)
    return { name: 'random bytes', bytes: random.bytes(random.below(200)) };
  const done: string[] = [];
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--) {
    const { siblings, path } = somewhere(random, fields);
    const index = random.below(siblings.length);
    const field = siblings[index];
    if (field === undefined) continue;
    const name = random.pick(NAMES);
    const at = [...path, field.number].join('.');
    CHANGES[name]?.(random, siblings, index, field);
    done.push(`${name} at ${at}`);
  }
  return { name: done.join(', '), bytes: encodeFields(fields) };
}

/** Nothing of structure kept: cut, prolonged, flipped, or noise. */
export function scramble(random: Random, original: Uint8Array): Mutation {
  const bytes = Buffer.from(original);
  switch (random.below(4)) {
    case 0:
      return { name: 'cut off', bytes: bytes.subarray(0, random.below(bytes.length)) };
    case 1:
      return { name: 'prolonged', bytes: Buffer.concat([bytes, random.bytes(1 + random.below(30))]) };
    case 2:
      for (let i = 1 + random.below(20); i > 0 && bytes.length > 0; i--)
        bytes[random.below(bytes.length)] = random.below(256);
      return { name: 'overwritten', bytes };
    default:
      return { name: 'noise', bytes: random.bytes(random.below(400)) };
  }
}

export function nest(number: number, depth: number): Buffer {
  // From the inside out; lengths are written back to front into one buffer.
  const parts: Buffer[] = [];
  let length = 0;
  for (let i = 0; i < depth; i++) {
    const head = Buffer.concat([encodeVarint(number * 8 + LEN), encodeVarint(length)]);
    parts.push(head);
    length += head.length;
  }
  return Buffer.concat(parts.reverse());
}

function somewhere(random: Random, fields: WireField[]): { siblings: WireField[]; path: number[] } {
  let siblings = fields;
  const path: number[] = [];
  while (random.chance(0.75)) {
    const withChildren = siblings.filter((field) => field.children !== undefined && field.children.length > 0);
    if (withChildren.length === 0) break;
    const chosen = random.pick(withChildren);
    path.push(chosen.number);
    siblings = chosen.children ?? siblings;
  }
  return { siblings, path };
}

function contentOf(field: WireField): Buffer {
  return field.children === undefined ? field.value : encodeFields(field.children);
}

function setContent(field: WireField, content: Buffer): void {
  field.children = undefined;
  field.value = content;
}
