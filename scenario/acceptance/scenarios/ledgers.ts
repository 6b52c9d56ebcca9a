import assert from 'node:assert/strict';
import type { RunningService } from '@waymark/network';
import { restClient } from '../../support/rest-client.ts';
import type { Firm } from '../../support/running-consortium.ts';
import {
  anchorsOf,
  blocksAbove,
  handOver,
  ledgerOf,
  memberServices,
  untilLedger,
  untilSettled,
} from '../private-ledgers.ts';
import type { Scenario, System } from '../system.ts';
import { underLoad } from '../under-load.ts';

const firmsOf = ({ first, second }: System): readonly Firm[] => [first, second];

function memberOf(system: System, firm: Firm, node: string | null): RunningService {
  const found = memberServices(system, firm).find((service) => service.node === node);
  assert.ok(found !== undefined, `${node ?? 'nobody'} is a member of the ledger of ${firm.mspId}`);
  return found;
}

export const ledgerScenarios: readonly Scenario[] = [
  {
    name: 'a record is in one block that every member has, under one anchor; proof, members and channel name the same transaction',
    serves: ['S7', 'D3', 'D7'],
    needs: ['private-ledgers'],
    async run(system) {
      for (const firm of firmsOf(system)) {
        const [record] = system.records('in-a-block', 1);
        assert.ok(record !== undefined);
        const [receipt] = await system.submit(firm, [record]);
        assert.equal(receipt?.state, 'anchored');
        const reader = system.as(firm, 'reader');
        await system.traceOnceIndexed(reader, { eventId: record.eventId });
        const { trust, records } = await reader.trace({ eventId: record.eventId });
        const [found, ...more] = records;
        assert.deepEqual([trust, more.length, found?.content.payload], ['anchored', 0, record.payload]);
        const { height = 0, blockHash, anchor } = found?.ledger ?? {};
        await untilSettled(system, firm);
        const covering = (await anchorsOf(system, firm)).filter(({ first, last }) => first <= height && height <= last);
        assert.deepEqual([covering.length, covering[0]?.txId], [1, anchor?.txId]);
        if (receipt.txId !== undefined) assert.equal(receipt.txId, anchor?.txId);
        for (const member of memberServices(system, firm)) {
          const [block] = await blocksAbove(firm, member, height - 1);
          assert.deepEqual(
            [block?.height, block?.hash, block?.accepted, block?.anchorTxId],
            [height, blockHash, 1, anchor?.txId],
            member.process.name,
          );
        }
      }
    },
  },
  {
    name: 'a member of another organisation sees the anchors of a ledger, and nothing of its blocks',
    serves: ['S3', 'D1'],
    needs: ['private-ledgers'],
    async run(system) {
      const { first, second } = system;
      await system.submit(first, system.records('not-yours', 1));
      const seen = await (await system.ledger(second, 'reader')).evaluate('anchors', 'list', [first.mspId, '1', '100']);
      assert.ok((JSON.parse(Buffer.from(seen).toString('utf8')) as { items: unknown[] }).items.length > 0);
      const stranger = await second.identity('reader');
      for (const { apiUrl } of memberServices(system, first))
        for (const page of ['ledger', 'ledger/blocks', 'ledger/blocks/1']) {
          const rest = restClient(first, Number(new URL(apiUrl).port), stranger);
          const answer = await rest('GET', `/v1/${page}`).catch(() => undefined);
          assert.ok(answer === undefined || answer.status === 403, `${page}: ${String(answer?.status)}`);
        }
    },
  },
  {
    name: 'the center in office killed under load and left away: the standby takes over and goes on, and the killed one follows when it is back',
    serves: ['S5', 'D7', 'R2'],
    needs: ['private-ledgers'],
    run: (system) =>
      underLoad(system, async (progress) => {
        const before = await Promise.all(firmsOf(system).map((firm) => ledgerOf(system, firm)));
        const killed = firmsOf(system).map((firm, index) => memberOf(system, firm, before[index]?.center ?? null));
        await system.kill(...killed.map(({ process }) => process.name));
        await Promise.all(
          firmsOf(system).map(async (firm, index) => {
            const old = before[index];
            await untilLedger(
              system,
              firm,
              'another one is in office',
              ({ center, term }) => center !== null && center !== old?.center && (term ?? 0) > (old?.term ?? 0),
            );
            await progress(firm).next('anchored', 8);
          }),
        );
        await system.restart(...killed.map(({ process }) => process.name));
      }),
  },
  {
    name: 'the office handed over under load, there and back: no record is lost, none stands twice',
    serves: ['D7', 'R2'],
    needs: ['private-ledgers'],
    run: (system) =>
      underLoad(system, async (progress) => {
        const { first } = system;
        for (let turn = 0; turn < 2; turn += 1) {
          const { center } = await ledgerOf(system, first);
          await handOver(system, first, center === 'center' ? 'standby' : 'center');
          await progress(first).next('anchored', 8);
        }
      }),
  },
  {
    name: 'a department that verifies away under load: the others are quorum enough, and it has everything once it is back',
    serves: ['D6', 'R4'],
    needs: ['private-ledgers'],
    run: (system) =>
      underLoad(system, async (progress) => {
        const away = firmsOf(system).flatMap((firm) =>
          memberServices(system, firm)
            .filter(({ kind }) => kind === 'verifier')
            .slice(0, 1)
            .map(({ process }) => process.name),
        );
        assert.equal(away.length, 2);
        await system.kill(...away);
        await Promise.all(firmsOf(system).map((firm) => progress(firm).next('anchored', 8)));
        await system.restart(...away);
      }),
  },
];
