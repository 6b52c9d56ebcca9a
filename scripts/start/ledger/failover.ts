import { setTimeout as delay } from 'node:timers/promises';
import { type LedgerStatus, serviceName } from '@waymark/network';
import { contentDigest, type ShipmentRecord, WaymarkError } from '@waymark/protocol';
import { connect, type TraceOutcome } from '@waymark/sdk';
import type { LedgerPlace } from './ledger-place.ts';

/** What became of records while the center was killed (S5, D7). */
export interface FailoverFigures {
  /** Records that the outlet has given a receipt for. */
  readonly acknowledged: number;
  /** Those of them that a trusted query does not give back, anchored, at the end. */
  readonly lost: number;
}

const records = 300;
const officeWithinMs = 60_000;
const anchoredWithinMs = 120_000;
const pollMs = 200;

/**
 * Hands in records, kills the center in office while they flow, goes on until another one is in office and longer, brings the killed one back, and asks for
 * every record that was acknowledged.
 *
 * @param like what the new records are like, but for their ids
 * @throws WaymarkError unavailable: nobody took over, or the killed one does not follow
 */
export async function killCenterUnderLoad(
  place: LedgerPlace,
  like: ShipmentRecord,
  say: (text: string) => void,
): Promise<FailoverFigures> {
  const { firm } = place;
  const before = await untilLedger(place, 'a center is in office', ({ center }) => center !== null);
  const killed = before.center ?? '';
  const name = serviceName(firm, killed);
  const part = records / 3;
  const flowing = Promise.withResolvers<true>();
  let successor: string | null = null;

  async function* load(): AsyncGenerator<ShipmentRecord> {
    const run = Date.now().toString(36);
    const make = (index: number): ShipmentRecord => ({
      ...like,
      eventId: `failover-${run}-${index}`,
      consignment: `failover-${run}`,
    });
    for (let index = 0; index < part; index += 1) yield make(index);
    await flowing.promise;
    const killing = place.halt(name);
    for (let index = part; index < 2 * part; index += 1) yield make(index);
    await killing;
    say(`${name} is killed while records flow`);
    const term = before.term ?? 0;
    const after = await untilLedger(
      place,
      'a standby takes over',
      (ledger) => ledger.center !== null && ledger.center !== killed && (ledger.term ?? 0) > term,
    );
    successor = after.center;
    say(`${successor ?? ''} is in office in its place (term ${after.term ?? 0})`);
    say(`external query with ${name} away: ${await place.askOutside()} record opened, through the standby`);
    for (let index = 2 * part; index < records; index += 1) yield make(index);
  }

  const sent = new Map<number, ShipmentRecord>();
  const acknowledged: ShipmentRecord[] = [];
  async function* noted(): AsyncGenerator<ShipmentRecord> {
    let index = 0;
    for await (const record of load()) {
      sent.set(index, record);
      index += 1;
      yield record;
    }
  }
  const reader = connect(place.readerProfile);
  try {
    for await (const result of reader.submit(noted(), { until: 'accepted' })) {
      flowing.resolve(true);
      const record = sent.get(result.index);
      if (!('error' in result) && record !== undefined) acknowledged.push(record);
      else if ('error' in result) say(`${result.eventId} was not taken: ${result.error.code}`);
    }
    await place.resume(name);
    await untilLedger(place, `${killed} follows`, ({ center, members }) => {
      const own = members.find(({ id }) => id === killed);
      return center !== null && own?.lag === 0;
    });
    say(`${name} is back and follows`);
    const lost = await lostOf(place, acknowledged);
    say(`${acknowledged.length} records were acknowledged meanwhile; ${lost} of them are lost`);
    return { acknowledged: acknowledged.length, lost };
  } finally {
    await reader.close();
  }
}

/** Asks for each until it is proven or the time is over. */
async function lostOf({ readerProfile }: LedgerPlace, acknowledged: readonly ShipmentRecord[]): Promise<number> {
  const deadlineMs = Date.now() + anchoredWithinMs;
  for (let missing = acknowledged; ;) {
    const reader = connect(readerProfile);
    const still: ShipmentRecord[] = [];
    try {
      const asked = missing.values();
      const queries = missing.map(({ eventId }) => ({ eventId }));
      for await (const outcome of reader.traceMany(queries)) {
        const record = asked.next().value;
        if (record === undefined) break;
        if (!isProven(record, outcome)) still.push(record);
      }
      still.push(...asked);
    } finally {
      await reader.close();
    }
    if (still.length === 0 || Date.now() > deadlineMs) return still.length;
    missing = still;
    await delay(pollMs);
  }
}

/** Whether an answer shows that the channel vouches for just this record. */
export function isProven({ eventId, payload }: ShipmentRecord, outcome: TraceOutcome): boolean {
  if ('error' in outcome || outcome.answer.trust !== 'anchored') return false;
  const digest = contentDigest(payload);
  return outcome.answer.records.some(
    ({ content }) => content.eventId === eventId && contentDigest(content.payload) === digest,
  );
}

/** Asks how the firm's ledger stands until it is as it should be. @throws WaymarkError unavailable */
export async function untilLedger(
  place: LedgerPlace,
  what: string,
  isSo: (ledger: LedgerStatus) => boolean,
): Promise<LedgerStatus> {
  for (const deadlineMs = Date.now() + officeWithinMs; ;) {
    const ledger = (await place.ledgers()).find(({ mspId }) => mspId === place.firm.mspId);
    if (ledger !== undefined && isSo(ledger)) return ledger;
    if (Date.now() > deadlineMs) throw new WaymarkError('unavailable', `it was waited in vain until ${what}`);
    await delay(pollMs);
  }
}
