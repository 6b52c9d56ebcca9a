import assert from 'node:assert/strict';
import { parseEvidenceId } from '@waymark/protocol';
import { type EventCounts, eventCounts } from '../support/events.ts';
import { anchorMarker, judge, type Judgement } from '../support/judgement.ts';
import { type Acknowledged, type LoadEvent, startLoad } from '../support/load.ts';
import { drawsFrom, seedOfRun } from '../support/random.ts';
import type { Firm } from '../support/running-consortium.ts';
import { readChainInfo } from './channel-config.ts';
import { judgePrivateLedger } from './ledger-judgement.ts';
import { keepsLedger, untilSettled } from './private-ledgers.ts';
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
 * record is on the channel exactly once, as evidence or in an anchored block of its firm's private ledger, and reads back equal.
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
      const isLedger = keepsLedger(system, firm);
      const above = isLedger ? ((await untilSettled(system, firm)).confirmed ?? 0) : 0;
      const { seq: afterSeq } = parseEvidenceId(start);
      const judged = (told: ReadonlyMap<string, Acknowledged>): Promise<Judgement> =>
        isLedger
          ? judgePrivateLedger(system, firm, { acknowledged: told, above, name: `${name}:end` })
          : judge(running, firm, { acknowledged: told, afterSeq, fromBlock, name: `${name}:end` });
      return { firm, events, isLedger, judged };
    }),
  );
  const started = await Promise.all(
    sides.map(async ({ firm, events, isLedger }) =>
      startLoad({
        firm,
        identity: await firm.identity('client'),
        name: `${firm.mspId}-${name}`,
        draws: drawsFrom(draws.between(0, 2 ** 31)),
        onEvent: (event) => events.count(event),
        pauseMs,
        isSignedAnew: isLedger,
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
      sides.map(async ({ judged }, index) => {
        const acknowledged = started[index]?.acknowledged ?? new Map<string, Acknowledged>();
        const { lost, double, broken } = await judged(acknowledged);
        assert.deepEqual({ lost, double, broken }, { lost: [], double: [], broken: [] });
        assert.ok(acknowledged.size > enough);
      }),
    );
  } finally {
    for (const load of started) load.abort();
  }
}
