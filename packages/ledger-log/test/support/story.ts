import { isDeepStrictEqual } from 'node:util';
import type { PersistStep } from '@waymark/rsl';
import { type Draw, PowerLossError, type SimulatedFiles } from '@waymark/testing/simulated-files';
import type { LedgerLog, LogPosition } from '@waymark/ledger-log';
import { openOn } from './log.ts';
import { candidateStep, hardState, sealStep, submission } from './steps.ts';

/** A log that a test writes to, and what must be in it after any crash. */
export interface Story {
  /** Everything that was acknowledged. */
  durable: PersistStep[];
  /** What was called for and not answered, in order. */
  pending: { readonly kind: 'append' | 'checkpoint'; readonly steps: readonly PersistStep[] }[];
  position: LogPosition | undefined;
  /** Marks each step, so that none looks like another. */
  count: number;
}

export const newStory = (): Story => ({ durable: [], pending: [], position: undefined, count: 0 });

const options = { maxSegmentSizeBytes: 3_000 };

/** Writes until it has done `actions` things or power is lost. */
export async function write(files: SimulatedFiles, story: Story, actions: number, draw: Draw): Promise<void> {
  try {
    let log = await open(files, story);
    for (let action = 0; action < actions; action += 1) {
      const what = draw(12);
      if (what === 0) {
        await log.close();
        log = await open(files, story);
      } else if (what === 1) await note(story, log, 'checkpoint', checkpointOf(story));
      else if (what < 5) {
        // Several callers at once.
        await Promise.all([1, 2, 3].map(() => note(story, log, 'append', nextSteps(story, draw))));
      } else await note(story, log, 'append', nextSteps(story, draw));
      story.position = log.position();
    }
  } catch (fault) {
    // The log stops for good; what was called for may be there or not.
    if (files.hasPower() || !isPowerLoss(fault)) throw fault;
  }
}

/** Opens what a crash left behind. Throws when something acknowledged is missing or something else is there. */
export async function open(files: SimulatedFiles, story: Story): Promise<LedgerLog> {
  const log = await openOn(files, options);
  const { steps } = log.restored;
  const possible = outcomes(story);
  if (!possible.some((outcome) => isDeepStrictEqual(outcome, steps))) {
    throw new Error(
      `restored ${steps.length} steps (${steps.map(({ type }) => type).join(' ')}); possible were ${possible.map(({ length }) => length).join(', ')}`,
    );
  }
  if (story.position !== undefined && log.standingOf(story.position) !== 'held')
    throw new Error('the log does not know a position that it announced');
  story.durable = [...steps];
  story.pending = [];
  return log;
}

/** Every content that the log may have: what was acknowledged, and any beginning of the rest. */
function outcomes({ durable, pending }: Story): PersistStep[][] {
  const all = [durable];
  let last = durable;
  for (const { kind, steps } of pending) {
    if (kind === 'checkpoint') all.push((last = [...steps]));
    else for (const step of steps) all.push((last = [...last, step]));
  }
  return all;
}

async function note(
  story: Story,
  log: LedgerLog,
  kind: 'append' | 'checkpoint',
  steps: readonly PersistStep[],
): Promise<void> {
  const entry = { kind, steps };
  story.pending.push(entry);
  await (kind === 'append' ? log.persist(steps) : log.checkpoint(steps));
  // Answers come in the order of the calls.
  if (story.pending.shift() !== entry) throw new Error('an answer came before an earlier one');
  story.durable = kind === 'append' ? [...story.durable, ...steps] : [...steps];
}

function nextSteps(story: Story, draw: Draw): PersistStep[] {
  const all = [...story.durable, ...story.pending.flatMap(({ steps }) => steps)];
  const steps: PersistStep[] = [];
  for (let left = 1 + draw(3); left > 0; left -= 1) {
    const { term, top, isOpen } = entriesOf([...all, ...steps]);
    story.count += 1;
    const choice = draw(6);
    if (choice === 0) steps.push(hardState(term + 1, `candidate ${story.count}`));
    else if (choice === 1 && top > 0) steps.push({ type: 'truncate', height: top });
    else if (choice === 2)
      steps.push({ type: 'submission', submission: submission(story.count, 1 + draw(20)), receipt });
    else if (isOpen) steps.push(sealStep(top, story.count));
    else steps.push(candidateStep(top + 1, story.count, 1 + draw(20)));
  }
  return steps;
}

const receipt = {
  ledger: 'firm/channel',
  department: 'dock',
  seq: 1,
  hash: 'h',
  center: 'center',
  term: 1,
  height: 1,
  acceptedMs: 1,
  signature: 'r',
};

interface Entries {
  readonly term: number;
  readonly last: Extract<PersistStep, { type: 'hard-state' }>;
  readonly top: number;
  readonly isOpen: boolean;
  readonly steps: readonly PersistStep[][];
}

/** What is in the log, told in another way than the log itself does. */
function entriesOf(steps: readonly PersistStep[]): Entries {
  let last: Entries['last'] = { type: 'hard-state', term: 0, votedFor: null, center: null };
  let entries: PersistStep[][] = [];
  for (const step of steps) {
    if (step.type === 'hard-state') last = step;
    else if (step.type === 'candidate') entries = [...entries.slice(0, step.candidate.height - 1), [step]];
    else if (step.type === 'seal') entries = [...entries.slice(0, -1), [...(entries.at(-1) ?? []), step]];
    else if (step.type === 'truncate') entries = entries.slice(0, step.height - 1);
  }
  return {
    term: last.term,
    last,
    top: entries.length,
    isOpen: entries.at(-1)?.length === 1,
    steps: entries,
  };
}

function checkpointOf(story: Story): PersistStep[] {
  const { steps, last } = entriesOf(story.durable);
  return [...steps.flat(), last];
}

function isPowerLoss(fault: unknown): boolean {
  return fault instanceof PowerLossError || (fault instanceof Error && isPowerLoss(fault.cause));
}

/** Numbers from a seed (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** One run: write, lose power somewhere, and again twice with what was left. Answers how many steps were acknowledged before the last crash. */
export async function crashes(files: SimulatedFiles, seed: number): Promise<number> {
  const draw = drawFrom(seed);
  const story = newStory();
  let disk = files;
  for (let life = 0; life < 3; life += 1) {
    disk.losePowerAt(1 + draw(60));
    await write(disk, story, 12, draw);
    disk = disk.afterPowerLoss(draw);
  }
  const log = await open(disk, story);
  await log.close();
  return story.durable.length;
}
