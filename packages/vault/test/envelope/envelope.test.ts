import { createCipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  cborTag,
  cidOfRaw,
  encodeCbor,
  encryptCose0,
  isWaymarkError,
  readEncrypt0,
  type CborValue,
} from '@waymark/protocol';
import {
  createConsignmentCipher,
  maxContentBytes,
  maxEnvelopeBytes,
  openEnvelope,
  readEnvelopeHeader,
  sealEnvelope,
  type SealInput,
} from '../../src/envelope/consignment-cipher.ts';
import { encodeHeader, headerEncoder, type EnvelopeHeader } from '../../src/envelope/header.ts';
import {
  deriveEnvelopeKeys,
  deriveRecordKey,
  deriveSaltKey,
  consignmentPseudoRandomKey,
} from '../../src/envelope/key-schedule.ts';
import { pad } from '../../src/envelope/padding.ts';

const ck = randomBytes(32);
const context = { channel: 'shipments', msp: 'Org1MSP', consignmentOid: randomBytes(16), epoch: 0 };
const cipher = createConsignmentCipher(context, ck);
const content = Buffer.from('{"payload":{"city":"Odense"}}');
const input: SealInput = {
  outlet: 'outlet-17',
  recordOid: randomBytes(32),
  schema: 'json',
  collectedMs: 1_763_712_345_678,
  content,
};

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'opened';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
};

/** Puts an envelope together again with another header, without the key: what somebody who stores it can do. */
function withHeader(bytes: Uint8Array, change: (header: Map<number | string, CborValue>) => void): Uint8Array {
  const message = readEncrypt0(bytes, maxEnvelopeBytes);
  const header = new Map(message.header as ReadonlyMap<number | string, CborValue>);
  change(header);
  return assemble(encodeCbor(header), message.unprotected, message.ciphertext);
}

function assemble(
  protectedBytes: Uint8Array,
  unprotected: ReadonlyMap<number | string, CborValue>,
  ciphertext: Uint8Array,
): Uint8Array {
  return encodeCbor(cborTag(16, [protectedBytes, unprotected, ciphertext]));
}

test('what was sealed opens with the consignment key and with the record key alone', () => {
  const { bytes, cid, recordOid, sealId } = cipher.seal(input);
  expect(cid.equals(cidOfRaw(bytes))).toBe(true);
  expect(
    Buffer.from(openEnvelope({ bytes, expected: { ...context, recordOid, outlet: 'outlet-17' }, key: { ck } }).content),
  ).toEqual(content);
  const rk = cipher.recordKey(recordOid, sealId);
  expect(Buffer.from(openEnvelope({ bytes, expected: {}, key: { rk } }).content)).toEqual(content);
  const { header } = cipher.open(bytes, { recordOid });
  expect(header).toEqual({
    ...context,
    outlet: 'outlet-17',
    recordOid,
    sealId,
    replaces: null,
    schema: 'json',
    collectedMs: 1_763_712_345_678,
    fieldRoot: null,
  });
  expect(readEnvelopeHeader(bytes)).toEqual(header);
});

test('a record key opens its own sealing and no other, not even of the same record', () => {
  const [first, second] = [cipher.seal(input), cipher.seal(input)];
  const rk = cipher.recordKey(first.recordOid, first.sealId);
  expect(codeOf(() => openEnvelope({ bytes: second.bytes, expected: {}, key: { rk } }))).toBe('decryption-failed');
  expect(first.cid.equals(second.cid)).toBe(false);
});

test('content of any size comes back as it was; equal sizes give equal sizes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      const sealed = cipher.seal({ ...input, content: bytes });
      expect(Buffer.from(cipher.open(sealed.bytes).content).equals(bytes)).toBe(true);
      const other = cipher.seal({ ...input, content: randomBytes(bytes.length) });
      expect(other.bytes.length).toBe(sealed.bytes.length);
    }),
    { numRuns: 60 },
  );
});

test('content of exactly one mebibyte is sealed, one byte more is refused', () => {
  const largest = cipher.seal({ ...input, content: Buffer.alloc(maxContentBytes, 7) });
  expect(largest.bytes.length).toBeLessThanOrEqual(maxEnvelopeBytes);
  expect(cipher.open(largest.bytes).content).toHaveLength(maxContentBytes);
  expect(codeOf(() => cipher.seal({ ...input, content: Buffer.alloc(maxContentBytes + 1) }))).toBe('limit-exceeded');
  expect(codeOf(() => cipher.open(Buffer.alloc(maxEnvelopeBytes + 1)))).toBe('limit-exceeded');
});

test('another consignment key or record key fails at the commitment', () => {
  const { bytes } = cipher.seal(input);
  for (const key of [{ ck: randomBytes(32) }, { rk: randomBytes(32) }, { rk: ck }]) {
    expect(codeOf(() => openEnvelope({ bytes, expected: {}, key }))).toBe('decryption-failed');
  }
  for (const key of [{ ck: randomBytes(31) }, { rk: randomBytes(33) }, { ck: new Uint8Array(0) }]) {
    expect(codeOf(() => openEnvelope({ bytes, expected: {}, key }))).toBe('key-invalid');
  }
});

test.each<[string, CborValue]>([
  ['suite', 'waymark/v2'],
  ['channel', 'other'],
  ['msp', 'Org2MSP'],
  ['outlet', 'outlet-18'],
  ['consignment', randomBytes(16)],
  ['epoch', 1],
  ['record', randomBytes(32)],
  ['sealId', randomBytes(16)],
  ['replaces', cidOfRaw(Buffer.from('x')).bytes],
  ['schema', 'epcis'],
  ['collected', 1_763_712_345_679],
  ['fieldRoot', randomBytes(32)],
])('an envelope whose %s was changed opens for nobody', (field, value) => {
  const { bytes, recordOid, sealId } = cipher.seal(input);
  const altered = withHeader(bytes, (header) => header.set(field, value));
  const rk = cipher.recordKey(recordOid, sealId);
  for (const key of [{ ck }, { rk }]) {
    expect(codeOf(() => openEnvelope({ bytes: altered, expected: {}, key }))).toMatch(
      /^(?:decryption-failed|data-abnormal)$/,
    );
  }
});

test.each<[string, (header: Map<number | string, CborValue>) => void]>([
  ['another algorithm', (header) => header.set(1, 1)],
  ['no algorithm', (header) => header.delete(1)],
  ['a field too many', (header) => header.set('note', 'x')],
  ['an unknown integer label', (header) => header.set(2, [1])],
  ['a field too few', (header) => header.delete('schema')],
  ['a record oid of 31 bytes', (header) => header.set('record', randomBytes(31))],
  ['a negative epoch', (header) => header.set('epoch', -1)],
  ['a collection time that is text', (header) => header.set('collected', '2026-11-21')],
  ['an empty outlet', (header) => header.set('outlet', '')],
  ['an outlet with U+0000', (header) => header.set('outlet', 'a\u0000')],
  ['a channel that is too long', (header) => header.set('channel', 'c'.repeat(250))],
  ['a replaced CID that is none', (header) => header.set('replaces', randomBytes(36))],
  [
    'a replaced CID of version 0',
    (header) => header.set('replaces', Buffer.concat([Buffer.of(0x12, 0x20), randomBytes(32)])),
  ],
])('a header with %s is no header', (_, change) => {
  const altered = withHeader(cipher.seal(input).bytes, change);
  expect(codeOf(() => readEnvelopeHeader(altered))).toBe('data-abnormal');
});

test('every flipped bit is noticed', () => {
  const { bytes } = cipher.seal(input);
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return /^(?:decryption-failed|data-abnormal|limit-exceeded)$/.test(
        codeOf(() => openEnvelope({ bytes: altered, expected: {}, key: { ck } })),
      );
    }),
    { numRuns: 400 },
  );
});

test('every truncation, and anything appended, is noticed', () => {
  const { bytes } = cipher.seal(input);
  for (let length = 0; length < bytes.length; length += 1) {
    expect(codeOf(() => cipher.open(bytes.subarray(0, length)))).toBe('data-abnormal');
  }
  expect(codeOf(() => cipher.open(Buffer.concat([bytes, Buffer.of(0)])))).toBe('data-abnormal');
});

test('an altered ciphertext or IV under an intact commitment is abnormal data', () => {
  const message = readEncrypt0(cipher.seal(input).bytes, maxEnvelopeBytes);
  const unprotected = message.unprotected as ReadonlyMap<number | string, CborValue>;
  const ciphertext = Buffer.from(message.ciphertext);
  ciphertext.writeUInt8(ciphertext.readUInt8(0) ^ 1, 0);
  const swapped = new Map([...unprotected, [5, randomBytes(12)]] as [number | string, CborValue][]);
  expect(codeOf(() => cipher.open(assemble(message.protectedBytes, unprotected, ciphertext)))).toBe('data-abnormal');
  expect(codeOf(() => cipher.open(assemble(message.protectedBytes, swapped, message.ciphertext)))).toBe(
    'data-abnormal',
  );
});

test('a missing, short, swapped or surplus unprotected header is refused', () => {
  const message = readEncrypt0(cipher.seal(input).bytes, maxEnvelopeBytes);
  const { iv, ciphertext, protectedBytes } = message;
  const commit = message.unprotected.get('commit') as Uint8Array;
  const cases: [readonly [number | string, CborValue][], string][] = [
    [[[5, iv]], 'data-abnormal'],
    [
      [
        [5, iv],
        ['commit', commit.subarray(1)],
      ],
      'data-abnormal',
    ],
    [
      [
        [5, iv],
        ['commit', 'commit'],
      ],
      'data-abnormal',
    ],
    [
      [
        [5, iv],
        ['commit', commit],
        ['x', 1],
      ],
      'data-abnormal',
    ],
    [[['commit', commit]], 'data-abnormal'],
    [
      [
        [5, iv.subarray(1)],
        ['commit', commit],
      ],
      'data-abnormal',
    ],
    [
      [
        [5, iv],
        ['commit', randomBytes(32)],
      ],
      'decryption-failed',
    ],
  ];
  for (const [headers, code] of cases) {
    expect([headers, codeOf(() => cipher.open(assemble(protectedBytes, new Map(headers), ciphertext)))]).toEqual([
      headers,
      code,
    ]);
  }
});

test('an envelope that is not the one the reader asked for is abnormal data, whatever key opens it', () => {
  const { bytes } = cipher.seal(input);
  const mine = { outlet: input.outlet, recordOid: input.recordOid, schema: input.schema, ...context };
  expect(codeOf(() => openEnvelope({ bytes, expected: mine, key: { ck } }))).toBe('opened');
  const others = {
    channel: 'b',
    msp: 'b',
    outlet: 'b',
    schema: 'b',
    epoch: 5,
    recordOid: randomBytes(32),
    consignmentOid: randomBytes(16),
    sealId: randomBytes(16),
  };
  for (const [field, value] of Object.entries(others)) {
    expect([field, codeOf(() => openEnvelope({ bytes, expected: { ...mine, [field]: value }, key: { ck } }))]).toEqual([
      field,
      'data-abnormal',
    ]);
  }
});

test('keys of one context open nothing of another: consignment, epoch, channel and firm are in the key schedule', () => {
  for (const other of [{ epoch: 1 }, { channel: 'b' }, { msp: 'b' }, { consignmentOid: randomBytes(16) }]) {
    const elsewhere = createConsignmentCipher({ ...context, ...other }, ck);
    const { bytes } = elsewhere.seal(input);
    const relabelled = withHeader(bytes, (header) => {
      header
        .set('epoch', context.epoch)
        .set('channel', context.channel)
        .set('msp', context.msp)
        .set('consignment', context.consignmentOid);
    });
    expect(codeOf(() => cipher.open(bytes))).toBe('data-abnormal');
    expect(codeOf(() => cipher.open(relabelled))).toBe('decryption-failed');
  }
});

/*
 * AES-GCM does not commit to its key: whoever knows two keys can make one ciphertext whose tag is right under both. GHASH is
 * linear in each block, so one spare block is solved for. This is that attack, and the commitment is what stops it.
 */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let shifted = x;
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if (((y >> bit) & 1n) === 1n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ (0xe1n << 120n) : shifted >> 1n;
  }
  return product;
}
function invert(x: bigint): bigint {
  let result = 1n << 127n;
  let square = x;
  for (let bit = 1; bit < 128; bit += 1) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}
const block = (bytes: Uint8Array, index: number): bigint =>
  BigInt(
    `0x${Buffer.concat([bytes.subarray(index * 16, index * 16 + 16), Buffer.alloc(16)])
      .subarray(0, 16)
      .toString('hex')}`,
  );
const bytesOfBlock = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
const ecb = (key: Uint8Array, plain: Uint8Array): bigint => {
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return block(aes.update(plain), 0);
};
function ghash(h: bigint, aad: Uint8Array, ciphertext: Uint8Array): bigint {
  let y = 0n;
  for (const part of [aad, ciphertext])
    for (let index = 0; index * 16 < part.length; index += 1) y = multiply(y ^ block(part, index), h);
  return multiply(y ^ ((BigInt(aad.length * 8) << 64n) | BigInt(ciphertext.length * 8)), h);
}

test('a ciphertext made to open under two keys is refused under the second', () => {
  const header: EnvelopeHeader = {
    ...context,
    outlet: 'outlet-17',
    recordOid: randomBytes(32),
    sealId: randomBytes(16),
    replaces: null,
    schema: 'json',
    collectedMs: 1,
    fieldRoot: null,
  };
  const protectedBytes = encodeHeader(header);
  const keys = [randomBytes(32), randomBytes(32)].map((key) => {
    const rk = deriveRecordKey(consignmentPseudoRandomKey(key, context), header.recordOid, header.sealId);
    return { ck: key, ...deriveEnvelopeKeys(rk, protectedBytes) };
  });
  const [a, b] = keys as [(typeof keys)[number], (typeof keys)[number]];
  const [rawA, rawB] = [a.encryption.export(), b.encryption.export()];
  const iv = randomBytes(12);
  const aad = encodeCbor(['Encrypt0', protectedBytes, new Uint8Array(0)]);
  const counter = Buffer.concat([iv, Buffer.of(0, 0, 0, 1)]);
  const [hA, hB] = [ecb(rawA, Buffer.alloc(16)), ecb(rawB, Buffer.alloc(16))];
  const ciphertext = randomBytes(64);
  ciphertext.fill(0, 48);
  // tag = E(counter) ⊕ GHASH(aad, c₀..c₂, x): equal under both keys for exactly one last block x.
  const squareA = multiply(hA, hA);
  const squareB = multiply(hB, hB);
  const difference = ecb(rawA, counter) ^ ecb(rawB, counter) ^ ghash(hA, aad, ciphertext) ^ ghash(hB, aad, ciphertext);
  const spare = multiply(difference, invert(squareA ^ squareB));
  bytesOfBlock(spare).copy(ciphertext, 48);
  const tag = bytesOfBlock(ecb(rawA, counter) ^ ghash(hA, aad, ciphertext));
  const sealed = Buffer.concat([ciphertext, tag]);
  // It does open under both as far as AES-GCM is concerned: what fails afterwards is only the padding of random plaintext.
  const forged = assemble(
    protectedBytes,
    new Map<number | string, CborValue>([
      [5, iv],
      ['commit', a.commitment],
    ]),
    sealed,
  );
  expect(() => openEnvelope({ bytes: forged, expected: {}, key: { ck: a.ck } })).toThrow(/padded/);
  expect(codeOf(() => openEnvelope({ bytes: forged, expected: {}, key: { ck: b.ck } }))).toBe('decryption-failed');
  const turned = assemble(
    protectedBytes,
    new Map<number | string, CborValue>([
      [5, iv],
      ['commit', b.commitment],
    ]),
    sealed,
  );
  expect(() => openEnvelope({ bytes: turned, expected: {}, key: { ck: b.ck } })).toThrow(/padded/);
  expect(codeOf(() => openEnvelope({ bytes: turned, expected: {}, key: { ck: a.ck } }))).toBe('decryption-failed');
});

test('padding other than ours is refused even by the holder of the key', () => {
  const header: EnvelopeHeader = {
    ...context,
    outlet: 'o',
    recordOid: randomBytes(32),
    sealId: randomBytes(16),
    replaces: null,
    schema: 'json',
    collectedMs: 1,
    fieldRoot: null,
  };
  const protectedBytes = encodeHeader(header);
  const keys = deriveEnvelopeKeys(cipher.recordKey(header.recordOid, header.sealId), protectedBytes);
  const sealPlain = (plaintext: Uint8Array): Uint8Array =>
    encryptCose0(keys.encryption, {
      protectedBytes,
      iv: randomBytes(12),
      unprotected: new Map([['commit', keys.commitment]]),
      plaintext,
    });
  const good = Buffer.from(pad(Buffer.alloc(101, 1)));
  const dirty = Buffer.from(good);
  dirty.writeUInt8(1, dirty.length - 1);
  const lying = Buffer.from(good);
  lying.writeUInt32BE(5, 0);
  expect(good.length).toBeGreaterThan(105);
  expect(codeOf(() => cipher.open(sealPlain(good)))).toBe('opened');
  for (const plain of [
    dirty,
    lying,
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.alloc(8, 0xff),
  ]) {
    expect([plain.length, codeOf(() => cipher.open(sealPlain(plain)))]).toEqual([plain.length, 'data-abnormal']);
  }
});

test('the remembering header encoder writes what the plain one writes', () => {
  const encode = headerEncoder();
  const texts = fc.constantFrom('a', 'b', 'æ');
  const header = fc.record({
    channel: texts,
    msp: texts,
    outlet: texts,
    consignmentOid: fc.constant(context.consignmentOid),
    epoch: fc.constantFrom(0, 23, 24, 256, 70_000),
    recordOid: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    sealId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    replaces: fc.constantFrom(null, cidOfRaw(Buffer.from('x')), cidOfRaw(Buffer.from('y'))),
    schema: texts,
    collectedMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fieldRoot: fc.constantFrom(null, Buffer.alloc(32), Buffer.alloc(32, 1)),
  });
  fc.assert(fc.property(header, (each) => Buffer.from(encode(each)).equals(encodeHeader(each))));
});

test('sealing refuses a header that no reader would accept', () => {
  for (const change of [
    { outlet: '' },
    { schema: 'x'.repeat(257) },
    { recordOid: randomBytes(16) },
    { collectedMs: Number.NaN },
    { collectedMs: -62_135_596_800_001 },
    { collectedMs: 0.5 },
    { outlet: 'a\ud800' },
  ]) {
    expect([change, codeOf(() => cipher.seal({ ...input, ...change }))]).toEqual([change, 'input-invalid']);
  }
  expect(codeOf(() => sealEnvelope({ ...input, ...context, epoch: -1, ck }))).toBe('input-invalid');
  expect(codeOf(() => sealEnvelope({ ...input, ...context, ck: randomBytes(16) }))).toBe('key-invalid');
});

test('seal ids and IVs never repeat', () => {
  const seen = new Set<string>();
  for (let index = 0; index < 3_000; index += 1) {
    const { bytes, sealId } = cipher.seal({ ...input, content: Buffer.of(1) });
    seen
      .add(Buffer.from(sealId).toString('hex'))
      .add(Buffer.from(readEncrypt0(bytes, maxEnvelopeBytes).iv).toString('hex'));
  }
  expect(seen.size).toBe(6_000);
});

test('the salt key depends on the record key alone, not on the header that will hold the root', () => {
  const rk = cipher.recordKey(input.recordOid, randomBytes(16));
  expect(deriveSaltKey(rk)).toHaveLength(32);
  expect(Buffer.from(deriveSaltKey(rk)).equals(deriveSaltKey(rk))).toBe(true);
  expect(Buffer.from(deriveSaltKey(rk)).equals(rk)).toBe(false);
});

test('no key and no plaintext is in an error, a cipher or a sealed envelope', () => {
  const canary = `canary-${randomBytes(12).toString('hex')}`;
  const sealed = cipher.seal({ ...input, content: Buffer.from(`{"payload":"${canary}"}`) });
  const rk = cipher.recordKey(sealed.recordOid, sealed.sealId);
  const texts = [
    inspect(cipher, { depth: 9, showHidden: true }),
    JSON.stringify(cipher),
    Buffer.from(sealed.bytes).toString('latin1'),
  ];
  for (const run of [
    () => openEnvelope({ bytes: sealed.bytes, expected: {}, key: { ck: rk } }),
    () => openEnvelope({ bytes: sealed.bytes, expected: {}, key: { rk: ck } }),
    () => openEnvelope({ bytes: sealed.bytes, expected: {}, key: { ck: Buffer.concat([ck, rk]) } }),
    () => openEnvelope({ bytes: sealed.bytes.subarray(0, -3), expected: {}, key: { ck } }),
    () => openEnvelope({ bytes: sealed.bytes, expected: { outlet: 'x' }, key: { ck } }),
  ]) {
    try {
      run();
    } catch (error) {
      texts.push(inspect(error, { depth: 9, showHidden: true }));
    }
  }
  expect(texts).toHaveLength(8);
  for (const secret of [ck, rk]) {
    for (const form of [
      secret.toString(),
      ...(['hex', 'base64', 'base64url', 'latin1'] as const).map((encoding) => Buffer.from(secret).toString(encoding)),
    ]) {
      for (const text of texts) expect(text).not.toContain(form);
    }
  }
  for (const text of texts) expect(text).not.toContain(canary);
});
