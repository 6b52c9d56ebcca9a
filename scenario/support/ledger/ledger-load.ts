import { type EventCounts, eventCounts } from '../events.ts';
import { type Acknowledged, type LoadEvent, startLoad } from '../load.ts';
import { drawsFrom, seedOfRun } from '../random.ts';
import { within } from './killing.ts';
import type { LedgerConsortium } from './ledger-firm.ts';

const progressTimeoutMs = 60_000;
const pauseMs = 60;
/** Records that show that work goes on. */
const enough = 4;
let loads = 0;

/**
 * Submits records to the firm's outlet without pause, does something to its ledger, and waits until records are anchored again and every one is acknowledged.
 *
 * @param acknowledged is given what was acknowledged, for a judgement when all is over
 */
export async function underLedgerLoad(
  { firm }: LedgerConsortium,
  acknowledged: Map<string, Acknowledged>,
  fault: (events: EventCounts<LoadEvent>) => Promise<void>,
): Promise<void> {
  loads += 1;
  const events = eventCounts<LoadEvent>();
  const load = startLoad({
    firm,
    identity: await firm.identity('client'),
    name: `${firm.mspId}-load-${String(loads)}`,
    draws: drawsFrom(seedOfRun()),
    onEvent: (event) => events.count(event),
    pauseMs,
    isSignedAnew: true,
  });
  try {
    await events.next('anchored', enough, progressTimeoutMs);
    await fault(events);
    await events.next('acknowledged', enough, progressTimeoutMs);
    await events.next('anchored', enough, progressTimeoutMs);
    await within(progressTimeoutMs, 'every record to be acknowledged', load.finish());
    expect(load.violations).toEqual([]);
  } finally {
    for (const [eventId, told] of load.acknowledged) acknowledged.set(eventId, told);
    load.abort();
  }
}
