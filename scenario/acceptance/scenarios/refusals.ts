import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { bytesEqual, isWaymarkError, readReceipt } from '@waymark/protocol';
import { buildMessage, rootOf, sealedRecord, sealFor } from '../../../services/enterprise/test/harness/raw-outlet.ts';
import { issue } from '../enrolment.ts';
import { codeOf, enrolledOutlet, type HandOutlet, handOutlet } from '../raw-upload.ts';
import { chaincodeText, refusedCalls } from '../refusal-texts.ts';
import { refused, type Scenario, type System, until } from '../system.ts';

const minutes = 60_000;

const depot = (system: System): Promise<HandOutlet> => enrolledOutlet(system, system.first, 'hand-depot');

export const refusalScenarios: readonly Scenario[] = [
  {
    name: 'the chaincode refuses in the same words on every runtime, asked and submitted alike',
    serves: ['S5'],
    needs: ['evidence'],
    async run(system) {
      const { first, second } = system;
      // From here on there is a first batch.
      await system.submit(first, system.records('first-batch', 1));
      const differing: { call: string; text: string; expected: string }[] = [];
      for (const { as, contract, fn, args, text: expected } of await refusedCalls(first, second)) {
        const ledger = await system.ledger(first, as);
        for (const how of ['evaluate', 'submit'] as const) {
          const text = chaincodeText(
            await ledger[how](contract, fn, args).then(
              () => 'nothing',
              (error: unknown) => error,
            ),
          );
          if (text !== expected) differing.push({ call: `${how} ${contract}:${fn} as ${as}`, text, expected });
        }
      }
      assert.deepEqual(differing, []);
    },
  },
  {
    name: 'a good message of an outlet is accepted, with a receipt for exactly its batch; the same again gets the same receipt',
    serves: ['S4', 'S5'],
    async run(system) {
      const outlet = await depot(system);
      const message = await outlet.next();
      const [accepted] = await outlet.upload(message.sealed);
      assert.equal(codeOf(accepted), 'accepted');
      const receiptOf = (bytes: Uint8Array) => readReceipt(bytes, system.first.channel).receipt;
      assert.ok(bytesEqual(receiptOf(accepted?.receipt ?? new Uint8Array()).batchHash, message.batchHash));
      const anchored = await until('the batch to be anchored', async () => {
        const [answer] = await outlet.upload(message.sealed);
        const receipt = answer?.receipt ?? new Uint8Array();
        return receiptOf(receipt).state === 'anchored' ? receipt : undefined;
      });
      const [again, onceMore] = await outlet.upload(message.sealed, message.sealed);
      assert.deepEqual(again?.receipt, anchored);
      assert.deepEqual(onceMore?.receipt, anchored);
    },
  },
  {
    name: 'another message under a used sequence number is replay-conflict',
    serves: ['S4'],
    async run(system) {
      const outlet = await depot(system);
      const previous = await outlet.position();
      assert.equal(await outlet.codeOf(), 'accepted');
      const other = buildMessage({
        mspId: system.first.mspId,
        channel: system.first.channel,
        identity: outlet.identity,
        key: await outlet.transportKey(),
        previous,
      });
      const [answer] = await outlet.upload(other.sealed);
      assert.equal(codeOf(answer), 'replay-conflict');
    },
  },
  {
    name: 'a message that skips a number or links to another batch is sequence-gap',
    serves: ['S4'],
    async run(system) {
      const outlet = await depot(system);
      const { seq } = await outlet.position();
      assert.equal(await outlet.codeOf({ statement: { seq: seq + 2 } }), 'sequence-gap');
      assert.equal(await outlet.codeOf({ statement: { prevBatchHash: randomBytes(32) } }), 'sequence-gap');
      assert.equal(await outlet.codeOf(), 'accepted');
    },
  },
  {
    name: 'a message sent six minutes ago, or in six minutes, is message-stale',
    serves: ['S4'],
    async run(system) {
      const outlet = await depot(system);
      for (const offsetMs of [-6 * minutes, 6 * minutes]) {
        assert.equal(await outlet.codeOf({ statement: { sentAtMs: Date.now() + offsetMs } }), 'message-stale');
      }
      assert.equal(await outlet.codeOf({ statement: { sentAtMs: Date.now() - 4 * minutes } }), 'accepted');
    },
  },
  {
    name: 'a signature over other records, or of other bytes, is signature-invalid',
    serves: ['S4', 'V4'],
    async run(system) {
      const outlet = await depot(system);
      const { channel, mspId } = system.first;
      const records = [sealedRecord(channel, mspId, outlet.identity.enrolmentId)];
      assert.equal(await outlet.codeOf({ after: (submission) => ({ ...submission, records }) }), 'signature-invalid');
      const spoilt = await outlet.codeOf({
        after: (submission) => {
          const signature = Uint8Array.from(submission.signature);
          signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
          return { ...submission, signature };
        },
      });
      assert.equal(spoilt, 'signature-invalid');
    },
  },
  {
    name: 'a message signed by somebody of another CA is certificate-untrusted; signed by another outlet it is envelope-mismatch',
    serves: ['S4', 'V4'],
    async run(system) {
      const outlet = await depot(system);
      const stranger = await issue(system.consortium, system.second, outlet.identity.enrolmentId);
      assert.equal(await outlet.codeOf({ signer: { ...outlet.identity, ...stranger } }), 'certificate-untrusted');
      const yard = await enrolledOutlet(system, system.first, 'hand-yard');
      assert.equal(await outlet.codeOf({ signer: yard.identity }), 'envelope-mismatch');
      assert.equal(await outlet.codeOf({ envelopeOutlet: yard.identity.enrolmentId }), 'envelope-mismatch');
      assert.equal(await outlet.codeOf({ envelopeMsp: system.second.mspId }), 'envelope-mismatch');
      const [answer] = await yard.upload((await outlet.next()).sealed);
      assert.equal(codeOf(answer), 'envelope-mismatch');
    },
  },
  {
    name: "an outlet of another organisation is refused at the center's door",
    serves: ['S4'],
    async run(system) {
      const { first, second } = system;
      const foreign = handOutlet(system, first, (await enrolledOutlet(system, second, 'hand-depot')).identity);
      await refused(foreign.position(), 'unavailable', 'recipient-mismatch', 'certificate-untrusted');
      foreign.close();
    },
  },
  {
    name: 'somebody whom the register does not know, or knows as a reader, is role-not-permitted',
    serves: ['S4'],
    async run(system) {
      const { first, consortium } = system;
      const reader = { enrolmentId: 'reader', ...(await first.identity('reader')) };
      for (const identity of [await issue(consortium, first, 'unregistered'), reader]) {
        const outlet = handOutlet(system, first, identity);
        await refused(outlet.position(), 'role-not-permitted');
        outlet.close();
      }
    },
  },
  {
    name: "a message for another firm's center opens nowhere else: key-unknown, and sealed anew recipient-mismatch",
    serves: ['S3', 'S4'],
    async run(system) {
      const { first, second } = system;
      const [own, other] = [await depot(system), await enrolledOutlet(system, second, 'hand-depot')];
      const message = await other.next();
      const [unopened] = await own.upload(message.sealed);
      assert.equal(codeOf(unopened), 'key-unknown');
      const [resealed] = await own.upload(sealFor(message.submission, first.channel, await own.transportKey()));
      assert.equal(codeOf(resealed), 'recipient-mismatch');
      const key = await other.transportKey();
      assert.equal(await own.codeOf({ statement: { leaderKid: key.kid } }), 'recipient-mismatch');
    },
  },
  {
    name: 'a record that was accepted before, in another batch, is a conflict',
    serves: ['S4', 'S5'],
    needs: ['evidence'],
    async run(system) {
      const outlet = await depot(system);
      const first = await outlet.next();
      await outlet.upload(first.sealed);
      const { records } = first.submission;
      const code = await outlet.codeOf({
        statement: { root: rootOf(records) },
        after: (submission) => ({ ...submission, records }),
      });
      assert.equal(code, 'conflict');
    },
  },
  {
    name: 'an outlet that the register revokes is refused from then on, and only it',
    serves: ['S4'],
    async run(system) {
      const node = await system.enrol(system.first, 'hand-closed', 'outlet');
      const outlet = handOutlet(system, system.first, node);
      await until('the center to know the outlet', () => outlet.position().catch(() => undefined));
      const before = await outlet.next();
      assert.equal(codeOf((await outlet.upload(before.sealed))[0]), 'accepted');
      const late = await outlet.next();
      await node.revoke();
      await until('the center to refuse the outlet', async () => {
        try {
          await outlet.position();
          return undefined;
        } catch (error) {
          return isWaymarkError(error, 'certificate-revoked') ? true : undefined;
        }
      });
      await refused(outlet.upload(late.sealed), 'certificate-revoked');
      outlet.close();
      assert.equal(await (await depot(system)).codeOf(), 'accepted');
    },
  },
];
