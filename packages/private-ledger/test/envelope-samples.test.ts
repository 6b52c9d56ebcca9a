import { createAudit, structuralRules } from '@waymark/audit';
import { attachmentOf, submissionOfBatch } from '@waymark/ledger-member';
import { type BatchLeaf, batchRoot, encodeBatchStatement, WaymarkError } from '@waymark/protocol';
import type { AppendMessage, Candidate, Message, Seal, SealedBlock, Submission } from '@waymark/rsl';
import { createLogger } from '@waymark/service-kit';
import { sealEnvelope } from '@waymark/vault';
import { createAllowance } from '../src/audit/allowance.ts';
import { createEnvelopeSamples, type EnvelopeSamplesParts, type LookOutcome } from '../src/audit/envelope-samples.ts';

const nowMs = Date.UTC(2026, 1, 3, 12);
const [channel, msp, outlet] = ['shipments', 'NorthlineMSP', 'dock-1'];
const ledger = `${msp}/${channel}`;
const apiUrl = 'https://center.example';
const inOrder = () => ({ state: 'in-order' }) as const;
const byte = (value: number, size: number): Uint8Array => new Uint8Array(size).fill(value);

let blocks: Map<string, Uint8Array>;
let asked: string[];
let looked: LookOutcome[];
let atMs: number;
/** Term of the block below, as this member holds it. */
let heldTerm: number | null;
let get: (cid: string) => Promise<Uint8Array>;
beforeEach(() => {
  blocks = new Map();
  [asked, looked, atMs, heldTerm] = [[], [], 0, 4];
  get = (cid) => {
    const bytes = blocks.get(cid);
    const details = { reason: 'missing' };
    return bytes === undefined
      ? Promise.reject(new WaymarkError('unavailable', 'not here', { details }))
      : Promise.resolve(bytes);
  };
});

/** A batch whose envelopes are in the center's store; `sealedBy` seals them. */
function batch(seq: number, count = 3, sealedBy = outlet): Submission {
  const envelopes = Array.from({ length: count }, (_, index) =>
    sealEnvelope({
      channel,
      msp,
      consignmentOid: byte(1, 16),
      epoch: 1,
      ck: byte(2, 32),
      outlet: sealedBy,
      recordOid: byte(seq * 16 + index, 32),
      schema: 'parcel-scan-v1',
      collectedMs: nowMs - 2_000,
      content: Buffer.from('{}'),
    }),
  );
  for (const { cid, bytes } of envelopes) blocks.set(cid.toString(), bytes);
  const leaves: BatchLeaf[] = envelopes.map(({ recordOid, cid }) => ({ recordOid, cid }));
  return submissionOfBatch({
    statement: encodeBatchStatement({
      channel,
      msp,
      outlet,
      certificateDigest: byte(7, 32),
      ledger,
      leaderKid: 'kid',
      seq,
      prevBatchHash: byte(0, 32),
      root: batchRoot(leaves),
      count,
      collectedFromMs: nowMs - 60_000,
      collectedToMs: nowMs - 1_000,
      sentAtMs: nowMs - 500,
      messageId: byte(3, 16),
    }),
    signature: byte(0, 1),
    leaves,
    attached: { tags: leaves.map(() => byte(4, 32)), tokens: leaves.map(() => []), keys: [] },
  });
}

const samplesOf = (parts: Partial<EnvelopeSamplesParts> = {}) =>
  createEnvelopeSamples({
    records: 1,
    maxPerSecond: 10,
    timeoutMs: 20,
    members: { current: () => new Map([['center', { endpoint: '', tlsRootPem: '', apiUrl, publicKeys: new Map() }]]) },
    block: () => (heldTerm === null ? null : ({ seal: sealOf(heldTerm) } as SealedBlock)),
    standingOf: inOrder,
    identityPem: { certificateChainPem: '', privateKeyPem: '' },
    logger: createLogger({ service: 'test', level: 'silent' }),
    onLooked: (outcome) => void looked.push(outcome),
    nowMs: () => nowMs,
    monotonicMs: () => atMs,
    open: (url) => {
      expect(url).toBe(apiUrl);
      return {
        get: (cid) => {
          asked.push(cid.toString());
          return get(cid.toString());
        },
        close: () => Promise.resolve(),
      };
    },
    ...parts,
  });

const sealOf = (term: number): Seal => ({ header: { term } }) as Seal;

/** The center's message with one open candidate of the fourth term. */
function proposing(submissions: readonly Submission[], changes: Partial<AppendMessage> = {}): AppendMessage {
  const content = {
    kind: 'records',
    audited: submissions.map((submission) => ({ submission, rejected: [] })),
  } as const;
  const candidate = { height: 9, term: 4, center: 'center', content } as unknown as Candidate;
  const message = { type: 'append', from: 'center', to: 'department-1', term: 4, election: null, seal: null } as const;
  return { ...message, prev: { height: 8, hash: '' }, entries: [{ candidate, seal: null }], ...changes };
}

const department = ({ findings }: ReturnType<typeof samplesOf>) =>
  createAudit({
    rules: structuralRules({ skewMs: 60_000 }),
    facts: findings,
    attachmentOf,
    standingOf: inOrder,
    toleranceMs: 600_000,
    isRecorded: () => false,
  });
const accepts = (samples: ReturnType<typeof samplesOf>, submission: Submission): boolean =>
  submission.records.every((record) => department(samples).followsAcceptance(submission, record, { nowMs, height: 9 }));

test('one record of each submission is looked at once, and what is intact is acknowledged', async () => {
  const samples = samplesOf();
  const submissions = [batch(1), batch(2)];
  await samples.prepare(proposing(submissions));
  expect(asked).toHaveLength(2);
  expect(looked).toEqual(['read', 'read']);
  expect(submissions.every((submission) => accepts(samples, submission))).toBe(true);
  // The same candidate comes with every heartbeat.
  expect(samples.prepare(proposing(submissions))).toBeUndefined();
});

test('an envelope that the center itself does not have, or that is another record’s, is a reason not to acknowledge', async () => {
  const samples = samplesOf({ records: 3 });
  const absent = batch(1);
  blocks.clear();
  const foreign = batch(2, 3, 'dock-2');
  await samples.prepare(proposing([absent, foreign]));
  expect(looked).toContain('absent');
  expect([accepts(samples, absent), accepts(samples, foreign)]).toEqual([false, false]);
});

test('an envelope that was absent is looked for again, and counts once it is there', async () => {
  const samples = samplesOf({ records: 3 });
  const submission = batch(1);
  const kept = new Map(blocks);
  blocks.clear();
  await samples.prepare(proposing([submission]));
  expect(accepts(samples, submission)).toBe(false);
  for (const [cid, bytes] of kept) blocks.set(cid, bytes);
  await samples.prepare(proposing([submission]));
  expect(accepts(samples, submission)).toBe(true);
});

test('what one center did not have is no reason against another that repeats its candidate, or against who has it for a catch-up', async () => {
  const repeated = (submissions: readonly Submission[]): Message => {
    heldTerm = 3;
    return proposing(submissions);
  };
  const passedOn = (submissions: readonly Submission[]): Message => {
    const { entries } = proposing(submissions);
    return { type: 'blocks', from: 'standby', to: 'department-1', term: 4, snapshot: null, entries };
  };
  for (const again of [repeated, passedOn]) {
    heldTerm = 4;
    const samples = samplesOf({ records: 3 });
    const submission = batch(1);
    blocks.clear();
    await samples.prepare(proposing([submission]));
    expect(accepts(samples, submission)).toBe(false);
    await samples.prepare(again([submission]));
    expect(accepts(samples, submission)).toBe(true);
  }
});

test('a content store that does not answer, or answers with something else, concludes nothing and is left alone for a while', async () => {
  for (const fault of [
    () => new Promise<Uint8Array>(() => undefined),
    () => Promise.reject(new WaymarkError('unavailable', 'no connection')),
    () => Promise.reject(new WaymarkError('data-abnormal', 'altered on the way')),
  ]) {
    const samples = samplesOf();
    [asked, looked] = [[], []];
    get = fault;
    const submission = batch(1);
    await samples.prepare(proposing([submission]));
    expect(looked).toEqual(['unreachable']);
    expect(accepts(samples, submission)).toBe(true);
    expect(samples.prepare(proposing([batch(2)]))).toBeUndefined();
    atMs += 15_001;
    const again = samples.prepare(proposing([batch(2)]));
    expect(again).toBeDefined();
    await again;
  }
});

test('a content store that answers late is asked again as soon as it has answered', async () => {
  const samples = samplesOf();
  const late = Promise.withResolvers<Uint8Array>();
  get = () => late.promise;
  await samples.prepare(proposing([batch(1)]));
  expect(samples.prepare(proposing([batch(2)]))).toBeUndefined();
  late.resolve(new Uint8Array());
  await new Promise(setImmediate);
  expect(samples.prepare(proposing([batch(2)]))).toBeDefined();
});

test('what is sealed, what a new center may repeat, what another member passes on, and empty blocks are not looked at', () => {
  const samples = samplesOf();
  const { entries } = proposing([batch(1)]);
  const sealed = entries.map(({ candidate }) => ({ candidate, seal: sealOf(4) }));
  expect(samples.prepare(proposing([], { entries: sealed }))).toBeUndefined();
  heldTerm = 3;
  expect(samples.prepare(proposing([], { entries }))).toBeUndefined();
  heldTerm = null;
  expect(samples.prepare(proposing([], { entries }))).toBeUndefined();
  expect(samples.prepare(proposing([], { entries, seal: sealOf(3) }))).toBeUndefined();
  heldTerm = 4;
  expect(samples.prepare(proposing([], { entries, from: 'standby' }))).toBeUndefined();
  expect(samples.prepare(proposing([]))).toBeUndefined();
  expect(asked).toEqual([]);
  // With the block below in the same message it is told from that, unless this member holds it.
  const below = [...sealed, ...entries];
  heldTerm = null;
  expect(samples.prepare(proposing([], { entries: below }))).toBeDefined();
});

test('a center that shows a false seal for a block that this member holds is looked at all the same (R4)', () => {
  const samples = samplesOf();
  const { entries } = proposing([batch(1)]);
  expect(samples.prepare(proposing([], { entries, seal: sealOf(3) }))).toBeDefined();
});

test('with 0 records, or at a center whose store has no address, nothing is looked at', async () => {
  expect(samplesOf({ records: 0 }).prepare(proposing([batch(1)]))).toBeUndefined();
  await samplesOf({ members: { current: () => new Map() } }).prepare(proposing([batch(1)]));
  expect(asked).toEqual([]);
});

test('in a second not more submissions are looked at than is allowed, drawn at random', async () => {
  const samples = samplesOf({ maxPerSecond: 4 });
  const many = Array.from({ length: 10 }, (_, index) => batch(index + 1, 1));
  await samples.prepare(proposing(many));
  expect(asked).toHaveLength(4);
  expect(samples.prepare(proposing(many))).toBeUndefined();
  atMs += 500;
  await samples.prepare(proposing(many));
  expect(asked).toHaveLength(6);
  expect(new Set(asked).size).toBe(6);
});

test('what an allowance has not given in a second is not saved up further', () => {
  const allowance = createAllowance(10, () => atMs);
  expect(allowance.take(100)).toBe(10);
  atMs += 50;
  expect(allowance.take(1)).toBe(0);
  atMs += 10_000;
  expect(allowance.take(100)).toBe(10);
});
