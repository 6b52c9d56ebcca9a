import { setTimeout as after } from 'node:timers/promises';
import fc from 'fast-check';
import {
  contentRules,
  createFactStore,
  type EnvelopeFinding,
  gatherFacts,
  type GatherOptions,
  type GatherPorts,
  standingByRegister,
  structuralRules,
} from '../src/index.ts';
import { attachmentOf, contentOf, headerOfRecord, nowMs, statementOf, submissionOf } from './records.ts';

const rules = [...structuralRules({ skewMs: 60_000, schemas: ['parcel-scan-v1'] }), ...contentRules(['seller'])];
const options = (ports: GatherPorts, more: Partial<GatherOptions> = {}): GatherOptions => ({
  rules,
  attachmentOf,
  standingOf: () => ({ state: 'in-order' }),
  nowMs,
  ports,
  ...more,
});

/** Ways in which an envelope may be found. */
const findings: readonly ((index: number) => EnvelopeFinding)[] = [
  (index) => headerOfRecord(index),
  (index) => headerOfRecord(index, { schema: 'other' }),
  (index) => headerOfRecord(index, { outlet: 'dock-2' }),
  () => 'absent',
  () => 'malformed',
];

describe('gathering', () => {
  test('verdicts depend on each record alone: the same at once or slowly, in whatever order answers come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(findings.length - 1), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        async (ways, seed) => {
          const submission = submissionOf(ways.length);
          const find = (index: number): EnvelopeFinding =>
            (findings[ways[index] ?? 0] as (typeof findings)[number])(index);
          const atOnce = await gatherFacts(submission, options({ envelope: ({ index }) => find(index) }));
          const turns = (index: number): number => (index * 7 + seed) % 5;
          const slowly = async ({ index }: { index: number }): Promise<EnvelopeFinding> => {
            for (let turn = turns(index); turn > 0; turn -= 1) await Promise.resolve();
            return find(index);
          };
          const inTurns = await gatherFacts(submission, options({ envelope: slowly }, { concurrency: 3 }));
          expect(new Map([...inTurns.verdicts].toSorted())).toEqual(new Map([...atOnce.verdicts].toSorted()));
          const alone = await Promise.all(
            submission.records.map(async (entry, index) => {
              const found = await gatherFacts(submission, options({ envelope: (place) => find(place.index) }));
              return found.verdicts.get(entry.oid) === atOnce.verdicts.get(entry.oid) && index >= 0;
            }),
          );
          expect(alone.every(Boolean)).toBe(true);
          expect(atOnce.verdicts.size).toBe(ways.filter((way) => way !== 0).length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('content is opened where keys are held, with the header that was found', async () => {
    const schema = 'waymark/sale/v1';
    const own = { rules: contentRules(['seller']) };
    const envelope = ({ index }: { index: number }): EnvelopeFinding => headerOfRecord(index, { schema });
    const content: GatherPorts['content'] = ({ index }, header) =>
      index === 0 ? 'sealed' : Promise.resolve(contentOf(header.schema, {}));
    const { verdicts } = await gatherFacts(submissionOf(2), options({ envelope, content }, own));
    expect([...verdicts.values()]).toEqual(['sale-number-missing']);
  });

  test('no more port calls are under way at once than were allowed', async () => {
    let [running, most] = [0, 0];
    const envelope = async ({ index }: { index: number }): Promise<EnvelopeFinding> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return headerOfRecord(index);
    };
    await gatherFacts(submissionOf(50), options({ envelope }, { concurrency: 4 }));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('a port that fails, and one that does not answer in time, conclude nothing', async () => {
    const failing = options({ envelope: () => Promise.reject(new Error('no route')) });
    await expect(gatherFacts(submissionOf(1), failing)).rejects.toMatchObject({ code: 'unavailable' });
    const throwing = options({
      envelope: () => {
        throw new Error('closed');
      },
    });
    await expect(gatherFacts(submissionOf(1), throwing)).rejects.toMatchObject({ code: 'unavailable' });
    let aborted = false;
    const silent = options(
      {
        envelope: (_place, signal) =>
          after(60_000, headerOfRecord(0), { signal }).catch((error: unknown) => {
            aborted = true;
            throw error;
          }),
      },
      { timeoutMs: 20 },
    );
    await expect(gatherFacts(submissionOf(1), silent)).rejects.toMatchObject({ code: 'unavailable' });
    await new Promise(setImmediate);
    expect(aborted).toBe(true);
  });

  test('a sample looks at so many records and keeps what it found', async () => {
    const looked = new Set<number>();
    const envelope = ({ index }: { index: number }): EnvelopeFinding => {
      looked.add(index);
      return headerOfRecord(index);
    };
    const sample = { records: 5, random: () => 0.999_999 };
    const { findings: kept, verdicts } = await gatherFacts(submissionOf(40), options({ envelope }, { sample }));
    expect(looked.size).toBe(5);
    expect(kept.size).toBe(5);
    expect(verdicts.size).toBe(0);
    const all = await gatherFacts(submissionOf(3), options({ envelope }, { sample }));
    expect(all.findings.size).toBe(3);
  });

  test('an attachment that is none is refused', async () => {
    const submission = { ...submissionOf(1), attachment: new Uint8Array(3) };
    await expect(gatherFacts(submission, options({}))).rejects.toMatchObject({ code: 'input-invalid' });
  });
});

describe('the store of facts', () => {
  const nothing = { verdicts: new Map(), findings: new Map() };

  test('at a center takes no more when it is full, until something is decided', () => {
    const store = createFactStore({ maxSubmissions: 2 });
    store.put('a', nothing);
    store.put('b', nothing);
    store.put('b', nothing);
    expect(() => store.put('c', nothing)).toThrow('Too many submissions');
    store.forget('a');
    store.put('c', nothing);
    expect([store.size, store.get('a')]).toEqual([2, undefined]);
    store.clear();
    expect(store.size).toBe(0);
  });

  test('at a department lets the oldest go', () => {
    const store = createFactStore({ maxSubmissions: 2, whenFull: 'evict-oldest' });
    for (const hash of ['a', 'b', 'c']) store.put(hash, nothing);
    expect([store.size, store.get('a')]).toEqual([2, undefined]);
  });
});

describe('a standing by the register', () => {
  const digest = '07'.repeat(32);
  const node = (changes: object = {}) => ({
    kind: 'outlet',
    revoked: false,
    certificates: new Map<string, 'valid' | 'revoked'>([[digest, 'valid']]),
    ...changes,
  });

  test.each([
    ['a registered outlet', node(), { state: 'in-order' }],
    ['a registered department', node({ kind: 'department' }), { state: 'in-order' }],
    ['nobody', undefined, { state: 'unknown' }],
    ['a reader', node({ kind: 'reader' }), { state: 'unknown' }],
    ['another certificate', node({ certificates: new Map() }), { state: 'unknown' }],
    ['a revoked node', node({ revoked: true }), { state: 'withdrawn', sinceMs: nowMs }],
    [
      'a revoked certificate',
      node({ certificates: new Map([[digest, 'revoked']]) }),
      { state: 'withdrawn', sinceMs: nowMs },
    ],
  ])('%s', (_name, registered, standing) => {
    expect(standingByRegister({ node: () => registered }, () => nowMs)(statementOf())).toEqual(standing);
  });

  test('remembers since when it knows of a withdrawal', () => {
    let clockMs = nowMs;
    const standingOf = standingByRegister({ node: () => node({ revoked: true }) }, () => clockMs);
    standingOf(statementOf());
    clockMs += 1_000;
    expect(standingOf(statementOf())).toEqual({ state: 'withdrawn', sinceMs: nowMs });
  });
});
