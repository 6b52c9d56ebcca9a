import {
  bytesEqual,
  type CoseSigner,
  batchHash as hashOf,
  type Receipt,
  signReceipt,
  toHex,
  WaymarkError,
} from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import type { OpenedSubmission } from '@waymark/vault';
import type { Admission, CheckedBatch } from '../admission/admission.ts';
import type { AcceptedBatch, Journal, JournalBatch, OutletPosition } from '../journal/journal.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import { createGroupCommit } from './group-commit.ts';
import { createHeads } from './heads.ts';
import { createTurns } from './turns.ts';

/** Batches written with one pair of fsyncs at the most. */
const maxGroup = 32;

/** Where envelopes and batch blocks go; durable when it resolves. */
export interface BlockSink {
  putMany(blocks: Iterable<{ cid: CID; bytes: Uint8Array }>, options: { pinRoots: readonly CID[] }): Promise<unknown>;
}

/** Where checked batches go (invariant 2: durable before anybody is told), and what stands there. */
export interface Acceptance {
  /** The last batch of an outlet that stands. @throws WaymarkError unavailable: not here at the moment */
  position(outlet: string): OutletPosition | undefined;
  /** A batch that was taken before: its hash, and the newest receipt for it. */
  known(outlet: string, seq: number): { readonly batchHash: Uint8Array; receipt(): Uint8Array } | undefined;
  /** A known batch was handed in again: what of it is not here any more, or never was, is taken from it. */
  supply?(submission: OpenedSubmission, place: { readonly outlet: string; readonly seq: number }): Promise<void>;
  /** Content tag of a record that was accepted before. */
  contentTag(oid: Uint8Array): Uint8Array | undefined;
  /** Makes batches durable, in order. */
  accept(batches: readonly { readonly checked: CheckedBatch; readonly accepted: AcceptedBatch }[]): Promise<void>;
  /** Batches that are taken and not on the channel yet. */
  pendingCount(): number;
}

/** Batches of a firm without a private ledger: stored, journaled, and then on their way to the channel as evidence (S5). */
export function journalAcceptance(journal: Journal, content: BlockSink): Acceptance {
  return {
    position: (outlet) => journal.position(outlet),
    contentTag: (oid) => journal.contentTag(oid),
    pendingCount: () => journal.pendingCount(),
    known(outlet, seq) {
      const batch = journal.batch(outlet, seq);
      return batch === undefined ? undefined : { batchHash: batch.batchHash, receipt: () => currentReceipt(batch) };
    },
    async accept(batches) {
      // First the blocks, then the journal: a batch that is known is always there to be served (invariant 3).
      const blocks = batches.flatMap(({ checked }) => [...checked.envelopes, checked.block]);
      await content.putMany(blocks, { pinRoots: batches.map(({ checked }) => checked.block.cid) });
      journal.accept(batches.map(({ accepted }) => accepted));
    },
  };
}

/** What intake is made of. */
export interface IntakeParts {
  readonly acceptance: Acceptance;
  readonly signer: CoseSigner;
  /** Built with the intake's own `knownTag`, which also knows what is on its way to the disk. */
  readonly createAdmission: (knownTag: (oid: Uint8Array) => Uint8Array | undefined) => Admission;
  /**
   * Opens the outer layer.
   * @throws WaymarkError key-unknown when it is for a key that this center does not hold (any more)
   */
  readonly open: (sealed: Uint8Array) => OpenedSubmission;
  /** Seals a consignment key for the journal. */
  readonly wrapKey: (consignmentKey: Uint8Array, consignmentOid: Uint8Array, epoch: number) => Uint8Array;
  readonly nowMs: () => number;
  readonly onAccepted: (batches: readonly AcceptedBatch[]) => void;
  /** Batches accepted and not yet anchored, above which nothing new is taken until some are. */
  readonly maxPending: number;
}

/** What a batch was answered with. */
export interface Taken {
  readonly outlet: string;
  readonly seq: number;
  readonly receipt: Uint8Array;
  /** Whether the batch had been accepted before. */
  readonly repeated: boolean;
}

/** Takes sealed batches: checks (S4), stores, journals, and only then gives the receipt. */
export interface Intake {
  /**
   * @param sender enrolment id of the outlet at the other end
   * @throws WaymarkError with a code of S4; unavailable when it can be tried again
   */
  take(sealed: Uint8Array, sender: string): Promise<Taken>;
  /** Where an outlet is: its last batch on disk, once nothing of it is on its way any more. */
  position(outlet: string): Promise<OutletPosition>;
  /** Says that the channel refused a batch of this outlet, or of any: sequences go on from the last one that stands. */
  rewind(outlet?: string): void;
  /** Whether the backlog is full: who reads from a network stops reading until it is not. */
  readonly full: boolean;
  /** Called once anchoring has made room. */
  readonly size: number;
}

interface Waiting {
  readonly checked: CheckedBatch;
  readonly accepted: AcceptedBatch;
}

/** Builds an intake. Batches of one outlet are checked in order; those of all outlets share their writes. */
export function createIntake(parts: IntakeParts): Intake {
  const { acceptance } = parts;
  const heads = createHeads(acceptance);
  const turns = createTurns();
  const inFlight = new Map<string, { batchHash: Uint8Array; written: Promise<void>; receipt: Uint8Array }>();
  const inFlightTags = new Map<string, Uint8Array>();
  const admission = parts.createAdmission((oid) => inFlightTags.get(toHex(oid)) ?? acceptance.contentTag(oid));

  const forget = ({ accepted: { outlet, seq, records } }: Waiting): void => {
    inFlight.delete(`${outlet}/${seq}`);
    for (const { oid } of records) inFlightTags.delete(toHex(oid));
  };
  const group = createGroupCommit<Waiting>(
    async (items) => {
      await acceptance.accept(items);
      items.forEach(forget);
      parts.onAccepted(items.map(({ accepted }) => accepted));
    },
    maxGroup,
    (items) => {
      // At once, so that no batch is checked against one that is not going to be there.
      items.forEach(forget);
      heads.reset();
    },
  );

  const accept = (checked: CheckedBatch): { receipt: Uint8Array; written: Promise<void> } => {
    const { statement, batchHash } = checked;
    const { outlet, seq } = statement;
    const acceptedAtMs = parts.nowMs();
    const receipt = signReceipt(parts.signer, receiptOf(checked, acceptedAtMs));
    const accepted = toAccepted(parts, checked, receipt, acceptedAtMs);
    const name = `${outlet}/${seq}`;
    heads.advance(outlet, { seq, batchHash });
    for (const { oid, contentTag } of accepted.records) inFlightTags.set(toHex(oid), contentTag);
    const written = group.add({ checked, accepted });
    // Who handed it in waits for it, and may be gone.
    written.catch(() => undefined);
    inFlight.set(name, { batchHash, written, receipt });
    return { receipt, written };
  };

  return {
    async take(sealed, sender) {
      const { outlet, seq, receipt, written, repeated } = await turns.take(sender, () => {
        const submission = parts.open(sealed);
        const statement = admission.identify(submission, sender);
        const place = { outlet: statement.outlet, seq: statement.seq };
        const known = replay(place, submission);
        if (known !== undefined) return Promise.resolve({ ...place, ...known, repeated: true });
        if (acceptance.pendingCount() >= parts.maxPending) {
          throw new WaymarkError('unavailable', 'Too many batches wait for the channel.', {
            details: { limit: parts.maxPending },
          });
        }
        const checked = admission.check(submission, statement, heads.get(statement.outlet));
        return Promise.resolve({ ...place, ...accept(checked), repeated: false });
      });
      await written;
      return { outlet, seq, receipt, repeated };
    },
    async position(outlet) {
      await turns.take(outlet, () => Promise.resolve());
      const own = [...inFlight].filter(([name]) => name.startsWith(`${outlet}/`));
      await Promise.allSettled(own.map(([, { written }]) => written));
      return acceptance.position(outlet) ?? { seq: 0, batchHash: new Uint8Array(32) };
    },
    rewind: (outlet) => heads.reset(outlet),
    get full() {
      return acceptance.pendingCount() + group.size >= parts.maxPending;
    },
    get size() {
      return acceptance.pendingCount() + group.size;
    },
  };

  /** The same sequence and hash give the same receipt, however late; another hash is refused (S4, invariant 7). */
  function replay(
    place: { outlet: string; seq: number },
    submission: OpenedSubmission,
  ): { receipt: Uint8Array; written: Promise<void> } | undefined {
    const { outlet, seq } = place;
    const head = heads.get(outlet);
    if (head === undefined || seq > head.seq) return undefined;
    const flying = inFlight.get(`${outlet}/${seq}`);
    const stored = flying === undefined ? acceptance.known(outlet, seq) : undefined;
    const known = flying?.batchHash ?? stored?.batchHash;
    if (known === undefined || !bytesEqual(known, hashOf(submission.statement))) {
      throw new WaymarkError('replay-conflict', 'The sequence number was already used with another batch.', {
        details: { seq },
      });
    }
    if (flying !== undefined) return { receipt: flying.receipt, written: flying.written };
    if (stored === undefined) throw new WaymarkError('internal', 'A batch is known and not there.');
    return { receipt: stored.receipt(), written: acceptance.supply?.(submission, place) ?? Promise.resolve() };
  }
}

/** The newest receipt of a batch in the journal. @throws WaymarkError conflict: the channel refused it */
export function currentReceipt(batch: JournalBatch): Uint8Array {
  if (batch.refusal !== undefined) {
    throw new WaymarkError('conflict', `The channel refused this batch: ${batch.refusal.code}.`, {
      details: { refusal: batch.refusal.code },
    });
  }
  const receipt = batch.anchoredReceipt ?? batch.receipt;
  if (receipt === undefined) throw new WaymarkError('internal', 'A batch in the journal has no receipt.');
  return receipt;
}

/** What has become of a batch beyond being accepted, as the journal has it. */
export function outcomeInJournal({ journal }: { readonly journal: Journal }) {
  return (outlet: string, seq: number): BatchOutcome | undefined => {
    const batch = journal.batch(outlet, seq);
    if (batch?.refusal !== undefined) return { outlet, seq, state: 'refused', refusal: batch.refusal };
    if (batch?.state !== 'anchored') return undefined;
    return { outlet, seq, state: 'anchored', receipt: currentReceipt(batch) };
  };
}

function receiptOf({ statement, batchHash, block }: CheckedBatch, acceptedAtMs: number): Receipt {
  return {
    state: 'accepted',
    channel: statement.channel,
    msp: statement.msp,
    outlet: statement.outlet,
    seq: statement.seq,
    batchHash,
    batchCid: block.cid.toString(),
    root: statement.root,
    count: statement.count,
    messageId: statement.messageId,
    acceptedAtMs,
  };
}

function toAccepted(
  parts: IntakeParts,
  checked: CheckedBatch,
  receipt: Uint8Array,
  acceptedAtMs: number,
): AcceptedBatch {
  const { statement, batchHash, block, evidence, submission, envelopes } = checked;
  return {
    outlet: statement.outlet,
    seq: statement.seq,
    batchHash,
    cid: block.cid.toString(),
    evidence,
    messageId: statement.messageId,
    receipt,
    acceptedAtMs,
    records: submission.records.map(({ recordOid, contentTag, tokens }, index) => ({
      oid: recordOid,
      contentTag,
      cid: envelopes[index]?.cid.bytes ?? new Uint8Array(0),
      tokens,
    })),
    consignmentKeys: submission.keys.map(({ consignmentOid, epoch, key }) => ({
      consignmentOid,
      epoch,
      wrapped: parts.wrapKey(key, consignmentOid, epoch),
    })),
  };
}
