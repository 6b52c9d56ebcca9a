/** Measures the pure core at one batch size, in a process of its own: `rsl-core-side.ts BATCH MILLISECONDS`. */
import { randomFillSync } from 'node:crypto';
import { cidOfRaw } from '@waymark/protocol';
import {
  createCore,
  createCrypto,
  type Message,
  noSubmission,
  type RslCore,
  type Submission,
  submissionStatement,
} from '@waymark/rsl';

const batch = Number(process.argv[2]);
const durationMs = Number(process.argv[3]);
const members = ['center', 'b', 'c', 'd'];
const ledger = 'firm/channel';
const body = cidOfRaw(Buffer.from('body')).toString();
const crypto = createCrypto({ bodyId: () => body, signBytes: () => 'signature', verifyBytes: () => true });
const makeReady = 64;

const cores = new Map<string, RslCore>(members.map((id) => [id, makeCore(id)]));
const spent = { center: 0, department: 0 };
let steps = 0;
let records = 0;
let height = 0;

const centerCore = coreOf('center');
centerCore.campaign();
settle();
const source = submissions();
// Warm-up: a fifth of the time is not counted.
runFor(durationMs / 5);
spent.center = spent.department = steps = records = 0;
runFor(durationMs);
const center = (records / spent.center) * 1_000;
// Three departments did the work of one each.
const department = (records / (spent.department / 3)) * 1_000;
process.stdout.write(
  JSON.stringify({
    batch,
    recordsPerSecond: Math.min(center, department),
    centerRecordsPerSecond: center,
    departmentRecordsPerSecond: department,
    stepsPerSecond: (steps / spent.center) * 1_000,
    bytesPerRecord: bytesPerRecord(),
  }),
);

function makeCore(id: string): RslCore {
  let seed = id.charCodeAt(0);
  return createCore({
    ledger,
    id,
    configuration: {
      epoch: 1,
      members: [...members].sort(),
      learners: [],
      eligible: ['center'],
      profile: { center: 'lying', colluding: 0 },
    },
    crypto,
    audit: {
      record: () => null,
      followsRejection: () => true,
      followsAcceptance: () => true,
      isRecorded: () => false,
    },
    random: () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0),
  });
}

function coreOf(id: string): RslCore {
  const core = cores.get(id);
  if (core === undefined) throw new Error(`there is no member ${id}`);
  return core;
}

/** Runs one member's inputs and duties, and charges it for the processor time of the whole process: what else the machine does is left out. */
function charge<T>(id: string, work: () => T): T {
  const side = id === 'center' ? 'center' : 'department';
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  spent[side] += (user + system) / 1_000;
  return result;
}

function duties(core: RslCore): Message[] {
  const messages: Message[] = [];
  while (core.hasReady()) {
    const ready = core.ready();
    messages.push(...ready.early, ...ready.messages);
    core.advance();
  }
  return messages;
}

function settle(): void {
  let wire: Message[] = members.flatMap((id) => charge(id, () => duties(coreOf(id))));
  while (wire.length > 0) {
    const answers: Message[] = [];
    for (const id of members) {
      const inbox = wire.filter(({ to }) => to === id);
      if (inbox.length === 0) continue;
      if (id === 'center') steps += inbox.length;
      const core = coreOf(id);
      const out = charge(id, () => {
        for (const message of inbox) core.step(message, 1_000);
        return duties(core);
      });
      answers.push(...out);
    }
    wire = answers;
  }
}

function runFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    pass(made(Math.max(1, Math.min(makeReady, 4_096 / batch))));
    compactAll();
  }
}

function made(count: number): Submission[] {
  return Array.from({ length: count }, () => source.next().value);
}

/** One submission a block, up to its confirmation: the batch size is the block size, and the two blocks that confirm it are paid for as well. */
function pass(list: readonly Submission[]): void {
  for (const submission of list) {
    charge('center', () => coreOf('center').propose(submission, 1_000));
    steps += 1;
    settle();
    records += batch;
  }
}

/** What one member allocates for a record, the mean over all four: heap growth while nothing is collected (this process has a young generation that is large enough). */
function bytesPerRecord(): number {
  const list = made(Math.max(1, Math.min(makeReady, 4_096 / batch)));
  const samples: number[] = [];
  for (const submission of list) {
    global.gc?.();
    const before = process.memoryUsage().heapUsed;
    pass([submission]);
    samples.push(process.memoryUsage().heapUsed - before);
  }
  samples.sort((a, b) => a - b);
  return (samples[Math.floor(samples.length / 2)] ?? 0) / batch / members.length;
}

function compactAll(): void {
  for (const id of members) {
    const core = coreOf(id);
    height = core.status().confirmed.height;
    if (height > 0) core.compact(height);
    duties(core);
  }
}

function* submissions(): Generator<Submission, never> {
  let prev = noSubmission;
  let count = 0;
  for (let seq = 1; ; seq += 1) {
    const list = Array.from({ length: batch }, () => {
      count += 1;
      return { oid: count.toString(16).padStart(64, '0'), leaf: randomFillSync(new Uint8Array(32)) };
    });
    const made = {
      ledger,
      department: 'b',
      seq,
      prev,
      root: crypto.merkleRoot(list.map(({ leaf }) => leaf)),
      records: list,
      attachment: new Uint8Array(0),
    };
    const hash = crypto.digest(submissionStatement(made));
    prev = hash;
    yield { ...made, hash, signature: 'signature' };
  }
}
