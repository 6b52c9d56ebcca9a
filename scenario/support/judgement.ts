import { setTimeout as delay } from 'node:timers/promises';
import { type Evidence, formatEvidenceId } from '@waymark/protocol';
import type { ReadOutcome } from '@waymark/reading';
import { readChain } from './chain.ts';
import { type Acknowledged, digestOf } from './load.ts';
import { connectOutlet, type SubmitOutcome } from './outlet-client.ts';
import type { Firm, RunningConsortium } from './running-consortium.ts';
import { openTrustedReading, type Query, type TrustedReading } from './trusted-reading.ts';

/** An outlet takes ten thousand at most. */
const recordsPerRequest = 5_000;
const indexTimeoutMs = 90_000;
const indexPollMs = 500;

/** What came of the records that were acknowledged; all lists are empty when each came to the channel exactly once. */
export interface Judgement {
  readonly acknowledged: number;
  /** Acknowledged, and not read back as acknowledged. */
  readonly lost: readonly string[];
  /** Found twice, or an evidence written twice. */
  readonly double: readonly string[];
  /** Other rules that the outlet's evidence breaks: no gap, each linked, no record that nobody sent, the same receipts again. */
  readonly broken: readonly string[];
}

/** What is judged: everything that a firm's outlet took between two moments. */
export interface Judged {
  /** By event id: what its clients were told. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** Sequence number of the outlet's last batch before; 0 when there was none. */
  readonly afterSeq: number;
  /** A block at or before the first of the period. Default 0: the whole channel is read. */
  readonly fromBlock?: number;
  /** Part of the id of the records that close the period. */
  readonly name: string;
}

/** Compares what the clients of a firm were told with what its reader, the channel and the outlet say afterwards. */
export async function judge(
  running: RunningConsortium,
  firm: Firm,
  { acknowledged, afterSeq, name, fromBlock = 0 }: Judged,
): Promise<Judgement> {
  const broken: string[] = [];
  const marker = `urn:scenario:${firm.mspId}:${name}`;
  const lastEvidence = await anchorMarker(firm, marker);
  const reading = await openTrustedReading(running, firm);
  try {
    const { written, nextBlock } = await readChain(reading.ledger, [lastEvidence], fromBlock);
    const ofOutlet = (evidence: readonly Evidence[]): Evidence[] =>
      evidence.filter(({ msp, outlet }) => msp === firm.mspId && outlet === firm.outletName);
    const own = ofOutlet(written).filter(({ seq }) => seq > afterSeq);
    const ids = own.map(formatEvidenceId);
    const double = ids.filter((id, index) => ids.indexOf(id) !== index);
    for (const [index, { seq, prev }] of own.entries()) {
      if (seq !== afterSeq + index + 1)
        broken.push(`batch ${String(seq)} where ${String(afterSeq + index + 1)} is due`);
      const before = own[index - 1];
      if (before !== undefined && before.batchHash !== prev) broken.push(`batch ${String(seq)} does not link`);
    }
    // One more: the marker.
    const records = own.reduce((sum, { count }) => sum + count, 0);
    if (records !== acknowledged.size + 1) {
      broken.push(`${String(records)} records on the channel, ${String(acknowledged.size + 1)} acknowledged`);
    }
    await untilIndexed(reading, marker);
    const asked = [...acknowledged.values()];
    const found = await readBack(reading, asked);
    broken.push(...(await otherReceipts(firm, asked)));
    const again = await readChain(reading.ledger, [await anchorMarker(firm, marker, 1)], nextBlock);
    if (ofOutlet(again.written).length !== 1) broken.push('submitting again made new batches');
    return { acknowledged: asked.length, lost: found.lost, double: [...double, ...found.double], broken };
  } finally {
    await reading.close();
  }
}

/** Submits one record more and waits until it is anchored: then everything the outlet sent before is anchored as well. */
export async function anchorMarker(firm: Firm, eventId: string, revision = 0): Promise<string> {
  const outlet = connectOutlet(firm, await firm.identity('client'));
  try {
    const [outcome] = await outlet.submit([{ eventId, revision, consignment: 'last', payload: { step: 'last' } }]);
    if (outcome?.anchored === undefined)
      throw new Error(`the last record was not anchored: ${JSON.stringify(outcome)}`);
    return outcome.anchored.evidenceId;
  } finally {
    outlet.close();
  }
}

/** Resolves when the outlet's index knows the record: the index follows the channel. */
export async function untilIndexed(reading: TrustedReading, eventId: string): Promise<void> {
  const deadline = Date.now() + indexTimeoutMs;
  for (;;) {
    const [found] = await traceOnceComplete(reading, [{ type: 'event', value: eventId }]);
    if (found !== undefined && found.length > 0) return;
    if (Date.now() > deadline) throw new Error('the index does not follow the channel');
  }
}

/** As `trace`; an outlet whose content store was away says for a while that it cannot tell what there is. */
async function traceOnceComplete(reading: TrustedReading, queries: readonly Query[]): Promise<ReadOutcome[][]> {
  const deadline = Date.now() + indexTimeoutMs;
  for (;;) {
    try {
      return await reading.trace(queries);
    } catch (error) {
      const incomplete = error instanceof Error && error.message.includes('the index is not complete');
      if (!incomplete || Date.now() > deadline) throw error;
      await delay(indexPollMs);
    }
  }
}

/** Asks again, for a while, for what could not be had: a center that was killed comes back under load. What is lost stays so. */
async function traceUntilAvailable(reading: TrustedReading, queries: readonly Query[]): Promise<ReadOutcome[][]> {
  const deadline = Date.now() + indexTimeoutMs;
  const answers = await traceOnceComplete(reading, queries);
  const isAway = (outcomes: readonly ReadOutcome[] | undefined): boolean =>
    outcomes?.some((outcome) => 'error' in outcome && outcome.error.code === 'unavailable') ?? false;
  while (answers.some(isAway) && Date.now() < deadline) {
    await delay(indexPollMs);
    const missing = [...answers.keys()].filter((index) => isAway(answers[index]));
    const again = await traceOnceComplete(
      reading,
      missing.map((index) => queries[index] as Query),
    );
    for (const [at, index] of missing.entries()) answers[index] = again[at] ?? [];
  }
  return answers;
}

/**
 * Reads every record by trusted query and compares it with what was acknowledged.
 * @param isHashFinal whether the batch's hash is known from the acknowledgement on; a private ledger's batches may be signed anew before they are confirmed
 */
export async function readBack(
  reading: TrustedReading,
  asked: readonly Acknowledged[],
  isHashFinal = true,
): Promise<Pick<Judgement, 'lost' | 'double'>> {
  const lost: string[] = [];
  const double: string[] = [];
  const answers = await traceUntilAvailable(
    reading,
    asked.map(({ record }) => ({ type: 'event', value: record.eventId })),
  );
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
      (!isHashFinal || record.batchHash === told.batchHash) &&
      digestOf(record.content) === told.contentDigest;
    if (same) return;
    const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error.code] : []));
    (found.length > 1 ? double : lost).push(`${told.record.eventId}: ${String(found.length)} found ${errors.join()}`);
  });
  return { lost, double };
}

/** Submits everything once more; names each record that does not get the receipt it has. `isHashFinal`: see `readBack`. */
export async function otherReceipts(firm: Firm, asked: readonly Acknowledged[], isHashFinal = true): Promise<string[]> {
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
        (!isHashFinal || receipt.batchHash === told.batchHash)
      );
    });
    return others.map(({ record }) => `${record.eventId} got another receipt`);
  } finally {
    outlet.close();
  }
}
