import assert from 'node:assert/strict';
import {
  cidOfRaw,
  decodeBatchStatement,
  encodeBatchBlock,
  type Evidence,
  evidenceOf,
  formatEvidenceId,
  isWaymarkError,
  readReceipt,
} from '@waymark/protocol';
import type { Built } from '../../../services/enterprise/test/harness/raw-outlet.ts';
import { enrolledOutlet, type HandOutlet } from '../raw-upload.ts';
import { type Scenario, type System, until } from '../system.ts';
import { historyOf } from './anchoring.ts';

const submitters = 4;

/** What the center is going to put on the channel for a message. */
function evidenceFor({ submission: { statement, signature, records } }: Built): Evidence {
  const leaves = records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) }));
  const block = encodeBatchBlock({ statement, signature, leaves });
  return evidenceOf(decodeBatchStatement(statement), statement, block.cid.toString(), 'center');
}

/** The next message of an outlet whose batches before are all on the channel. */
async function nextAfterAnchored(system: System, outlet: HandOutlet): Promise<Built> {
  const message = await outlet.next();
  const { mspId } = system.first;
  const before = `${mspId}/${outlet.identity.enrolmentId}/${String(message.seq - 1)}`;
  for (const firm of message.seq === 1 ? [] : system.firms) {
    const ledger = await system.ledger(firm, 'reader');
    await until('the batch before at every firm', () =>
      ledger.evaluate('evidence', 'get', [before]).catch(() => undefined),
    );
  }
  return message;
}

/** Submits the same evidence several times at once, as the firm's center; what became of each. */
async function submitAtOnce(
  system: System,
  evidence: Evidence,
  retryable: boolean,
): Promise<PromiseSettledResult<boolean>[]> {
  const ledger = await system.ledger(system.first, 'center');
  const { outlet, seq, batchHash, prev, root, cid, count, collectedFrom, collectedTo, certificate } = evidence;
  const batch = { outlet, seq, batchHash, prev, root, cid, count, collectedFrom, collectedTo, certificate };
  return Promise.allSettled(
    Array.from({ length: submitters }, async () => {
      const submitted = await ledger.submit('evidence', 'record', [JSON.stringify([batch])], { retryable });
      const { result } = await submitted.commit();
      const answer = JSON.parse(Buffer.from(result).toString('utf8')) as { results: { repeated: boolean }[] };
      return answer.results[0]?.repeated ?? false;
    }),
  );
}

/** Hands the message to the center, which finds its batch on the channel; resolves when the outlet is told so. */
async function untilAnchored(system: System, outlet: HandOutlet, message: Built): Promise<void> {
  await until('the center to find the batch anchored', async () => {
    const [answer] = await outlet.upload(message.sealed);
    assert.equal(answer?.code, 'accepted');
    const { receipt } = readReceipt(answer.receipt, system.first.channel);
    return receipt.state === 'anchored' ? true : undefined;
  });
}

export const concurrencyScenarios: readonly Scenario[] = [
  {
    name: 'of several who submit the same new evidence at once one writes it; the others lose by MVCC_READ_CONFLICT or repeat it',
    serves: ['S5'],
    needs: ['evidence'],
    async run(system) {
      const outlet = await enrolledOutlet(system, system.first, 'hand-rivals');
      const message = await nextAfterAnchored(system, outlet);
      const evidence = evidenceFor(message);
      const outcomes = await submitAtOnce(system, evidence, false);
      const writers = outcomes.filter((outcome) => outcome.status === 'fulfilled' && !outcome.value);
      assert.equal(writers.length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        assert.ok(isWaymarkError(outcome.reason, 'transaction-invalid'), String(outcome.reason));
        assert.ok(
          ['MVCC_READ_CONFLICT', 'ENDORSEMENT_MISMATCH'].includes(String(outcome.reason.details['validationCode'])),
        );
      }
      assert.equal((await historyOf(system, system.first, formatEvidenceId(evidence))).length, 1);
      await untilAnchored(system, outlet, message);
    },
  },
  {
    name: 'of several who submit the same new evidence at once and try again all succeed, and it is written once',
    serves: ['S5'],
    needs: ['evidence'],
    async run(system) {
      const outlet = await enrolledOutlet(system, system.first, 'hand-rivals');
      const message = await nextAfterAnchored(system, outlet);
      const evidence = evidenceFor(message);
      const outcomes = await submitAtOnce(system, evidence, true);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))).sort(),
        [false, ...Array.from({ length: submitters - 1 }, () => true)],
      );
      assert.equal((await historyOf(system, system.first, formatEvidenceId(evidence))).length, 1);
      await untilAnchored(system, outlet, message);
    },
  },
];
