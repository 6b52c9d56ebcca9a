import fc from 'fast-check';
import { checkJson, isWaymarkError, parseJsonStrict } from '../../src/index.ts';
import { codeOf, refusal } from '../support/refusal.ts';

const placeOf = (text: string): unknown => refusal(() => parseJsonStrict(text)).details;

describe('what is taken', () => {
  test('every JSON value that all systems read alike is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        let strict: unknown;
        try {
          strict = parseJsonStrict(text);
        } catch (error) {
          // Only for a reason that the check of values gives as well.
          if (!isWaymarkError(error)) throw error;
          expect(codeOf(() => checkJson(JSON.parse(text)))).toBe('input-invalid');
          return;
        }
        expect(strict).toEqual(JSON.parse(text));
        checkJson(strict);
      }),
      { numRuns: 500 },
    );
  });

  test('texts that JSON.parse refuses are refused', () => {
    const letters = Array.from('{}[]",:\\ 01-+.eEtruefalsn\n\u0001é');
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...letters), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          expect(refusal(() => parseJsonStrict(text))).toMatchObject({
            code: 'input-invalid',
            details: { reason: expect.stringMatching(/.+/) as string },
          });
          return;
        }
        const code = codeOf(() => parseJsonStrict(text));
        if (code === 'accepted') expect(parseJsonStrict(text)).toEqual(parsed);
      }),
      { numRuns: 5_000 },
    );
  });

  test('bytes are read as UTF-8', () => {
    expect(parseJsonStrict(Buffer.from('{"ort":"Köln"}', 'utf8'))).toEqual({ ort: 'Köln' });
    expect(parseJsonStrict(new Uint8Array(Buffer.from(' [1, -0.5e3, true, null]\r\n')))).toEqual([1, -500, true, null]);
  });

  test('64 levels', () => {
    expect(codeOf(() => parseJsonStrict('['.repeat(64) + ']'.repeat(64)))).toBe('accepted');
  });
});

describe('what is refused, with its place and offset', () => {
  test.each([
    ['equal keys', '{"a":1,"b":{"c":1,"c":2}}', '/b/c', 18, 'occurs twice'],
    ['equal keys in two spellings', '{"a":1,"\\u0061":2}', '/a', 7, 'occurs twice'],
    ['__proto__', '{"x":[{"__proto__":{}}]}', '/x/0/__proto__', 7, 'is a field name that is not allowed'],
    ['__proto__ in another spelling', '{"\\u005f_proto__":1}', '/__proto__', 1, 'is a field name that is not allowed'],
    ['1e400', '[0, 1e400]', '/1', 4, 'is not a finite number'],
    ['-1e400', '-1e400', '', 0, 'is not a finite number'],
    ['an integer beyond 2^53 - 1', '{"n":9007199254740992}', '/n', 5, 'is an integer beyond 2^53 - 1'],
    ['an integer beyond -(2^53 - 1)', '[-9007199254740993]', '/0', 1, 'is an integer beyond 2^53 - 1'],
    ['an integer in another spelling', '1e30', '', 0, 'is an integer beyond 2^53 - 1'],
    ['a lone surrogate', '["\\ud800"]', '/0', 1, 'contains a lone surrogate'],
    ['surrogates in the wrong order', '["\\udc00\\ud800"]', '/0', 1, 'contains a lone surrogate'],
    ['a lone surrogate in a key', '{"\\udfff":1}', '/\ufffd', 1, 'contains a lone surrogate'],
    ['U+0000', '{"a":"\\u0000"}', '/a', 5, 'contains U+0000'],
    ['a text that is not in NFC', '["e\u0301"]', '/0', 1, 'is not in Unicode form NFC'],
    ['a key that is not in NFC', '{"e\\u0301":1}', '/e\u0301', 1, 'is not in Unicode form NFC'],
    ['a slash and a tilde in the place', '{"a/b~c":[1e999]}', '/a~1b~0c/0', 10, 'is not a finite number'],
    ['a trailing comma', '{"a":1,}', '/', 7, 'is not JSON'],
    ['a trailing comma in a list', '[1,]', '/1', 3, 'is not JSON'],
    ['a text after the value', '{} {}', '', 3, 'is not JSON'],
    ['nothing', '', '', 0, 'is not JSON'],
    ['an open text', '{"a":"b', '/a', 7, 'is not JSON'],
    ['a line break in a text', '"a\nb"', '', 2, 'is not JSON'],
    ['an escape that there is not', '["\\x41"]', '/0', 1, 'is not JSON'],
    ['a number with a leading zero', '[01]', '/0', 2, 'is not JSON'],
    ['a number with a plus', '[+1]', '/0', 1, 'is not JSON'],
    ['NaN', 'NaN', '', 0, 'is not JSON'],
    ['a missing colon', '{"a" 1}', '/a', 5, 'is not JSON'],
    ['a key without quotes', '{a:1}', '/', 1, 'is not JSON'],
    ['a byte order mark', '\ufeff{}', '', 0, 'is not JSON'],
    ['a comment', '{} // x', '', 3, 'is not JSON'],
  ])('%s', (_rule, text, place, offset, reason) => {
    expect(placeOf(text)).toEqual({ place, offset, reason });
    expect(codeOf(() => parseJsonStrict(text))).toBe('input-invalid');
  });

  test('bytes that are not UTF-8', () => {
    expect(refusal(() => parseJsonStrict(Uint8Array.of(0x22, 0xff, 0x22)))).toEqual({
      code: 'input-invalid',
      details: { place: '', offset: 0, reason: 'is not UTF-8' },
    });
  });

  test('a text above the limit', () => {
    expect(codeOf(() => parseJsonStrict('"ü"', { maxBytes: 4 }))).toBe('accepted');
    expect(codeOf(() => parseJsonStrict('"ü"', { maxBytes: 3 }))).toBe('limit-exceeded');
    expect(codeOf(() => parseJsonStrict(new Uint8Array(5), { maxBytes: 4 }))).toBe('limit-exceeded');
  });

  test('65 levels, and half a million', () => {
    for (const depth of [65, 500_000]) {
      expect(placeOf('['.repeat(depth))).toMatchObject({ offset: 64, reason: 'is nested deeper than 64' });
      expect(placeOf('{"a":'.repeat(depth))).toMatchObject({ offset: 64 * 5, reason: 'is nested deeper than 64' });
    }
  });
});

test('no error shows a value, nor a long key', () => {
  const canary = 'canary-4711';
  const texts = [`{"a":"${canary}`, `["${canary}",]`, `{"a":"${canary}","a":1}`, `[${canary}]`, `["${canary}\\q"]`];
  for (const text of texts) {
    try {
      parseJsonStrict(text);
    } catch (error) {
      expect(JSON.stringify([String(error), error])).not.toContain(canary);
      continue;
    }
    throw new Error('was accepted');
  }
  const { place } = refusal(() => parseJsonStrict(`{"${'k'.repeat(100_000)}":1e999}`)).details;
  expect(String(place).length).toBeLessThan(100);
});

test('an accepted object has no members that it was not given', () => {
  const value = parseJsonStrict('{"constructor":1,"toString":2,"hasOwnProperty":3}') as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(['constructor', 'toString', 'hasOwnProperty']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});
