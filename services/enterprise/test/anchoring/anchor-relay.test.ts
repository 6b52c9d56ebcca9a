import { WaymarkError } from '@waymark/protocol';
import type { LedgerAlert } from '@waymark/service-kit';
import { createAnchorRelay } from '../../src/anchoring/anchor-relay.ts';
import type { AnchorRelay, AnchorRelayParts, ElectionNeed, RelayLimits } from '../../src/anchoring/ports.ts';
import { createScriptedChain, type ScriptedChain } from './scripted-chain.ts';
import { createScriptedChannel, type ScriptedChannel } from './scripted-channel.ts';

let scripted: ScriptedChain;
let channel: ScriptedChannel;
let office: { center: boolean; term: number; election: boolean };
let published: [number, number][];
let alerts: LedgerAlert[];
let needs: ElectionNeed[];
let retries: unknown[];
let relays: AnchorRelay[];

beforeEach(() => {
  scripted = createScriptedChain();
  channel = createScriptedChannel();
  office = { center: true, term: 1, election: true };
  [published, alerts, needs, retries, relays] = [[], [], [], [], []];
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
});

/** A clock of the tests' own: waiting takes no time, and is seen. */
function build(parts: Partial<AnchorRelayParts> = {}, limits: Partial<RelayLimits> = {}, channelTakesMs = 0) {
  let nowMs = 0;
  const anchoredAtMs: number[] = [];
  const waits: number[] = [];
  const relay = createAnchorRelay({
    mspId: 'Org1MSP',
    chain: scripted.chain,
    member: scripted.member('center-1', office),
    channel: {
      head: () => channel.head(),
      configure: (configuration) => channel.configure(configuration),
      anchor: (range) => {
        nowMs += channelTakesMs;
        return channel.anchor(range);
      },
    },
    replica: channel.replica,
    publish(first, last) {
      published.push([first, last]);
      return Promise.resolve();
    },
    onAnchored: () => void anchoredAtMs.push(nowMs),
    needsElection: (why) => void needs.push(why),
    onAlert: (alert) => void alerts.push(alert),
    onRetry: (error) => void retries.push(error),
    async delay(delayMs, signal) {
      if (signal.aborted) return;
      waits.push(delayMs);
      nowMs += delayMs;
      await new Promise((resolve) => setImmediate(resolve));
      if (waits.length > 200) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
    nowMs: () => nowMs,
    limits: { firstRetryMs: 1, longestRetryMs: 1, ...limits },
    ...parts,
  });
  relays.push(relay);
  relay.start();
  return { relay, anchoredAtMs, nowMs: () => nowMs };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it does not come to pass');
}

const anchoredTo = (height: number) => until(() => channel.ranges.at(-1)?.last === height);

/** The ranges cover each block exactly once, in order. */
function expectEachOnce(height: number): void {
  expect(
    channel.ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  ).toEqual(Array.from({ length: height }, (_, index) => index + 1));
}

test.each([
  [1_500, 'no sooner than the least interval', 2_000],
  [250, 'sooner where the channel answers fast, which is left to others for half of the time', 500],
])(
  'what is confirmed goes in one range at once; where an anchor takes %i ms the next one goes %s',
  async (tookMs, _rule, beganMs) => {
    scripted.grow(8);
    const { anchoredAtMs } = build({}, { maxRangeBlocks: 5, pollMs: 700 }, tookMs);
    await anchoredTo(8);
    expect(anchoredAtMs).toEqual([tookMs, beganMs + tookMs]);
    expect(channel.ranges.map(({ first, last }) => [first, last])).toEqual([[1, 5], [6, 8]]); // prettier-ignore
    expect(published).toEqual([[1, 5], [6, 8]]); // prettier-ignore
  },
);

test('an election goes with the first anchor of a term only', async () => {
  scripted.grow(4);
  build({}, { maxRangeBlocks: 2 });
  await anchoredTo(4);
  office.term = 3;
  scripted.grow(2, { term: 3 });
  await anchoredTo(6);
  expect(channel.elections).toEqual([1, 3]);
});

test('nothing is sent before its blocks can be had', async () => {
  scripted.grow(2);
  const stored = Promise.withResolvers<undefined>();
  build({ publish: () => stored.promise });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(channel.calls).toHaveLength(0);
  stored.resolve(undefined);
  await anchoredTo(2);
});

test('blocks without records wait for one with records; an idle firm’s last block is anchored all the same', async () => {
  scripted.grow(1, { accepted: 0 });
  const { nowMs } = build({}, { emptyBlocksWaitMs: 40_000 });
  await anchoredTo(1);
  expect(nowMs()).toBeGreaterThanOrEqual(40_000);
});

test('without its election a center asks for a new one, and sends nothing', async () => {
  scripted.grow(2);
  office.election = false;
  build();
  await until(() => needs.length > 0);
  expect(needs[0]).toBe('lost');
  expect(channel.calls).toHaveLength(0);
  office.election = true;
  office.term = 2;
  await anchoredTo(2);
});

test('a member that is not the center sends nothing', async () => {
  scripted.grow(2);
  office.center = false;
  const { relay } = build();
  await until(() => relay.phase === 'idle');
  expect(channel.calls).toHaveLength(0);
  office.center = true;
  await anchoredTo(2);
});

test('the members of an epoch go to the channel by themselves, before anything of it', async () => {
  scripted.grow(2);
  scripted.change();
  scripted.grow(3);
  build({}, { maxRangeBlocks: 2 });
  await anchoredTo(6);
  expect(channel.configured).toEqual([2]);
  expectEachOnce(6);
});

test('the members of an epoch wait for nothing: a certificate under their proof may be revoked later', async () => {
  scripted.change();
  build({}, { emptyBlocksWaitMs: 1e9 });
  await until(() => channel.configured.length > 0);
  expect(channel.calls).toEqual([]);
});

describe('with a certificate revoked that lower blocks were acknowledged with', () => {
  /** Blocks from here on do without it. */
  let cleanFrom: number;
  beforeEach(() => {
    cleanFrom = 5;
    channel.before = ({ last }) => {
      if (last >= cleanFrom) return;
      const details = { enrolmentId: 'department-2', reason: 'certificate-revoked' };
      throw new WaymarkError('certificate-revoked', 'revoked', { details, cause: new Error('chaincode') });
    };
  });

  test('a longer range than usual is anchored', async () => {
    scripted.grow(8);
    build({}, { maxRangeBlocks: 2 });
    await anchoredTo(8);
    expect(channel.ranges.map(({ first, last }) => [first, last])).toEqual([[1, 8]]);
    expect(needs).toEqual([]);
  });

  test('at the top of the chain a new election is asked for, and the next blocks are waited for', async () => {
    scripted.grow(3);
    const { relay } = build();
    await until(() => needs.includes('not-taken'));
    const sent = channel.calls.length;
    relay.wake();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(channel.calls).toHaveLength(sent);
    scripted.grow(3);
    relay.wake();
    await anchoredTo(6);
    expectEachOnce(6);
  });
});

test('a channel that holds another block than the own chain is an alert, and the end', async () => {
  scripted.grow(3);
  channel.plant({
    first: 1,
    last: 2,
    hash: scripted.headers[2]?.prev === '' ? '' : 'bafyother',
    term: 1,
    center: 'center-1',
  });
  const { relay } = build();
  await until(() => alerts.length > 0);
  expect(alerts[0]).toMatchObject({
    kind: 'anchor-mismatch',
    height: 2,
    anchored: 'bafyother',
    held: scripted.headers[2]?.prev,
  });
  expect(relay.phase).toBe('mismatch');
  expect(channel.calls).toHaveLength(0);
});

test('a channel above the own chain is waited for, and is an alert when it stays so', async () => {
  scripted.grow(1);
  channel.plant({ first: 1, last: 4, hash: 'bafyother', term: 1, center: 'center-1' });
  const { relay, nowMs } = build();
  await until(() => alerts.length > 0);
  expect(nowMs()).toBeGreaterThanOrEqual(30_000);
  expect(alerts[0]).toMatchObject({ kind: 'anchor-mismatch', height: 4, held: '' });
  expect(relay.phase).toBe('mismatch');
});

test('a center whose disk was rewritten signs nothing, and says so', async () => {
  scripted.grow(4);
  const [, second] = scripted.headers;
  if (second === undefined) throw new Error('four blocks are there');
  scripted.headers[1] = { ...second, accepted: 7 };
  build();
  await until(() => alerts.length > 0);
  expect(alerts[0]).toMatchObject({ kind: 'chain-damaged', height: 2 });
  expect(channel.calls).toHaveLength(0);
});

test('what may not be anchored yet holds up what is above it, and nothing else', async () => {
  scripted.grow(4);
  let highest = 2;
  const { relay } = build({ mayAnchor: (_first, last) => Math.min(last, highest) });
  await anchoredTo(2);
  highest = 4;
  relay.wake();
  await anchoredTo(4);
});

test('a backlog above its limit is full, and is not when it has been anchored', async () => {
  scripted.grow(9, { accepted: 10, rejected: 1 });
  office.center = false;
  const { relay } = build({}, { maxBacklogBlocks: 9 });
  expect(relay.backlog()).toMatchObject({ blocks: 9, full: true });
  office.center = true;
  await anchoredTo(9);
  expect(relay.backlog()).toEqual({ blocks: 0, records: 0, full: false });
});

test('two relays at once anchor each block once', async () => {
  scripted.grow(40);
  build({}, { maxRangeBlocks: 3, minIntervalMs: 0 });
  build({}, { maxRangeBlocks: 4, minIntervalMs: 0 });
  await anchoredTo(40);
  expectEachOnce(40);
});

/** Faults of one run, drawn from a seed. */
function faultsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each(Array.from({ length: 16 }, (_, seed) => seed + 1))(
  'whatever crashes or is lost, each block is in exactly one anchor (seed %i)',
  async (seed) => {
    const random = faultsOf(seed);
    const unavailable = (): WaymarkError => new WaymarkError('unavailable', 'lost');
    const mayFail = (): void => {
      if (random() < 0.25) throw unavailable();
    };
    /** Calls that were sent by a relay that is gone: they arrive later, or never. */
    channel.before = async () => {
      mayFail();
      if (random() < 0.3) for (let turns = random() * 20; turns > 0; turns -= 1) await new Promise(setImmediate);
    };
    channel.after = () => mayFail();
    const publish = (first: number, last: number): Promise<void> => {
      if (random() < 0.2) return Promise.reject(unavailable());
      published.push([first, last]);
      return Promise.resolve();
    };
    const limits = { maxRangeBlocks: 1 + Math.floor(random() * 6), minIntervalMs: random() < 0.5 ? 0 : 10 };
    let total = 0;
    for (let life = 0; life < 6; life += 1) {
      const more = 1 + Math.floor(random() * 8);
      total += more;
      if (random() < 0.2) {
        scripted.change();
        total += 1;
      }
      if (random() < 0.3) office.term += 1;
      scripted.grow(more, { term: office.term });
      const { relay } = build({ publish }, limits);
      const goal = Math.min(total, (channel.ranges.at(-1)?.last ?? 0) + Math.ceil(random() * more));
      await until(() => (channel.ranges.at(-1)?.last ?? 0) >= goal);
      // Killed where it stands: nobody waits for what it has sent.
      if (random() < 0.5) void relay.stop();
      else await relay.stop();
    }
    build({ publish }, limits);
    await anchoredTo(total);
    expectEachOnce(total);
    for (const { first, last } of channel.ranges)
      for (let height = first; height <= last; height += 1)
        expect(published.some(([from, to]) => from <= height && height <= to)).toBe(true);
    expect(channel.elections).toEqual([...new Set(channel.ranges.map(({ term }) => term))]);
    expect(alerts).toEqual([]);
  },
);
