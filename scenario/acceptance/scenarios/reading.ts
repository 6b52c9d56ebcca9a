import assert from 'node:assert/strict';
import { createGatewaySource, linksOf } from '@waymark/content';
import { canonicalJsonBytes, isWaymarkError, parseCid } from '@waymark/protocol';
import { generateEncryptionKeyPair } from '@waymark/vault';
import { restClient } from '../../support/rest-client.ts';
import type { Firm } from '../../support/running-consortium.ts';
import { canaryWord, needlesOf, textCanary } from '../../support/search/canary.ts';
import { createScanner } from '../../support/search/scanner.ts';
import { readBlocks, readChainInfo } from '../channel-config.ts';
import { refused, type Scenario, type System, until } from '../system.ts';
import { evidenceOf, unitOf } from './anchoring.ts';
import { untilHeld } from './content.ts';

/** Blocks of content as the firm's outlet serves them to its reader. */
async function contentOf(firm: Firm) {
  const { certificatePem, privateKeyPem } = await firm.identity('reader');
  return createGatewaySource({
    baseUrl: `https://127.0.0.1:${String(firm.ports.outlet.apiPort)}`,
    tls: { ca: firm.tlsRootPem, certificate: certificatePem, privateKey: privateKeyPem },
  });
}

/** Anchors one record and reads it: what a scenario then spoils. */
async function anchored(system: System, firm: Firm, label: string) {
  const [record] = system.records(label, 1);
  assert.ok(record !== undefined);
  const [receipt] = await system.submit(firm, [record]);
  const answer = await system.traceOnceIndexed(system.as(firm, 'reader'), { eventId: record.eventId });
  const [found] = answer.records;
  assert.ok(found !== undefined && receipt !== undefined);
  return { record, receipt, answer, found };
}

/** Alters a stored block and asks as somebody who has nothing in memory, until it was put right behind the asker. */
async function askWhileAltered(system: System, eventId: string, batch: string, cid: string): Promise<void> {
  const { first, second } = system;
  await untilHeld(first, batch, [first.mspId, second.mspId]);
  const repaired = await system.gauge(first, 'center', 'waymark_repairs_done');
  await system.alter(first, cid);
  const ask = () => system.afresh(first, 'reader').trace({ eventId });
  await refused(ask(), 'data-abnormal');
  const { trust } = await until('the record to be whole again', async () => {
    try {
      return await ask();
    } catch (error) {
      // Never anything but the record or this error.
      if (isWaymarkError(error, 'data-abnormal') || isWaymarkError(error, 'unavailable')) return undefined;
      throw error;
    }
  });
  assert.equal(trust, 'anchored');
  await until('the repair to be counted', async () =>
    (await system.gauge(first, 'center', 'waymark_repairs_done')) > repaired ? true : undefined,
  );
}

export const readingScenarios: readonly Scenario[] = [
  {
    name: 'nothing of a payload or of an id is in clear on the channel, in the content store or in what operators see',
    serves: ['S3', 'S6'],
    async run(system) {
      for (const firm of system.firms) {
        const from = (await readChainInfo(firm)).height;
        const words = ['event', 'order', 'consignment', 'payload'].map((name) => [name, canaryWord()] as const);
        const word = Object.fromEntries(words) as Record<'event' | 'order' | 'consignment' | 'payload', string>;
        const [template] = system.records('canary', 1);
        assert.ok(template !== undefined);
        const [receipt] = await system.submit(firm, [
          {
            ...template,
            eventId: `urn:uuid:${word.event}`,
            consignment: word.consignment,
            businessIds: [{ type: 'order', value: word.order }],
            payload: { note: word.payload, [word.payload]: 1 },
          },
        ]);
        const { records } = await system.traceOnceIndexed(system.as(firm, 'reader'), {
          eventId: `urn:uuid:${word.event}`,
        });
        const content = await contentOf(firm);
        const scanner = createScanner(words.flatMap(([name, text]) => needlesOf(textCanary(name, text))));
        try {
          assert.ok(receipt !== undefined);
          const cid = parseCid(await unitOf(system, firm, receipt));
          const unit = await content.get(cid);
          const below = await Promise.all(linksOf({ cid, bytes: unit }).map((link) => content.get(link)));
          const places = {
            envelope: [await content.get(parseCid(records[0]?.cid ?? ''))],
            unit: [unit, ...below],
            blocks: await readBlocks(firm, from),
            metrics: [Buffer.from((await system.operations(firm, 'center', 'metrics')).text)],
          };
          for (const [place, pieces] of Object.entries(places)) {
            assert.ok(pieces.length > 0, `there are ${place} to look into`);
            assert.deepEqual([place, pieces.flatMap((bytes) => scanner.scan(bytes))], [place, []]);
          }
          // The search finds what is there: the reader's own copy.
          assert.ok(scanner.scan(canonicalJsonBytes(records[0]?.content.payload ?? null)).length > 0);
        } finally {
          await content.close();
        }
      }
    },
  },
  {
    name: 'a center that is no recipient hands over no key; one that is does, and so does every outlet',
    serves: ['S3'],
    async run(system) {
      for (const firm of system.firms) {
        const { found } = await anchored(system, firm, 'recipient');
        const encryptionKey = generateEncryptionKeyPair('P-256').publicKey.jwk;
        const body = { encryptionKey, query: { recordOid: found.recordOid } };
        const ask = async (port: number) =>
          restClient(firm, port, await firm.identity('reader'))('POST', '/v1/fast-queries', body);
        assert.equal((await ask(firm.ports.outlet.apiPort)).status, 200);
        const { status, body: answer } = await ask(firm.ports.center.apiPort);
        if (firm.organisation.centerIsRecipient) assert.equal(status, 200);
        else assert.equal(answer?.['code'], 'key-unknown');
      }
    },
  },
  {
    name: 'a trusted query gives the record with proof: anchored, attested by the firm, content equal',
    serves: ['S7', 'D14'],
    async run(system) {
      for (const firm of system.firms) {
        const { record, receipt, answer, found } = await anchored(system, firm, 'trusted');
        assert.equal(answer.trust, 'anchored');
        assert.ok(answer.attestedBy.length > 0);
        assert.deepEqual(found.content.payload, record.payload);
        assert.equal(found.evidenceId, receipt.evidenceId);
        const byOrder = await system
          .as(firm, 'reader')
          .trace({ type: 'order', value: record.businessIds?.[0]?.value ?? '' });
        assert.deepEqual(
          byOrder.records.map(({ recordOid }) => recordOid),
          [found.recordOid],
        );
        await refused(system.as(firm, 'reader').trace({ eventId: `${record.eventId}-absent` }), 'refused');
      }
    },
  },
  {
    name: 'one altered bit of a stored envelope is an error to who asks, never data, and is repaired behind',
    serves: ['S7'],
    async run(system) {
      const { record, receipt, found } = await anchored(system, system.first, 'altered-envelope');
      const cid = await unitOf(system, system.first, receipt);
      await askWhileAltered(system, record.eventId, cid, found.cid);
    },
  },
  {
    name: 'one altered bit of a stored batch block is an error to who asks, never data, and is repaired behind',
    serves: ['S7'],
    needs: ['evidence'],
    async run(system) {
      const { record, receipt } = await anchored(system, system.first, 'altered-batch');
      const { cid } = await evidenceOf(system, system.first, receipt.evidenceId);
      await askWhileAltered(system, record.eventId, cid, cid);
    },
  },
  {
    name: 'a fast query is answered while nothing of Fabric runs, and marked unverified; a trusted one is not answered',
    serves: ['S8', 'D14'],
    async run(system) {
      const { first, names } = system;
      const { record } = await anchored(system, first, 'fast');
      const reader = system.afresh(first, 'reader');
      await system.kill(...names.channel);
      try {
        const fast = await reader.trace({ eventId: record.eventId }, { mode: 'fast' });
        assert.equal(fast.trust, 'unverified');
        assert.deepEqual(fast.attestedBy, []);
        assert.deepEqual(fast.records[0]?.content.payload, record.payload);
        await refused(reader.trace({ eventId: record.eventId }), 'unavailable');
      } finally {
        await system.restart(...names.channel);
      }
      const trusted = await until('trusted queries to be answered again', () =>
        reader.trace({ eventId: record.eventId }).catch(() => undefined),
      );
      assert.equal(trusted.trust, 'anchored');
    },
  },
  {
    name: 'a replica that is deleted is rebuilt from the channel, equal to what it was',
    serves: ['S6'],
    needs: ['service-folders', 'evidence'],
    async run(system) {
      const { first } = system;
      const set = system.records('replica', 5);
      await system.submit(first, set);
      const last = set.at(-1);
      await system.traceOnceIndexed(system.as(first, 'reader'), { eventId: last?.eventId ?? '' });
      for (const service of ['center', 'outlet'] as const) {
        const rest = restClient(first, first.ports[service].apiPort, await first.identity('reader'));
        const image = async () => {
          const status = (await rest('GET', '/v1/status')).body;
          const evidence = Number(status?.['evidence']);
          const lookups = await rest('POST', '/v1/lookups', {
            queries: set.map(({ eventId }) => ({ type: 'event', value: eventId })),
          });
          const seqs = Array.from({ length: 400 }, (_, index) => index + 1);
          const copies: unknown[] = [];
          for (const seq of seqs) {
            const copy = await rest('GET', `/v1/evidence/${first.mspId}/${first.outletName}/${String(seq)}`);
            if (copy.status !== 200) break;
            copies.push(copy.body);
          }
          return { evidence, lookups: lookups.body, copies };
        };
        await until('the replica to have every block', async () => {
          const { body } = await rest('GET', '/v1/status');
          return body?.['block'] === (await readChainInfo(first)).height - 1 ? true : undefined;
        });
        const before = await image();
        assert.ok(before.copies.length > 0 && before.evidence >= before.copies.length);
        await system.removeReplica(first, service);
        await until('the replica to be rebuilt', async () => {
          const after = await image().catch(() => undefined);
          try {
            assert.deepEqual(after, before);
            return true;
          } catch {
            return undefined;
          }
        });
      }
    },
  },
  {
    name: 'with one batch of 500 records the channel grows by less than a twentieth of their payload',
    serves: ['S10', 'P5'],
    needs: ['evidence'],
    async run(system) {
      const { first } = system;
      const from = (await readChainInfo(first)).height;
      const set = system.records('bytes', 500).map((record, index) => ({
        ...record,
        payload: { ...(record.payload as object), readings: Array.from({ length: 40 }, (_, step) => index * step) },
      }));
      const payloadBytes = set.reduce((sum, { payload }) => sum + canonicalJsonBytes(payload).length, 0);
      await system.submit(first, set);
      const grown = (await readBlocks(first, from)).reduce((sum, { length }) => sum + length, 0);
      assert.ok(
        grown > 0 && grown < payloadBytes / 20,
        `${String(grown)} bytes for ${String(payloadBytes)} of payload`,
      );
    },
  },
];
