import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatEvidenceId } from '@waymark/protocol';
import { readChain } from './support/chain.ts';
import { type EventCounts, eventCounts } from './support/events.ts';
import { type Acknowledged, digestOf, type Load, type LoadEvent, startLoad } from './support/load.ts';
import { connectOutlet, type SubmitOutcome } from './support/outlet-client.ts';
import { type Draws, drawsFrom, seedOfRun } from './support/random.ts';
import { type Firm, runConsortium, type RunningConsortium } from './support/running-consortium.ts';
import { openTrustedReading } from './support/trusted-reading.ts';

/** Issue 3: at least fifty points. */
const killCount = Number(process.env['WAYMARK_KILLS'] ?? 60);
const loadsPerOutlet = 2;
/** An outlet takes ten thousand at most. */
const recordsPerRequest = 5_000;

type Kind = 'devnet' | 'chaincode' | 'enterprise' | 'department';

interface Victim {
  readonly kind: Kind;
  readonly name: string;
}

/** What one firm's clients hold after the load, and what they hold of the records that came last. */
interface FirmLoad {
  readonly firm: Firm;
  readonly loads: readonly Load[];
}

test(
  'kill -9 at seeded points of every process under load: every acknowledged record comes back once, nothing is twice on the chain',
  async () => {
    const seed = seedOfRun();
    const draws = drawsFrom(seed);
    progress(`seed ${String(seed)} (WAYMARK_SEED sets it)`);
    const running = await runConsortium();
    let firmLoads: readonly FirmLoad[] = [];
    try {
      const events = eventCounts<LoadEvent>();
      firmLoads = await startLoads(running, events, draws);
      const killed = await killAll(running, events, draws);
      progress(`${JSON.stringify(killed)} killed; waiting for what is open`);
      await within(120_000, Promise.all(firmLoads.flatMap(({ loads }) => loads.map((load) => load.finish()))));
      expect(firmLoads.flatMap(({ loads }) => loads.flatMap(({ violations }) => violations))).toEqual([]);

      const figures = { seed, killed, streamsBroken: events.total('broken'), acknowledged: 0, lost: 0, double: 0 };
      for (const firmLoad of firmLoads) {
        progress(`reading back what ${firmLoad.firm.mspId} acknowledged`);
        const outcome = await judge(running, firmLoad);
        figures.acknowledged += outcome.acknowledged;
        figures.lost += outcome.lost.length;
        figures.double += outcome.double.length;
        expect(outcome.lost).toEqual([]);
        expect(outcome.double).toEqual([]);
      }
      progress(JSON.stringify(figures));
      expect(Object.values(killed).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
        Math.min(killCount, 50),
      );
    } finally {
      for (const load of firmLoads.flatMap(({ loads }) => loads)) load.abort();
      await running.end();
    }
  },
  10 * 60_000,
);

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('records stay without an acknowledgement')), deadlineMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function progress(text: string): void {
  process.stderr.write(`kill-9 ${String(Math.round(performance.now() / 1_000))} s: ${text}\n`);
}

async function startLoads(
  { firms }: RunningConsortium,
  events: EventCounts<LoadEvent>,
  draws: Draws,
): Promise<FirmLoad[]> {
  return Promise.all(
    firms.map(async (firm) => {
      const identity = await firm.identity('client');
      const loads = Array.from({ length: loadsPerOutlet }, (_, index) =>
        startLoad({
          firm,
          identity,
          name: `${firm.mspId}-${String(index)}`,
          draws: drawsFrom(draws.between(0, 2 ** 31)),
          onEvent: (event) => events.count(event),
        }),
      );
      return { firm, loads };
    }),
  );
}

/** Kills and restarts until every point was used; returns how many kills each kind of process took. */
async function killAll(
  { consortium }: RunningConsortium,
  events: EventCounts<LoadEvent>,
  draws: Draws,
): Promise<Record<Kind, number>> {
  const victims: Victim[] = [
    ...consortium.channel.nodes.map(({ name }) => ({ kind: 'devnet' as const, name })),
    ...consortium.channel.chaincodes.map(({ name }) => ({ kind: 'chaincode' as const, name })),
    ...consortium.services.map(({ kind, process: { name } }) => ({
      kind: kind === 'center' ? ('enterprise' as const) : ('department' as const),
      name,
    })),
  ];
  const killed: Record<Kind, number> = { devnet: 0, chaincode: 0, enterprise: 0, department: 0 };
  const kinds = Object.keys(killed) as Kind[];
  const order = draws.shuffled(Array.from({ length: killCount }, (_, index) => kinds[index % kinds.length] as Kind));
  const processOf = (name: string) => consortium.processes().find((process) => process.name === name);
  for (const [point, kind] of order.entries()) {
    const victim = draws.pick(victims.filter((item) => item.kind === kind));
    const event = draws.pick(['submitted', 'acknowledged', 'acknowledged', 'anchored'] as const);
    const times = draws.between(1, 40);
    try {
      await events.next(event, times);
    } catch (cause) {
      throw new Error(`before kill ${String(point)} (${victim.name}); ${logTails(consortium.layout.run, victims)}`, {
        cause,
      });
    }
    const process = processOf(victim.name);
    process?.kill('SIGKILL');
    const end = await process?.exited;
    expect(end?.signal).toBe('SIGKILL');
    killed[kind] += 1;
    if (draws.next() < 0.25) killed[kind] += await killWhileStarting(consortium, victim.name, draws);
    await consortium.restart(victim.name);
  }
  // The last restart counts as survived only when work goes on after it.
  await events.next('anchored', 1);
  return killed;
}

/** Kills a process on its way up, at a moment of its start that the seed draws; 1 when it was hit. */
async function killWhileStarting(
  consortium: RunningConsortium['consortium'],
  name: string,
  draws: Draws,
): Promise<number> {
  if (name.startsWith('chaincode-')) return 0;
  const timer = setTimeout(() => killByPidFile(join(consortium.layout.run, `${name}.pid`)), draws.between(80, 600));
  try {
    await consortium.restart(name);
  } catch {
    return 1;
  } finally {
    clearTimeout(timer);
  }
  // It was up before the moment came: it goes the ordinary way.
  const up = consortium.processes().find((item) => item.name === name);
  up?.kill('SIGKILL');
  await up?.exited;
  return 1;
}

function killByPidFile(file: string): void {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
  } catch {
    // Not started yet, or gone already.
  }
}

interface Judgement {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly double: readonly string[];
}

/** Compares what the clients of a firm were told with what its reader, the channel and the outlet say afterwards. */
async function judge(running: RunningConsortium, { firm, loads }: FirmLoad): Promise<Judgement> {
  const acknowledged = new Map<string, Acknowledged>(loads.flatMap((load) => [...load.acknowledged]));
  const lastEvidence = await anchorLast(firm);
  const reading = await openTrustedReading(running, firm);
  try {
    const { written } = await readChain(reading.ledger, [lastEvidence]);
    const own = written.filter(({ msp, outlet }) => msp === firm.mspId && outlet === firm.outletName);
    const ids = own.map(formatEvidenceId);
    const double = ids.filter((id, index) => ids.indexOf(id) !== index);
    expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
    for (const [index, { prev }] of own.entries()) if (index > 0) expect(prev).toBe(own[index - 1]?.batchHash);
    // One more: the record that `anchorLast` submitted.
    expect(own.reduce((sum, { count }) => sum + count, 0)).toBe(acknowledged.size + 1);

    await indexed(reading, last(firm).eventId);
    const lost: string[] = [];
    const asked = [...acknowledged.values()];
    const answers = await reading.trace(asked.map(({ record }) => ({ type: 'event', value: record.eventId })));
    asked.forEach((told, index) => {
      const outcomes = answers[index] ?? [];
      const found = outcomes.flatMap((outcome) => ('record' in outcome ? [outcome.record] : []));
      const [record] = found;
      const same =
        found.length === 1 &&
        outcomes.length === 1 &&
        record?.recordOid === told.recordOid &&
        record.evidenceId === told.evidenceId &&
        record.leafIndex === told.leafIndex &&
        record.evidence.batchHash === told.batchHash &&
        digestOf(record.content) === told.contentDigest;
      if (!same) {
        const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error.code] : []));
        (found.length > 1 ? double : lost).push(
          `${told.record.eventId}: ${String(found.length)} found ${errors.join()}`,
        );
      }
    });
    await sameReceipts(firm, asked);
    const again = await readChain(reading.ledger, [await anchorLast(firm, 1)]);
    expect(again.written.filter(({ msp }) => msp === firm.mspId)).toHaveLength(own.length + 1);
    return { acknowledged: acknowledged.size, lost, double };
  } finally {
    await reading.close();
  }
}

const last = (firm: Firm, revision = 0) => ({
  eventId: `urn:scenario:${firm.mspId}:last`,
  revision,
  consignment: 'last',
  payload: { step: 'last' },
});

/** Submits one record more and waits until it is anchored: then everything the outlet sent before is anchored as well. */
async function anchorLast(firm: Firm, revision = 0): Promise<string> {
  const outlet = connectOutlet(firm, await firm.identity('client'));
  try {
    const [outcome] = await outlet.submit([last(firm, revision)]);
    if (outcome?.anchored === undefined)
      throw new Error(`the last record was not anchored: ${JSON.stringify(outcome)}`);
    return outcome.anchored.evidenceId;
  } finally {
    outlet.close();
  }
}

/** Resolves when the outlet's index knows the record: the index follows the channel. */
async function indexed(reading: Awaited<ReturnType<typeof openTrustedReading>>, eventId: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const [found] = await reading.trace([{ type: 'event', value: eventId }]);
    if (found !== undefined && found.length > 0) return;
    if (Date.now() > deadline) throw new Error('the index does not follow the channel');
  }
}

/** Submits everything once more: each record gets the receipt it has, and no new batch comes of it. */
async function sameReceipts(firm: Firm, asked: readonly Acknowledged[]): Promise<void> {
  const outlet = connectOutlet(firm, await firm.identity('client'));
  try {
    const outcomes: SubmitOutcome[] = [];
    for (let start = 0; start < asked.length; start += recordsPerRequest) {
      const page = asked.slice(start, start + recordsPerRequest);
      outcomes.push(...(await outlet.submit(page.map(({ record }) => record))));
    }
    const others = asked.filter((told, index) => {
      const receipt = outcomes[index]?.anchored;
      return !(
        receipt?.repeated === true &&
        receipt.recordOid === told.recordOid &&
        receipt.evidenceId === told.evidenceId &&
        receipt.leafIndex === told.leafIndex &&
        receipt.batchHash === told.batchHash
      );
    });
    expect(others.map(({ record }) => record.eventId)).toEqual([]);
  } finally {
    outlet.close();
  }
}

function logTails(runFolder: string, victims: readonly Victim[]): string {
  return victims
    .map(({ name }) => {
      const lines = readFileSync(join(runFolder, `${name}.log`), 'utf8')
        .trimEnd()
        .split('\n');
      const tail = lines.slice(-6).map((line) => line.slice(0, 400));
      return `\n--- ${name}\n${tail.join('\n')}`;
    })
    .join('');
}
