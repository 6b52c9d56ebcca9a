import assert from 'node:assert/strict';
import { createExternalRequest, generateAskerKeys, openExternalAnswer } from '@waymark/sdk';
import { WaymarkError } from '@waymark/protocol';
import { refused, type Scenario } from '../system.ts';

export const externalScenarios: readonly Scenario[] = [
  {
    name: 'somebody outside is answered, sealed to its own key and signed by the outlet, when the outlet permits it',
    serves: ['S9'],
    async run(system) {
      for (const firm of system.firms) {
        const [record] = system.records('external', 1);
        assert.ok(record !== undefined);
        const [receipt] = await system.submit(firm, [record]);
        await system.traceOnceIndexed(system.as(firm, 'reader'), { eventId: record.eventId });
        const asker = generateAskerKeys();
        await system.as(firm, firm.outletName).allow(record.consignment, [asker.signing.kid]);
        const client = system.as(firm, 'client');
        const about = { channel: firm.channel, msp: firm.mspId };
        const recordOid = receipt?.recordOid ?? '';
        for (const query of [{ recordOid }, { eventId: record.eventId }]) {
          const opened = await client.externalQuery(query, asker);
          assert.deepEqual(opened.content.payload, record.payload);
          assert.equal(opened.evidenceId, receipt?.evidenceId);
        }
        const request = await createExternalRequest({ recordOid }, about, asker);
        const answer = await client.sendExternalRequest(request);
        assert.equal(answer.outlet, firm.outletName);
        // Nobody else opens it, and it answers no other question.
        await refused(
          openExternalAnswer(answer, { nonce: request.nonce, asker: generateAskerKeys() }),
          'decryption-failed',
          'data-abnormal',
        );
        await refused(
          openExternalAnswer(answer, { nonce: 'A'.repeat(22), asker }),
          'data-abnormal',
          'decryption-failed',
          'recipient-mismatch',
        );
      }
    },
  },
  {
    name: 'who is not permitted and who asks for what is not there get the same answer',
    serves: ['S9'],
    async run(system) {
      const { first } = system;
      const [record] = system.records('not-permitted', 1);
      assert.ok(record !== undefined);
      await system.submit(first, [record]);
      await system.traceOnceIndexed(system.as(first, 'reader'), { eventId: record.eventId });
      const client = system.as(first, 'client');
      const permitted = generateAskerKeys();
      await system.as(first, first.outletName).allow(record.consignment, [permitted.signing.kid]);
      const answers: string[] = [];
      for (const asker of [generateAskerKeys(), permitted]) {
        for (const eventId of [record.eventId, `${record.eventId}-absent`]) {
          if (asker === permitted && eventId === record.eventId) continue;
          const error = await refused(client.externalQuery({ eventId }, asker), 'refused');
          answers.push(error instanceof WaymarkError ? `${error.code}: ${error.message}` : error.message);
        }
      }
      assert.equal(answers.length, 3);
      assert.equal(new Set(answers).size, 1, answers.join(' | '));
      // What was permitted is taken back.
      await system.as(first, first.outletName).allow(record.consignment, []);
      await refused(client.externalQuery({ eventId: record.eventId }, permitted), 'refused');
    },
  },
  {
    name: 'an external question is asked once, fresh, and by a client of the firm that it names',
    serves: ['S9'],
    async run(system) {
      const { first, second } = system;
      const [record] = system.records('question', 1);
      assert.ok(record !== undefined);
      await system.submit(first, [record]);
      await system.traceOnceIndexed(system.as(first, 'reader'), { eventId: record.eventId });
      const asker = generateAskerKeys();
      await system.as(first, first.outletName).allow(record.consignment, [asker.signing.kid]);
      const client = system.as(first, 'client');
      const about = { channel: first.channel, msp: first.mspId };
      const query = { eventId: record.eventId };
      const request = await createExternalRequest(query, about, asker);
      await client.sendExternalRequest(request);
      await refused(client.sendExternalRequest(request), 'replay-conflict');
      const old = await createExternalRequest(query, about, asker, Date.now() - 6 * 60_000);
      await refused(client.sendExternalRequest(old), 'message-stale');
      const elsewhere = await createExternalRequest(query, { ...about, msp: second.mspId }, asker);
      await refused(client.sendExternalRequest(elsewhere), 'recipient-mismatch');
      const fresh = await createExternalRequest(query, about, asker);
      await refused(system.as(second, 'client').sendExternalRequest(fresh), 'recipient-mismatch');
    },
  },
];
