import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Evidence, WaymarkError } from '@waymark/protocol';
import type { BatchReceipt, CallContext, SealedBatch } from '@waymark/transport';
import { createEvidenceLedger } from '../src/evidence-ledger.ts';
import { type AcceptedBatch, type Journal, openJournal } from '../src/journal/journal.ts';
import { createRelay, type RelayOutcome } from '../src/relay/relay.ts';
import { createUploadServer } from '../src/upload/upload-server.ts';
import { acceptedBatch } from './harness/accepted-batch.ts';

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refusals-'));
  journal = openJournal(join(folder, 'journal.db'));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

/** A batch that links to the one before it. */
function linked(outlet: string, seq: number, acceptedAtMs = seq): AcceptedBatch {
  const batch = acceptedBatch(outlet, seq, acceptedAtMs);
  const prev = Buffer.from(acceptedBatch(outlet, seq - 1).batchHash).toString('hex');
  return { ...batch, evidence: { ...batch.evidence, prev } };
}

/** Runs a relay over what the journal holds until nothing waits; `record` stands for the chaincode. */
async function relayAll(record: (batches: readonly Evidence[]) => void): Promise<{ outcomes: RelayOutcome[] }> {
  const committed = new Map<string, { batchHash: string; txId: string }>();
  const outcomes: RelayOutcome[] = [];
  let attempts = 0;
  const relay = createRelay({
    journal,
    ledger: {
      async record(batches) {
        attempts += 1;
        if (attempts > 500) throw new Error('it goes round in circles');
        await Promise.resolve();
        record(batches);
        for (const { msp, outlet, seq, batchHash } of batches) {
          committed.set(`${msp}/${outlet}/${String(seq)}`, { batchHash, txId: 'tx' });
        }
        return { txId: 'tx', blockNumber: 1n };
      },
    },
    replica: { waitForBlock: () => Promise.resolve(), committed: (id) => committed.get(id) },
    isRegistered: () => false,
    signReceipt: () => new Uint8Array(0),
    onOutcome: (outcome) => void outcomes.push(outcome),
    onRetry: () => undefined,
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
  relay.start();
  while (journal.pendingCount() > 0 && attempts < 500) await new Promise((resolve) => setImmediate(resolve));
  await relay.stop();
  return { outcomes };
}

const refused = (outcomes: readonly RelayOutcome[]): number =>
  outcomes.filter(({ state }) => state === 'refused').length;

describe('S5: what the channel refuses, and what it does not', () => {
  test('batches of an outlet go in their sequence though the clock was set back between them', async () => {
    const first = linked('depot', 1, 1_000_000);
    journal.accept([first]);
    journal.accept(Array.from({ length: 100 }, (_, index) => linked('depot', index + 2, 10)));
    const onChain = new Set([0]);
    const { outcomes } = await relayAll((batches) => {
      const call = new Set(batches.map(({ seq }) => seq));
      for (const { seq } of batches) {
        if (!onChain.has(seq - 1) && !call.has(seq - 1)) throw new WaymarkError('sequence-gap', 'missing');
      }
      for (const { seq } of batches) onChain.add(seq);
    });
    expect([journal.counts(), refused(outcomes)]).toEqual([
      { accepted: 0, confirmed: 0, anchored: 101, refused: 0 },
      0,
    ]);
  });

  test('a gap that only an endorser sees that is a block behind refuses nothing', async () => {
    journal.accept([linked('depot', 1)]);
    await relayAll(() => undefined);
    journal.accept([linked('depot', 2)]);
    let behind = 3;
    const { outcomes } = await relayAll(() => {
      behind -= 1;
      if (behind >= 0) throw new WaymarkError('sequence-gap', 'missing');
    });
    expect(refused(outcomes)).toBe(0);
    expect(journal.batch('depot', 2)?.state).toBe('anchored');
  });

  test.each([
    ['the identity of the center is refused', 'refused', { grpcStatus: 'PERMISSION_DENIED' }],
    ['the gateway is overloaded', 'limit-exceeded', { grpcStatus: 'RESOURCE_EXHAUSTED' }],
    ['the gateway does not understand the call', 'input-invalid', { grpcStatus: 'INVALID_ARGUMENT' }],
  ] as const)('when %s no batch is refused for it', async (_name, code, details) => {
    const ledger = createEvidenceLedger({
      submit: () => Promise.reject(new WaymarkError(code, 'no', { details, cause: new Error('status') })),
    });
    await expect(ledger.record([acceptedBatch('depot', 1).evidence])).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a full queue in front of the ledger refuses no batch', async () => {
    const full = new WaymarkError('limit-exceeded', 'too many calls wait for the ledger', {
      details: { maxWaiting: 1 },
    });
    const ledger = createEvidenceLedger({ submit: () => Promise.reject(full) });
    await expect(ledger.record([])).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('what the chaincode itself says keeps its code', async () => {
    const said = new WaymarkError('conflict', 'no', { details: { id: 'x' }, cause: new Error('status') });
    const ledger = createEvidenceLedger({ submit: () => Promise.reject(said) });
    await expect(ledger.record([])).rejects.toBe(said);
  });

  test('a refusal of a batch that was accepted on an earlier connection ends the outlet’s stream, so that it hears of it', async () => {
    const server = createUploadServer({
      intake: { full: false } as never,
      outcomeOf: () => undefined,
      identifyOutlet: () => 'depot',
      room: () => Promise.resolve(),
    });
    const silent = new AbortController();
    async function* nothing(): AsyncGenerator<SealedBatch> {
      await new Promise((resolve) => silent.signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    }
    const responses = { write: (_receipt: BatchReceipt) => Promise.resolve() };
    const stream = server.upload(nothing(), responses, { signal: silent.signal } as CallContext);
    server.report({ outlet: 'depot', seq: 1, state: 'refused', refusal: { code: 'sequence-gap', message: 'no' } });
    await expect(stream).rejects.toMatchObject({ code: 'unavailable' });
    silent.abort();
  });
});
