import assert from 'node:assert/strict';
import { parseEvidenceId } from '@waymark/protocol';
import { type EventCounts, eventCounts } from '../support/events.ts';
import { anchorMarker, judge } from '../support/judgement.ts';
import { type Acknowledged, type LoadEvent, startLoad } from '../support/load.ts';
import { drawsFrom, seedOfRun } from '../support/random.ts';
import type { Firm } from '../support/running-consortium.ts';
import { readChainInfo } from './channel-config.ts';
import type { System } from './system.ts';

const progressTimeoutMs = 90_000;
/** So that a scenario has a few hundred records to judge and not tens of thousands. */
const ordinaryPauseMs = 60;
/** Records that show that work goes on. */
const enough = 8;

/** What a firm's load did, to wait for. */
export type Progress = (firm: Firm) => EventCounts<LoadEvent>;

let loads = 0;

/**
 * Submits records without pause at two firms, does something to the system, and judges: work goes on afterwards, and every acknowledged
 * record is on the channel exactly once and reads back equal.
 *
 * @param pauseMs between one request of a firm and the next; longer for what takes minutes
 */
export async function underLoad(
  system: System,
  fault: (progress: Progress) => Promise<void>,
  pauseMs = ordinaryPauseMs,
): Promise<void> {
  const { running, runId } = system;
  loads += 1;
  const name = `load-${runId}-${String(loads)}`;
  const draws = drawsFrom(seedOfRun());
  const fromBlock = (await readChainInfo(system.first)).height;
  const sides = await Promise.all(
    [system.first, system.second].map(async (firm) => {
      const start = await anchorMarker(firm, `urn:scenario:${firm.mspId}:${name}:start`);
      const events = eventCounts<LoadEvent>();
      return { firm, events, afterSeq: parseEvidenceId(start).seq };
    }),
  );
  const started = await Promise.all(
    sides.map(async ({ firm, events }) =>
      startLoad({
        firm,
        identity: await firm.identity('client'),
        name: `${firm.mspId}-${name}`,
        draws: drawsFrom(draws.between(0, 2 ** 31)),
        onEvent: (event) => events.count(event),
        pauseMs,
      }),
    ),
  );
  const workGoesOn = (): Promise<unknown> =>
    Promise.all(sides.map(({ events }) => events.next('anchored', enough, progressTimeoutMs)));
  try {
    await workGoesOn();
    await fault((firm) => {
      const side = sides.find((item) => item.firm === firm);
      assert.ok(side !== undefined, 'the firm is under load');
      return side.events;
    });
    await workGoesOn();
    await Promise.all(started.map((load) => load.finish()));
    assert.deepEqual(
      started.flatMap(({ violations }) => violations),
      [],
    );
    await Promise.all(
      sides.map(async ({ firm, afterSeq }, index) => {
        const acknowledged = started[index]?.acknowledged ?? new Map<string, Acknowledged>();
        const judged = { acknowledged, afterSeq, fromBlock, name: `${name}:end` };
        const { lost, double, broken } = await judge(running, firm, judged);
        assert.deepEqual({ lost, double, broken }, { lost: [], double: [], broken: [] });
        assert.ok(acknowledged.size > enough);
      }),
    );
  } finally {
    for (const load of started) load.abort();
  }
}
