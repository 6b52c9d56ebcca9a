import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type Evidence, parseEvidence, sha256, toHex } from '@waymark/protocol';
import type { SubmitReceipt } from '@waymark/sdk';
import { restClient } from '../../support/rest-client.ts';
import type { Firm } from '../../support/running-consortium.ts';
import { type Anchor, anchorsOf, bodyOf, keepsLedger } from '../private-ledgers.ts';
import { refused, type Scenario, type System } from '../system.ts';

interface History {
  readonly items: readonly { readonly txId: string; readonly isDelete: boolean; readonly value: Evidence }[];
}

/** The evidence under an id, as the chaincode has it for a member of `firm`. */
export async function evidenceOf(system: System, firm: Firm, evidenceId: string): Promise<Evidence> {
  const ledger = await system.ledger(firm, 'reader');
  return parseEvidence(await ledger.evaluate('evidence', 'get', [evidenceId]));
}

type Receipt = Pick<SubmitReceipt, 'evidenceId' | 'recordOid'>;

/** Address of what is kept of an anchored record's batch: the batch itself, or the body of the block that has it where the firm keeps a private ledger. */
export async function unitOf(system: System, firm: Firm, receipt: Receipt): Promise<string> {
  if (!keepsLedger(system, firm)) return (await evidenceOf(system, firm, receipt.evidenceId)).cid;
  return bodyOf(system, firm, await heightOf(system, firm, receipt));
}

/** What the channel has of a record's batch for a member of `asker`: its evidence, or the anchor of the block that has it. */
export async function onChannel(
  system: System,
  asker: Firm,
  owner: Firm,
  receipt: Receipt,
): Promise<Evidence | Anchor> {
  if (!keepsLedger(system, owner)) return evidenceOf(system, asker, receipt.evidenceId);
  const height = await heightOf(system, owner, receipt);
  const anchors = await anchorsOf(system, asker, owner.mspId);
  const covering = anchors.find(({ first, last }) => first <= height && height <= last);
  assert.ok(covering !== undefined, `block ${height} of ${owner.mspId} is anchored`);
  return covering;
}

/** Block of the firm's private ledger that has the record. */
async function heightOf(system: System, firm: Firm, { recordOid }: Receipt): Promise<number> {
  const reader = system.as(firm, 'reader');
  await system.traceOnceIndexed(reader, { recordOid });
  const { records } = await reader.trace({ recordOid });
  return records[0]?.ledger?.height ?? 0;
}

/** Every transaction that wrote an evidence. */
export async function historyOf(system: System, firm: Firm, evidenceId: string): Promise<History['items']> {
  const ledger = await system.ledger(firm, 'reader');
  const answer = await ledger.evaluate('evidence', 'history', [evidenceId]);
  return (JSON.parse(Buffer.from(answer).toString('utf8')) as History).items;
}

async function submitOne(system: System, firm: Firm, label: string): Promise<SubmitReceipt> {
  const [receipt] = await system.submit(firm, system.records(label, 1));
  assert.ok(receipt !== undefined);
  return receipt;
}

export const anchoringScenarios: readonly Scenario[] = [
  {
    name: 'an anchored record is bound to its address, outlet, center, certificate and collection time, and the receipt names that',
    serves: ['S5', 'V4'],
    needs: ['evidence'],
    async run(system) {
      for (const firm of system.firms) {
        const receipt = await submitOne(system, firm, 'bound');
        assert.equal(receipt.state, 'anchored');
        assert.equal(receipt.repeated, false);
        const evidence = await evidenceOf(system, firm, receipt.evidenceId);
        const { certificatePem } = await firm.identity(firm.outletName);
        const certificate = toHex(sha256(new X509Certificate(certificatePem).raw));
        const collected = '2026-03-01T12:00:00.000Z';
        const { msp, outlet, node, count, collectedFrom, collectedTo, batchHash } = evidence;
        assert.deepEqual(
          { msp, outlet, node, count, collectedFrom, collectedTo, batchHash, certificate: evidence.certificate },
          {
            msp: firm.mspId,
            outlet: firm.outletName,
            node: 'center',
            count: 1,
            collectedFrom: collected,
            collectedTo: collected,
            batchHash: receipt.batchHash,
            certificate,
          },
        );
        const [written, ...more] = await historyOf(system, firm, receipt.evidenceId);
        assert.equal(more.length, 0, 'it was written once');
        if (receipt.txId !== undefined) assert.equal(written?.txId, receipt.txId);
        const rest = restClient(firm, firm.ports.outlet.apiPort, await firm.identity('reader'));
        const block = await rest('GET', `/ipfs/${evidence.cid}?format=raw`);
        assert.equal(block.status, 200, 'the batch block lies under the address on the channel');
      }
    },
  },
  {
    name: 'the same record again has the same receipt, and nothing is written',
    serves: ['S5'],
    async run(system) {
      const { first } = system;
      const records = system.records('again', 3);
      const receipts = await system.submit(first, records);
      const ledger = await system.ledger(first, 'reader');
      const list = async (): Promise<string> =>
        Buffer.from(await ledger.evaluate('evidence', 'list', [first.mspId, first.outletName, '1', '100'])).toString();
      const before = await list();
      const again = await system.submit(first, records);
      assert.deepEqual(
        again.map(({ recordOid, evidenceId, leafIndex, batchHash, repeated }) => ({
          recordOid,
          evidenceId,
          leafIndex,
          batchHash,
          repeated,
        })),
        receipts.map(({ recordOid, evidenceId, leafIndex, batchHash }) => ({
          recordOid,
          evidenceId,
          leafIndex,
          batchHash,
          repeated: true,
        })),
      );
      assert.equal(await list(), before);
    },
  },
  {
    name: 'other content under a used id is a conflict; as a higher revision it is a record of its own',
    serves: ['S5', 'V12'],
    async run(system) {
      const { first } = system;
      const [record] = system.records('correction', 1);
      assert.ok(record !== undefined);
      await system.submit(first, [record]);
      const corrected = { ...record, payload: { step: 'corrected' } };
      await refused(system.submit(first, [corrected]), 'conflict');
      await system.submit(first, [{ ...corrected, revision: 1 }]);
      const reader = system.as(first, 'reader');
      await system.traceOnceIndexed(reader, { eventId: record.eventId });
      const { records } = await reader.trace({ eventId: record.eventId });
      assert.deepEqual(records.map(({ content }) => [content.revision, content.payload]).sort(), [
        [0, record.payload],
        [1, corrected.payload],
      ]);
    },
  },
  {
    name: 'records of several clients at both outlets at once are each anchored once and read back equal',
    serves: ['S5', 'S7', 'S11'],
    async run(system) {
      await Promise.all(
        system.firms.map(async (firm) => {
          const sets = Array.from({ length: 4 }, (_, index) => system.records(`crowd-${String(index)}`, 25));
          const receipts = (
            await Promise.all(
              sets.map(async (records) => {
                const found: SubmitReceipt[] = [];
                for await (const result of system.afresh(firm, 'reader').submit(records)) {
                  if ('error' in result) throw result.error;
                  found.push(result.receipt);
                }
                return found;
              }),
            )
          ).flat();
          const places = receipts.map(({ evidenceId, leafIndex }) => `${evidenceId}#${String(leafIndex)}`);
          assert.equal(new Set(places).size, 100);
          const reader = system.as(firm, 'reader');
          const all = sets.flat();
          const last = all.at(-1);
          for (const record of [...sets.map((set) => set.at(-1)), last]) {
            if (record !== undefined) await system.traceOnceIndexed(reader, { eventId: record.eventId });
          }
          const complete = all.map((record) => ({ revision: 0, businessIds: [], ...record }));
          const { asked, matched } = await reader.traceFile(complete);
          assert.deepEqual({ asked, matched }, { asked: 100, matched: 100 });
        }),
      );
    },
  },
];
