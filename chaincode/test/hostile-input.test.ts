import { batchOf } from './harness/batches.ts';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import {
  createConsortium,
  parseRefusal,
  register,
  type TestChannel,
  type TestOrganisation,
} from './harness/consortium.ts';

describe('hostile input is a typed refusal, and the process goes on', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;

  beforeAll(async () => {
    chaincode = await startChaincode();
    ({ channel, a } = await createConsortium(chaincode));
  });
  afterAll(async () => {
    await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
    await chaincode.stop();
  });

  const refusalOf = (json: string | Uint8Array) => channel.refusal(a.center, 'evidence:record', json);
  const text = () => JSON.stringify([batchOf(a.outlet, 1)]);
  const withField = (field: string) => text().replace('{', `{${field},`);

  test.each<[string, () => string, string]>([
    ['no JSON', () => 'x', 'is not JSON'],
    ['nothing', () => '', 'is not JSON'],
    ['JSON and more', () => `${text()} x`, 'is not JSON'],
    ['a byte order mark', () => `\ufeff${text()}`, 'is not JSON'],
    ['an object for the array', () => '{}', 'is not an array'],
    ['null', () => 'null', 'is not an array'],
    ['null for a batch', () => '[null]', 'is not an object'],
    ['an array for a batch', () => '[[]]', 'is not an object'],
    ['the same key twice', () => withField('"seq":2'), 'has the same key twice'],
    ['the same key twice, once escaped', () => withField('"s\\u0065q":2'), 'has the same key twice'],
    ['__proto__', () => withField('"__proto__":{"seq":1}'), 'has a key that is not allowed'],
    ['__proto__, escaped', () => withField('"\\u005f_proto__":{}'), 'has a key that is not allowed'],
    ['constructor', () => withField('"constructor":{}'), 'has a field that is not known'],
    ['nesting', () => `${'['.repeat(9)}${']'.repeat(9)}`, 'is nested deeper than 8'],
    [
      'nesting that would exhaust a stack',
      () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      'is nested deeper than 8',
    ],
    ['a number beyond doubles', () => withField('"x":1e400'), 'is not a finite number'],
    [
      'an integer beyond 2^53',
      () => text().replace('"seq":1', '"seq":9007199254740993'),
      'is not an integer from 1 to 9007199254740991',
    ],
    ['a lone surrogate', () => text().replace('outlet-1', '\\ud800'), 'contains a lone surrogate'],
    ['U+0000 in an id', () => text().replace('outlet-1', 'outlet\\u0000-1'), 'contains U+0000'],
    ['U+10FFFF in an id', () => text().replace('outlet-1', '\\udbff\\udfff'), 'contains U+0000 or U+10FFFF'],
    ['an empty id', () => text().replace('outlet-1', ''), 'is empty'],
    ['an id in NFD', () => text().replace('outlet-1', 'cafe\u0301'), 'is not in Unicode form NFC'],
    ['an id with a slash', () => text().replace('outlet-1', 'outlet/1'), 'contains a slash or a control character'],
    ['an id with a line feed', () => text().replace('outlet-1', 'a\\nb'), 'contains a slash or a control character'],
    ['an id of 257 bytes', () => text().replace('outlet-1', 'é'.repeat(128) + 'x'), 'is longer than 256 bytes'],
  ])('%s', async (_name, json, reason) => {
    expect(await refusalOf(json())).toMatchObject({ code: 'INPUT_INVALID', details: { reason } });
  });

  test('bytes that are not UTF-8 are refused, not replaced', async () => {
    const bytes = Buffer.from(text());
    bytes[bytes.indexOf('outlet-1')] = 0xff;
    expect(await refusalOf(bytes)).toEqual({
      code: 'INPUT_INVALID',
      details: { place: 'argument 1', reason: 'is not UTF-8' },
    });
  });

  test('256 KiB of arguments are read, one byte more is over the limit', async () => {
    const nameBytes = 'evidence:record'.length;
    const padded = text().padEnd(256 * 1024 - nameBytes, ' ');
    expect((await channel.simulate(a.center, 'evidence:record', padded)).status).toBe(200);
    expect(await refusalOf(`${padded} `)).toEqual({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 262144, what: 'arguments' },
    });
  });

  test('an event that would be too large is a refusal, not a loss', async () => {
    const long = await a.authority.issue('é'.repeat(128));
    await register(channel, a, long, 'outlet');
    const batches = Array.from({ length: 64 }, (_, index) => batchOf(long, index + 1));
    expect(await channel.refusal(a.center, 'evidence:record', batches)).toEqual({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 16384, what: 'event' },
    });
    await channel.submit(a.center, 'evidence:record', batches.slice(0, 32));
  });

  test('ids that would run together under one key stay apart', async () => {
    const [one, two] = await Promise.all([a.authority.issue('ab'), a.authority.issue('a')]);
    await register(channel, a, one, 'outlet');
    await register(channel, a, two, 'outlet');
    await channel.submit(a.center, 'evidence:record', [batchOf(one, 1), batchOf(two, 1)]);
    const keys = channel.state
      .range('\u0000evidence\u0000Org1MSP\u0000a', '\u0000evidence\u0000Org1MSP\u0000b')
      .map(([key]) => key);
    expect(keys).toEqual(
      ['a', 'ab'].map((outlet) => `\u0000evidence\u0000Org1MSP\u0000${outlet}\u00000000000000000001\u0000`),
    );
  });

  test('key parts from plain arguments are checked too', async () => {
    for (const part of ['', '\u0000', 'a\u0000b', '\u{10ffff}', 'cafe\u0301', 'x'.repeat(257)]) {
      for (const [name, ...args] of [
        ['participants:getNode', part, 'x'],
        ['participants:getNode', 'Org1MSP', part],
        ['participants:getOrganisation', part],
        ['participants:getKey', 'Org1MSP', part],
        ['participants:listNodes', part, '', '1'],
        ['evidence:list', 'Org1MSP', part, '1', '1'],
      ] as const) {
        expect([part, name, (await channel.refusal(a.outlet, name, ...args)).code]).toEqual([
          part,
          name,
          'INPUT_INVALID',
        ]);
      }
    }
  });

  test.each([
    'evidence:nothing',
    'participants:constructor',
    'evidence:__proto__',
    'evidence:beforeTransaction',
    'evidence:createContext',
    'evidence:',
  ])('the function %j does not exist', async (name) => {
    const contract = name.slice(0, name.indexOf(':'));
    expect(await channel.refusal(a.center, name, '[]')).toEqual({
      code: 'UNSUPPORTED',
      details: { contract, reason: 'no such function' },
    });
  });

  test('a refusal never repeats what was submitted', async () => {
    const canary = 'canary-4711';
    for (const json of [
      `["${canary}"]`,
      `{"${canary}":1}`,
      text().replace('"seq":1', `"seq":"${canary}"`),
      withField(`"${canary}":1`),
      canary,
    ]) {
      const outcome = await channel.simulate(a.center, 'evidence:record', json);
      parseRefusal(outcome);
      expect(outcome.message).not.toContain(canary);
    }
    expect(chaincode.output()).not.toContain(canary);
  });

  test('a contract that is not there, or another number of arguments, is told in Fabric’s words', async () => {
    expect((await channel.simulate(a.center, 'other:record', '[]')).message).toBe('Contract name is not known: other');
    expect((await channel.simulate(a.center, 'evidence:record')).message).toBe(
      'Expected 1 parameters, but 0 have been supplied',
    );
  });

  test('refusals are JSON with sorted keys after the code', async () => {
    const outcome = await channel.simulate(a.center, 'evidence:record', [
      { ...batchOf(a.outlet, 1), certificate: a.center.digest },
    ]);
    expect(outcome.message).toBe(
      'WAYMARK_CERTIFICATE_UNTRUSTED: {"enrolmentId":"outlet-1","mspId":"Org1MSP","reason":"certificate-not-registered"}',
    );
  });
});
