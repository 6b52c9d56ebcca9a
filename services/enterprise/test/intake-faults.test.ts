import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BatchStatement, batchHash, cidOfRaw, encodeBatchStatement, WaymarkError } from '@waymark/protocol';
import type { OpenedSubmission } from '@waymark/vault';
import type { CheckedBatch } from '../src/admission/admission.ts';
import { openJournal, type Journal } from '../src/journal/journal.ts';
import { createIntake, type Intake, journalAcceptance } from '../src/upload/intake.ts';
import { acceptedBatch, hashOf } from './harness/accepted-batch.ts';

let folder: string;
let journal: Journal;
let intake: Intake;
let write: () => Promise<void>;

/** The statement of depot's batch `seq`, as the stand-ins below take it for a sealed message. */
function statementOf(seq: number): BatchStatement {
  const { evidence, messageId } = acceptedBatch('depot', seq);
  return {
    channel: 'c',
    msp: evidence.msp,
    outlet: 'depot',
    certificateDigest: hashOf('certificate'),
    ledger: `${evidence.msp}/c`,
    leaderKid: 'kid',
    seq,
    prevBatchHash: new Uint8Array(32),
    root: hashOf('root'),
    count: 1,
    collectedFromMs: 0,
    collectedToMs: 0,
    sentAtMs: 0,
    messageId,
  };
}

function checked(submission: OpenedSubmission, statement: BatchStatement): CheckedBatch {
  const { evidence } = acceptedBatch('depot', statement.seq);
  const cid = cidOfRaw(submission.statement);
  const block = { cid, bytes: submission.statement } as unknown as CheckedBatch['block'];
  return {
    statement,
    batchHash: batchHash(submission.statement),
    block,
    evidence,
    envelopes: [],
    headers: [],
    leaves: [],
    submission,
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-'));
  journal = openJournal(join(folder, 'journal.db'));
  intake = createIntake({
    acceptance: journalAcceptance(journal, { putMany: () => write() }),
    signer: { sign: () => new Uint8Array(64).fill(1), certificateDer: new Uint8Array(8) },
    open: (sealed) => {
      const seq = sealed[0] ?? 0;
      const record = { recordOid: hashOf(`oid ${seq}`), envelope: sealed, contentTag: hashOf('tag'), tokens: [] };
      return {
        statement: encodeBatchStatement(statementOf(seq)),
        signature: new Uint8Array(0),
        recipientKid: 'kid',
        records: [record],
        keys: [],
      };
    },
    createAdmission: (knownTag) => ({
      identify: ({ records }) => statementOf(records[0]?.envelope[0] ?? 0),
      check: (submission, statement, head) => {
        if (statement.seq !== (head?.seq ?? 0) + 1) throw new WaymarkError('sequence-gap', 'a gap');
        if (submission.records.some(({ recordOid }) => knownTag(recordOid) !== undefined))
          throw new WaymarkError('conflict', 'known');
        return checked(submission, statement);
      },
    }),
    wrapKey: (key) => key,
    nowMs: () => 1,
    onAccepted: () => undefined,
    maxPending: 10,
  });
});

const take = (seq: number): ReturnType<Intake['take']> => intake.take(Uint8Array.of(seq), 'depot');

afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

describe('S4: a fault while batches are on their way to the disk', () => {
  test('a batch that arrives in the moment of the fault is not linked to the one that was lost', async () => {
    const disk = Promise.withResolvers<never>();
    write = () => disk.promise;
    const first = take(1).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    let second: Promise<unknown> = Promise.resolve();
    disk.reject(new Error('the disk is full'));
    queueMicrotask(() => {
      write = () => Promise.resolve();
      second = take(2).catch((error: unknown) => error);
    });
    expect(await first).toMatchObject({ message: 'the disk is full' });
    // Either it is checked when the first is gone, or it goes with it.
    expect(await second).toBeInstanceOf(Error);
    expect(journal.position('depot')).toBeUndefined();
    await expect(take(2)).rejects.toMatchObject({ code: 'sequence-gap' });
  });

  test('the batch that was lost is taken when it comes again', async () => {
    write = () => Promise.reject(new Error('the disk is full'));
    await expect(take(1)).rejects.toThrow('the disk is full');
    write = () => Promise.resolve();
    await expect(take(1)).resolves.toMatchObject({ seq: 1, repeated: false });
    await expect(take(1)).resolves.toMatchObject({ seq: 1, repeated: true });
    await expect(take(2)).resolves.toMatchObject({ seq: 2, repeated: false });
  });
});
