import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Evidence, WaymarkError } from '@waymark/protocol';
import { openJournal, type Journal } from '../src/journal/journal.ts';
import { createRelay, type Relay, type RelayOutcome } from '../src/relay/relay.ts';
import { acceptedBatch } from './harness/accepted-batch.ts';

let folder: string;
let journal: Journal;
let channel: ReturnType<typeof fakeChannel>;
let relay: Relay;
let outcomes: RelayOutcome[];
let retries: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-'));
  journal = openJournal(join(folder, 'journal.db'));
  channel = fakeChannel();
  outcomes = [];
  retries = [];
  relay = build();
});

afterEach(async () => {
  await relay.stop();
  journal.close();
  rmSync(folder, { recursive: true });
});

/** A channel that keeps what it is given, and refuses what a test tells it to. */
function fakeChannel() {
  const committed = new Map<string, { batchHash: string; txId: string }>();
  const calls: string[][] = [];
  let block = 0n;
  const state = {
    committed,
    calls,
    /** Called before a transaction is taken. */
    before: (_ids: readonly string[]): void => undefined,
    /** Called after it was committed: its outcome may be lost here. */
    after: (): void => undefined,
    ledger: {
      record: (batches: readonly Evidence[]) =>
        new Promise<{ txId: string; blockNumber: bigint }>((resolve) => {
          const ids = batches.map(({ outlet, seq }) => `${outlet}/${String(seq)}`);
          calls.push(ids);
          state.before(ids);
          block += 1n;
          const txId = `tx-${String(calls.length)}`;
          for (const { msp, outlet, seq, batchHash } of batches) {
            const id = `${msp}/${outlet}/${String(seq)}`;
            if (!committed.has(id)) committed.set(id, { batchHash, txId });
          }
          state.after();
          resolve({ txId, blockNumber: block });
        }),
    },
    replica: {
      waitForBlock: () => Promise.resolve(),
      committed: (id: string) => committed.get(id),
    },
  };
  return state;
}

function build(): Relay {
  return createRelay({
    journal,
    ledger: channel.ledger,
    replica: channel.replica,
    isRegistered: ({ outlet }) => outlet !== 'bad',
    signReceipt: (batch, txId) => Buffer.from(`anchored ${batch.outlet}/${String(batch.seq)} ${txId}`),
    onOutcome: (outcome) => void outcomes.push(outcome),
    onRetry: (error) => void retries.push(error),
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
}

async function settled(): Promise<void> {
  while (journal.pendingCount() > 0) await new Promise((resolve) => setImmediate(resolve));
}

const names = (state: string): string[] =>
  outcomes.filter((outcome) => outcome.state === state).map(({ batch }) => `${batch.outlet}/${String(batch.seq)}`);

describe('S5: the relay', () => {
  test('accepted batches go to the channel together, in order, and each is anchored once', async () => {
    journal.accept([1, 2, 3].map((seq) => acceptedBatch('depot', seq)));
    relay.start();
    await settled();
    expect(channel.calls).toEqual([['depot/1', 'depot/2', 'depot/3']]);
    expect(names('anchored')).toEqual(['depot/1', 'depot/2', 'depot/3']);
    expect(Buffer.from(journal.batch('depot', 2)?.anchoredReceipt ?? []).toString()).toBe('anchored depot/2 tx-1');
  });

  test('no transaction holds more than 64 batches', async () => {
    journal.accept(Array.from({ length: 150 }, (_, index) => acceptedBatch('depot', index + 1)));
    relay.start();
    await settled();
    expect(channel.calls.map((ids) => ids.length)).toEqual([64, 64, 22]);
  });

  test('what arrives later is taken when it is told of', async () => {
    relay.start();
    journal.accept([acceptedBatch('depot', 1)]);
    relay.wake();
    await settled();
    expect(names('anchored')).toEqual(['depot/1']);
  });

  test('a commit whose outcome was lost is not made again: the replica knows it', async () => {
    journal.accept([acceptedBatch('depot', 1)]);
    channel.after = () => {
      channel.after = () => undefined;
      throw new WaymarkError('unavailable', 'the connection broke');
    };
    relay.start();
    await settled();
    expect(channel.calls).toHaveLength(1);
    expect(retries).toHaveLength(1);
    expect(names('anchored')).toEqual(['depot/1']);
  });

  test('what was committed before a crash is found after it, without another transaction', async () => {
    const batch = acceptedBatch('depot', 1);
    journal.accept([batch]);
    channel.committed.set('NorthMSP/depot/1', { batchHash: batch.evidence.batchHash, txId: 'tx-before' });
    relay.start();
    await settled();
    expect(channel.calls).toEqual([]);
    expect(journal.batch('depot', 1)).toMatchObject({ state: 'anchored', txId: 'tx-before' });
  });

  test('while the channel is away nothing is lost and nothing is refused', async () => {
    let failures = 5;
    channel.before = () => {
      if (failures-- > 0) throw new WaymarkError('unavailable', 'nobody answered');
    };
    journal.accept([acceptedBatch('depot', 1)]);
    relay.start();
    await settled();
    expect(retries).toHaveLength(5);
    expect(names('refused')).toEqual([]);
    expect(names('anchored')).toEqual(['depot/1']);
  });

  test('a batch that the chaincode refuses does not hold up those of other outlets', async () => {
    channel.before = (ids) => {
      if (ids.some((id) => id.startsWith('bad/'))) {
        throw new WaymarkError('certificate-revoked', 'no', { details: { enrolmentId: 'bad' } });
      }
    };
    journal.accept([
      acceptedBatch('depot', 1, 1),
      acceptedBatch('bad', 1, 2),
      acceptedBatch('yard', 1, 3),
      acceptedBatch('yard', 2, 4),
    ]);
    relay.start();
    await settled();
    expect(names('refused')).toEqual(['bad/1']);
    expect(names('anchored').toSorted()).toEqual(['depot/1', 'yard/1', 'yard/2']);
    expect(journal.batch('bad', 1)).toMatchObject({ state: 'refused', refusal: { code: 'certificate-revoked' } });
  });

  test('a refusal of the center itself refuses no batch: it is tried again', async () => {
    let refusals = 3;
    channel.before = () => {
      if (refusals-- > 0) throw new WaymarkError('role-not-permitted', 'no', { details: { enrolmentId: 'center' } });
    };
    journal.accept([acceptedBatch('depot', 1)]);
    relay.start();
    await settled();
    expect(names('refused')).toEqual([]);
    expect(names('anchored')).toEqual(['depot/1']);
  });

  test('a peer that has not seen an outlet registered yet refuses no batch for good: it is tried again', async () => {
    let refusals = 3;
    channel.before = () => {
      if (refusals-- > 0) throw new WaymarkError('role-not-permitted', 'no', { details: { enrolmentId: 'depot' } });
    };
    journal.accept([acceptedBatch('depot', 1)]);
    relay.start();
    await settled();
    expect(names('refused')).toEqual([]);
    expect(names('anchored')).toEqual(['depot/1']);
  });

  test('another batch on the channel under the same number is a conflict', async () => {
    journal.accept([acceptedBatch('depot', 1)]);
    channel.committed.set('NorthMSP/depot/1', { batchHash: 'ff'.repeat(32), txId: 'tx-other' });
    relay.start();
    await settled();
    expect(journal.batch('depot', 1)).toMatchObject({ state: 'refused', refusal: { code: 'conflict' } });
  });

  test('what a refused batch held can be accepted again under the same number', async () => {
    let refuse = true;
    channel.before = () => {
      if (refuse) throw new WaymarkError('sequence-gap', 'no');
    };
    journal.accept([acceptedBatch('depot', 1)]);
    relay.start();
    await settled();
    refuse = false;
    expect(journal.position('depot')).toBeUndefined();
    expect(journal.contentTag(acceptedBatch('depot', 1).records[0]?.oid ?? new Uint8Array())).toBeUndefined();
    journal.accept([acceptedBatch('depot', 1)]);
    relay.wake();
    await settled();
    expect(journal.batch('depot', 1)?.state).toBe('anchored');
    expect(journal.counts()).toEqual({ accepted: 0, confirmed: 0, anchored: 1, refused: 0 });
  });
});
