import {
  dagCborCode,
  formatEvidenceId,
  isWaymarkError,
  parseCid,
  parseEvidenceId,
  toHex,
  verifyBlock,
  WaymarkError,
} from '@waymark/protocol';
import { createLedgerProofs, type ProvenInLedger } from './ledger/ledger-proofs.ts';
import { type Located, locateByEvidence, locateInLedger } from './locate.ts';
import { headerAt, openContent } from './open-record.ts';
import type { Asked, Hint, KeyPlace, TrustedReaderParts } from './ports.ts';
import { createProvenBatches } from './proven-batches.ts';
import { remembering } from './remembering.ts';
import type { TrustedRecord } from './trusted-record.ts';

/** What became of one hint. */
export type ReadOutcome = { readonly record: TrustedRecord } | { readonly error: WaymarkError };

/** Reads records by trusted query (S7): altered data is an error, never an answer. */
export interface TrustedReader {
  /**
   * @param asked what the caller asked for; the record must show that it is the answer
   * @throws WaymarkError data-abnormal, unavailable, key-unknown, refused
   */
  read(hint: Hint, asked?: Asked): Promise<TrustedRecord>;
  /** The same for many, sharing calls; one outcome per hint, in order. */
  readMany(hints: readonly { readonly hint: Hint; readonly asked?: Asked }[]): Promise<ReadOutcome[]>;
}

interface Fetched extends Located {
  readonly envelope: Uint8Array;
  readonly place: KeyPlace;
  readonly collectedMs: number;
}

/** Builds a trusted reader. */
export function createTrustedReader(parts: TrustedReaderParts): TrustedReader {
  const batches = createProvenBatches(parts);
  const proofs = createLedgerProofs(parts);
  const { concurrency = 32 } = parts;

  /** Once for each block. */
  const bodies = remembering<true>(parts.maxCachedBatches ?? 256);
  async function readAhead({ anchor, header: { body } }: ProvenInLedger): Promise<void> {
    if (parts.readAhead === undefined || anchor === null) return;
    const read = parts.readAhead;
    await bodies.get(body, async () => {
      await read(parseCid(body, [dagCborCode])).catch(() => undefined);
      return true;
    });
  }

  async function locate(hint: Hint): Promise<Located> {
    parseEvidenceId(hint.evidenceId);
    const { proof } = hint;
    if (proof === undefined) return locateByEvidence(hint, await batches.get(hint.evidenceId));
    const proven = await proofs.check(hint, proof);
    await readAhead(proven);
    return locateInLedger(hint, proven);
  }

  async function fetch(hint: Hint): Promise<Fetched> {
    const located = await locate(hint);
    const { statement, cid } = located;
    const envelope = await parts.content.get(cid);
    // Content stores check this as well; what is called trusted does not rest on their having done so.
    verifyBlock(cid, envelope);
    const { consignmentOid, epoch, collectedMs } = headerAt(envelope, placeOf(located));
    if (collectedMs < statement.collectedFromMs || collectedMs > statement.collectedToMs) {
      throw new WaymarkError('data-abnormal', 'The envelope was collected at another time than its batch says.');
    }
    return { ...located, envelope, collectedMs, place: { msp: statement.msp, consignmentOid, epoch } };
  }

  const placeOf = ({ statement, recordOid }: Located) => ({
    channel: parts.ledger.channel,
    msp: statement.msp,
    outlet: statement.outlet,
    recordOid,
  });

  function open(fetched: Fetched, consignmentKey: Uint8Array, asked: Asked | undefined): TrustedRecord {
    const { statement, batchHash, recordOid, leafIndex, cid, envelope, collectedMs, trust, evidence, ledger } = fetched;
    const content = openContent(envelope, placeOf(fetched), consignmentKey, asked);
    return {
      trust,
      attestedBy: [parts.ledger.mspId],
      recordOid: toHex(recordOid),
      evidenceId: formatEvidenceId(statement),
      batchHash,
      leafIndex,
      cid: cid.toString(),
      content,
      collectedMs,
      evidence,
      ledger,
    };
  }

  const reader: TrustedReader = {
    async read(hint, asked) {
      const [outcome] = await reader.readMany([asked === undefined ? { hint } : { hint, asked }]);
      if (outcome === undefined) throw new WaymarkError('internal', 'There is no outcome.');
      if ('error' in outcome) throw outcome.error;
      return outcome.record;
    },

    async readMany(hints) {
      const fetched = await mapConcurrently(hints, concurrency, ({ hint }) => settle(() => fetch(hint)));
      const keys = await keysFor(parts, fetched);
      return fetched.map((item, index): ReadOutcome => {
        if (item instanceof WaymarkError) return { error: item };
        const key = keys(item.place);
        if (key instanceof WaymarkError) return { error: key };
        try {
          return { record: open(item, key, hints[index]?.asked) };
        } catch (error) {
          return { error: asError(error) };
        }
      });
    },
  };
  return reader;
}

/** Asks for every key that is needed, once. When the whole request is refused, each key alone decides. */
async function keysFor(
  { keys }: TrustedReaderParts,
  fetched: readonly (Fetched | WaymarkError)[],
): Promise<(place: KeyPlace) => Uint8Array | WaymarkError> {
  const nameOf = ({ msp, consignmentOid, epoch }: KeyPlace): string => `${msp}/${toHex(consignmentOid)}/${epoch}`;
  const places = new Map<string, KeyPlace>();
  for (const item of fetched) if (!(item instanceof WaymarkError)) places.set(nameOf(item.place), item.place);
  const found = new Map<string, Uint8Array | WaymarkError>();
  const wanted = [...places];
  if (wanted.length === 0) return () => new WaymarkError('key-unknown', 'No key was asked for.');
  try {
    const answers = await keys.consignmentKeys(wanted.map(([, place]) => place));
    wanted.forEach(([name], index) =>
      found.set(name, answers[index] ?? new WaymarkError('key-unknown', 'The key was not given.')),
    );
  } catch (error) {
    if (wanted.length === 1) for (const [name] of wanted) found.set(name, asError(error));
    else
      await mapConcurrently(wanted, 8, async ([name, place]) => {
        found.set(
          name,
          await settle(
            async () =>
              (await keys.consignmentKeys([place]))[0] ??
              Promise.reject(new WaymarkError('key-unknown', 'The key was not given.')),
          ),
        );
      });
  }
  return (place) => found.get(nameOf(place)) ?? new WaymarkError('key-unknown', 'The key was not given.');
}

async function settle<T>(work: () => Promise<T>): Promise<T | WaymarkError> {
  try {
    return await work();
  } catch (error) {
    return asError(error);
  }
}

function asError(error: unknown): WaymarkError {
  return isWaymarkError(error)
    ? error
    : new WaymarkError('internal', 'The record could not be read.', { cause: error });
}

async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array<Result>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index] as Item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
