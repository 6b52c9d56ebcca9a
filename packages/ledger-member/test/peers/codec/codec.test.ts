import fc from 'fast-check';
import { isWaymarkError } from '@waymark/protocol';
import type { Message, Snapshot, Vote } from '@waymark/rsl';
import { type Append, type AppendReply_Result, LedgerEnvelope, type LedgerMessage } from '@waymark/transport/ledger';
import { decodeEnvelope, encodeEnvelope } from '../../../src/peers/codec/envelope.ts';
import { append, entryAt } from '../messages.ts';
import { messages, messagesByType } from './arbitraries.ts';

test.each(Object.entries(messagesByType))('%s: what is read is what was written', (_type, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, (message) => {
      expect(decodeEnvelope(encodeEnvelope({ kind: 'message', message }))).toEqual({ kind: 'message', message });
    }),
    { numRuns: 60 },
  );
});

test('bytes that were changed are another envelope or refused with input-invalid, never anything else', () => {
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() });
  fc.assert(
    fc.property(messages, fc.array(change, { minLength: 1, maxLength: 4 }), (message, changes) => {
      let bytes = Uint8Array.from(encodeEnvelope({ kind: 'message', message }));
      for (const { at, to, cut } of changes) {
        bytes[at % bytes.length] = to;
        if (cut) bytes = bytes.slice(0, Math.max(1, at % bytes.length));
      }
      decodedOrRefused(bytes);
    }),
    { numRuns: 600 },
  );
});

test('random bytes are refused with input-invalid', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodedOrRefused), { numRuns: 1_000 });
});

function decodedOrRefused(bytes: Uint8Array): void {
  try {
    decodeEnvelope(bytes);
  } catch (error) {
    if (!isWaymarkError(error) || error.code !== 'input-invalid') throw error;
  }
}

describe('what is too much or does not belong there', () => {
  const entry = entryAt(1);
  const { candidate } = entry;
  const seal = entry.seal as NonNullable<typeof entry.seal>;
  const vote: Vote = {
    ledger: 'firm',
    epoch: 1,
    term: 1,
    candidate: 'a',
    voter: 'b',
    logEnd: { sealed: { height: 0, term: 0, hash: '' }, candidate: null },
    signature: '',
  };
  const snapshot: Snapshot = {
    height: 1,
    salt: '',
    cursors: [],
    configuration: { epoch: 1, members: ['a'], learners: [], eligible: ['a'], profile: { center: 'trusted' } },
    configurations: [],
    seals: [],
  };
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
  const offer = (parts: Partial<Snapshot>): Message => ({
    type: 'snapshot',
    from: 'a',
    to: 'b',
    term: 1,
    snapshot: { ...snapshot, ...parts },
    election: null,
  });
  const withRecords = (size: { records?: number; submissions?: number; rejected?: number; oid?: string }): Message => {
    const records = times(size.records ?? 1, { oid: size.oid ?? '', leaf: new Uint8Array(32) });
    const [audited] = candidate.content.kind === 'records' ? candidate.content.audited : [];
    const submission = { ...(audited as NonNullable<typeof audited>).submission, records };
    const rejected = times(size.rejected ?? 0, { index: 0, reason: '' });
    const content = { kind: 'records' as const, audited: times(size.submissions ?? 1, { submission, rejected }) };
    return append([{ candidate: { ...candidate, content }, seal: null }]);
  };
  const empty = { ...candidate, content: { kind: 'empty' as const } };

  test.each<[string, Message, Message]>([
    [
      'entries',
      append(times(1_024, { candidate: empty, seal: null })),
      append(times(1_025, { candidate: empty, seal: null })),
    ],
    ['records', withRecords({ records: 10_000 }), withRecords({ records: 10_001 })],
    ['rejections', withRecords({ rejected: 10_000 }), withRecords({ rejected: 10_001 })],
    ['submissions', withRecords({ submissions: 10_000 }), withRecords({ submissions: 10_001 })],
    ['length of an oid', withRecords({ oid: 'o'.repeat(1_024) }), withRecords({ oid: 'o'.repeat(1_025) })],
    [
      'parts in all',
      withRecords({ submissions: 40, rejected: 10_000, records: 0 }),
      withRecords({ submissions: 60, rejected: 10_000, records: 0 }),
    ],
    ['acknowledgements', append([], { seal: { ...seal, certificate: acks(32) } }), append([], { seal: { ...seal, certificate: acks(33) } })], // prettier-ignore
    ['votes', append([], { election: electionOf(32) }), append([], { election: electionOf(33) })],
    ['seals of a snapshot', offer({ seals: times(1_024, seal) }), offer({ seals: times(1_025, seal) })],
    [
      'departments of a snapshot',
      offer({ cursors: times(10_000, { department: 'd', seq: 1, hash: candidate.root }) }),
      offer({ cursors: times(10_001, { department: 'd', seq: 1, hash: candidate.root }) }),
    ],
    [
      'members',
      offer({ configuration: { ...snapshot.configuration, learners: times(32, 'l') } }),
      offer({ configuration: { ...snapshot.configuration, learners: times(33, 'l') } }),
    ],
  ])('%s: the most is read, one more is refused', (_what, most, more) => {
    expect(decodeEnvelope(encodeEnvelope({ kind: 'message', message: most }))).toMatchObject({ kind: 'message' });
    const bytes = encodeEnvelope({ kind: 'message', message: more });
    expectRefused(() => decodeEnvelope(bytes));
  });

  test('a flood of empty parts is refused before it takes memory', () => {
    const message = encodeEnvelope({ kind: 'message', message: append([]) });
    // Field 4 of an append: an empty entry.
    const flood = Buffer.alloc(8 * 1024 * 1024, Uint8Array.of(0x22, 0x00));
    const envelope = LedgerEnvelope.decode(message);
    if (envelope.kind?.$case !== 'message') throw new Error('unreachable');
    const inner = Buffer.concat([Buffer.from([0x22]), varint(flood.length), flood]);
    const bytes = Buffer.concat([Buffer.from([0x1a]), varint(inner.length), inner]);
    const before = process.memoryUsage().heapUsed;
    expectRefused(() => decodeEnvelope(bytes));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
  });

  test.each<[string, (message: LedgerMessage) => void]>([
    ['no sender', (message) => void (message.from = '')],
    ['no body', (message) => void (message.body = undefined)],
    ['a block hash that is none', (message) => void (appendOf(message).prevHash = 'x')],
    ['a seal without a header', (message) => void (sealOf(message).header = undefined)],
    ['a header of another version', (message) => void (headerOf(message).version = 2)],
    ['a header whose root is too short', (message) => void (headerOf(message).root = new Uint8Array(31))],
    ['a header whose body has no CID', (message) => void (headerOf(message).body = 'x')],
    ['a candidate that is none', (message) => void (entryOf(message).candidate = Uint8Array.of(255))],
    [
      'an answer that is none',
      (message) => {
        const reply = { result: 9 as AppendReply_Result, height: 0, sealed: 0, ack: undefined, needsElection: false };
        message.body = { $case: 'appendReply', appendReply: { ...reply, reason: undefined } };
      },
    ],
  ])('%s is refused', (_what, change) => {
    const good = encodeEnvelope({ kind: 'message', message: append([entry], { seal }) });
    const envelope = LedgerEnvelope.decode(good);
    if (envelope.kind?.$case !== 'message') throw new Error('unreachable');
    change(envelope.kind.message);
    const bytes = LedgerEnvelope.encode(envelope).finish();
    expectRefused(() => decodeEnvelope(bytes));
  });

  test('what no core makes is not sent', () => {
    const odd = [append([], { term: -1 }), append([], { seal: { ...seal, signature: 'not base64url!' } })];
    for (const message of odd) {
      expectRefused(() => encodeEnvelope({ kind: 'message', message }));
    }
  });

  function acks(count: number) {
    return times(count, { member: 'm', ackTimeMs: 1, signature: '' });
  }
  function electionOf(votes: number) {
    return { epoch: 1, term: 1, center: 'a', base: null, votes: times(votes, vote) };
  }
});

function expectRefused(run: () => unknown): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'input-invalid' });
}

function appendOf({ body }: LedgerMessage): Append {
  if (body?.$case !== 'append') throw new Error('unreachable');
  return body.append;
}

function entryOf(message: LedgerMessage) {
  return appendOf(message).entries[0] as NonNullable<Append['entries'][0]>;
}

function sealOf(message: LedgerMessage) {
  return appendOf(message).seal?.signed as NonNullable<NonNullable<Append['seal']>['signed']>;
}

function headerOf(message: LedgerMessage) {
  return sealOf(message).header as NonNullable<ReturnType<typeof sealOf>['header']>;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
