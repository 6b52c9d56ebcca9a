import fc from 'fast-check';
import {
  decodeStateValue,
  encodeStateValue,
  historyKey,
  historyRange,
  keyOfState,
  stateKey,
  stateRange,
} from '../../src/ledger/state-encoding.ts';
import { thrownCode } from '../support/error-code.ts';

const namespace = fc.stringMatching(/^[A-Za-z0-9_-]{0,8}$/);
const key = fc.string({ unit: 'binary', maxLength: 12 });
const isWithin = (range: { gte: Uint8Array; lt: Uint8Array }, bytes: Uint8Array) =>
  Buffer.compare(range.gte, bytes) <= 0 && Buffer.compare(bytes, range.lt) < 0;

test('keys order by their UTF-8 bytes within a namespace and come back from the database key', () => {
  fc.assert(
    fc.property(namespace, key, key, (ns, a, b) => {
      const order = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(Buffer.compare(stateKey(ns, a), stateKey(ns, b)))).toBe(order);
      expect(keyOfState(stateKey(ns, a), ns)).toBe(a);
    }),
  );
});

test('the range of a namespace holds all of its keys and none of another namespace', () => {
  fc.assert(
    fc.property(namespace, namespace, key, (mine, other, k) => {
      expect(isWithin(stateRange(mine, '', ''), stateKey(mine, k))).toBe(true);
      if (mine !== other) expect(isWithin(stateRange(mine, '', ''), stateKey(other, k))).toBe(false);
    }),
  );
});

test("a key's history holds no other key's", () => {
  fc.assert(
    fc.property(namespace, key, key, fc.bigInt({ min: 0n, max: 2n ** 63n }), (ns, a, b, blockNumber) => {
      const entry = historyKey(ns, b, { blockNumber, txNumber: 7n });
      expect(isWithin(historyRange(ns, a), entry)).toBe(a === b);
    }),
  );
});

test('a value comes back with version and metadata', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
      fc.nat(),
      fc.option(fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array(), { minKeys: 1 }), { nil: undefined }),
      (value, blockNumber, tx, entries) => {
        const databaseKey = stateKey('ns', 'key');
        const version = { blockNumber, txNumber: BigInt(tx) };
        const metadata = entries === undefined ? undefined : new Map(Object.entries(entries));
        const decoded = decodeStateValue(databaseKey, encodeStateValue(databaseKey, version, value, metadata));
        expect(Buffer.from(decoded.value)).toEqual(Buffer.from(value));
        expect(decoded.version).toEqual(version);
        expect([...(decoded.metadata ?? [])].map(([name, bytes]) => [name, Buffer.from(bytes)])).toEqual(
          [...(metadata ?? [])].map(([name, bytes]) => [name, Buffer.from(bytes)]),
        );
      },
    ),
  );
});

test('a flipped bit in a stored value, or a value under another key, is noticed', () => {
  const databaseKey = stateKey('ns', 'key');
  const version = { blockNumber: 3n, txNumber: 1n };
  const stored = encodeStateValue(databaseKey, version, Buffer.from('value'), new Map([['a', Buffer.from('b')]]));
  for (let bit = 0; bit < stored.length * 8; bit++) {
    const damaged = Buffer.from(stored);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(thrownCode(() => decodeStateValue(databaseKey, damaged))).toBe('LEDGER_CORRUPT');
  }
  expect(thrownCode(() => decodeStateValue(stateKey('ns', 'kez'), stored))).toBe('LEDGER_CORRUPT');
  expect(thrownCode(() => decodeStateValue(databaseKey, stored.subarray(0, 5)))).toBe('LEDGER_CORRUPT');
});
