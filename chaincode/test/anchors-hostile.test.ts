import fc from 'fast-check';
import { decodeCbor, encodeCbor } from '@waymark/protocol';
import { encodeAnchor } from '@waymark/rsl';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, parseRefusal, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import {
  anchorArgument,
  createTestLedger,
  encoded,
  registerTestLedger,
  type TestLedger,
} from './harness/private-ledger.ts';

describe('hostile messages about a ledger are typed refusals, and the process goes on', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let ledger: TestLedger;
  let bytes: Uint8Array;

  beforeAll(async () => {
    chaincode = await startChaincode();
    ({ channel, a } = await createConsortium(chaincode));
    ledger = await createTestLedger(a);
    await registerTestLedger(channel, a, ledger);
    ledger.elect('center-1');
    ledger.submit('department-1');
    ledger.submit('department-2');
    bytes = encodeAnchor(ledger.anchorOf(1, 2, { withElection: true }));
  });
  afterAll(async () => {
    await channel.submit(a.center, 'anchors:anchor', encoded(bytes));
    await chaincode.stop();
  });

  const refused = (argument: string, name = 'anchors:anchor') => channel.refusal(a.center, name, argument);
  type Changed = Map<string, never>;
  const withField = (key: string, value: unknown): string => {
    const map = new Map(decodeCbor(bytes) as Changed);
    map.set(key, value as never);
    return encoded(encodeCbor(map));
  };

  test.each<[string, () => string, string]>([
    ['no base64url', () => 'a+b', 'is not base64url'],
    ['padding', () => `${encoded(bytes)}=`, 'is not base64url'],
    ['nothing', () => '', 'is not deterministic CBOR'],
    ['JSON', () => encoded(Buffer.from('{}')), 'is not deterministic CBOR'],
    ['more bytes', () => encoded(Buffer.concat([bytes, Uint8Array.of(0)])), 'is not deterministic CBOR'],
    ['a list', () => encoded(encodeCbor([])), 'is not an object'],
    ['an unknown field', () => withField('note', 1), 'has a field that is not known'],
    ['a text for bytes', () => withField('root', '00'.repeat(32)), 'is not a byte string of 32 to 32 bytes'],
    ['a mark in a text', () => withField('root', `\u0000bytes:${'00'.repeat(32)}`), 'contains U+0000'],
    ['bytes for a text', () => withField('center', Buffer.from('center-1')), 'contains U+0000 or U+10FFFF'],
    ['another type', () => withField('type', 'ledger-fork'), 'is not one of ledger-anchor'],
    ['another version', () => withField('v', 2), 'is not an integer from 1 to 1'],
    ['height 0', () => withField('first', 0), `is not an integer from 1 to ${String(Number.MAX_SAFE_INTEGER)}`],
    ['no seals', () => withField('seals', []), 'has not 1 to 16 items'],
    [
      'too many seals',
      () =>
        withField(
          'seals',
          Array.from({ length: 17 }, () => 0),
        ),
      'has not 1 to 16 items',
    ],
    ['a seal that is none', () => withField('seals', [1]), 'is not an object'],
    ['nesting', () => encoded(Buffer.from('81'.repeat(2_000) + '00', 'hex')), 'is not deterministic CBOR'],
    ['too many bytes', () => 'A'.repeat(180_000), 'is longer than 131072 bytes'],
  ])('%s', async (_name, argument, reason) => {
    expect(await refused(argument())).toMatchObject({ code: 'INPUT_INVALID', details: { reason } });
  });

  test('any change of one byte is refused with a typed error, and nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = new Uint8Array(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        const outcome = await channel.simulate(a.center, 'anchors:anchor', encoded(changed));
        parseRefusal(outcome);
        expect(outcome.writes.size).toBe(0);
      }),
      { numRuns: 80 },
    );
  });

  test('any bytes are refused by every function that takes a message', async () => {
    const names = ['anchor', 'configure', 'reportEquivocation', 'reportFork', 'reportHeldBack'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.uint8Array({ maxLength: 60 }), async (name, made) => {
        const reporting = name.startsWith('report') ? ['Org1MSP'] : [];
        const outcome = await channel.simulate(a.center, `anchors:${name}`, ...reporting, encoded(made));
        expect(parseRefusal(outcome).code).toBe('INPUT_INVALID');
      }),
      { numRuns: 40 },
    );
  });

  test('the message of one function is refused by all others', async () => {
    for (const name of ['reportEquivocation', 'reportFork', 'reportHeldBack'])
      expect(await channel.refusal(a.center, `anchors:${name}`, 'Org1MSP', encoded(bytes))).toMatchObject({
        code: 'INPUT_INVALID',
      });
    expect(await refused(encoded(bytes), 'anchors:configure')).toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('key parts from plain arguments are checked', async () => {
    for (const part of ['', '\u0000', 'a\u0000b', '\u{10ffff}', 'cafe\u0301', 'x'.repeat(257)]) {
      for (const [name, ...args] of [
        ['anchors:get', part, '1'],
        ['anchors:list', part, '1', '1'],
        ['anchors:ledger', part],
        ['anchors:configuration', part, '1'],
        ['anchors:certificate', part, '0'.repeat(64)],
        ['anchors:certificate', 'Org1MSP', part],
        ['anchors:getReport', part, '0'.repeat(64)],
        ['anchors:getReport', 'Org1MSP', part],
        ['anchors:listReports', part, '', '1'],
        ['anchors:reportFork', part, encoded(bytes)],
      ] as const) {
        expect([part, name, (await channel.refusal(a.outlet, name, ...args)).code]).toEqual([
          part,
          name,
          'INPUT_INVALID',
        ]);
      }
    }
    for (const height of ['0', '-1', '01', '1e3', '9007199254740993'])
      expect(await channel.refusal(a.outlet, 'anchors:get', 'Org1MSP', height)).toMatchObject({
        code: 'INPUT_INVALID',
      });
  });

  test('an anchor for another channel, though signed by the same keys, is refused', async () => {
    const elsewhere = await createTestLedger(a, { identities: ledger.identities, channel: 'other' });
    elsewhere.elect('center-1');
    elsewhere.submit('department-1');
    expect(await refused(anchorArgument(elsewhere.anchorOf(1, 1, { withElection: true })))).toEqual({
      code: 'RECIPIENT_MISMATCH',
      details: { reason: 'ledger' },
    });
    const renamed = await createTestLedger(a, { identities: ledger.identities, channel: 'other', name: ledger.name });
    renamed.elect('center-1');
    renamed.submit('department-1');
    expect(await refused(anchorArgument(renamed.anchorOf(1, 1, { withElection: true })))).toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });
});
