import assert from 'node:assert/strict';
import type { TopologyOrganisation } from '@waymark/network';
import { firmOf } from '../../support/running-consortium.ts';
import { readChannelConfig, readDefinition } from '../channel-config.ts';
import type { Scenario } from '../system.ts';
import { underLoad } from '../under-load.ts';
import { onChannel, unitOf } from './anchoring.ts';
import { untilHeld } from './content.ts';

/** Changes take minutes where every node is a container: enough records come together. */
const pauseMs = 500;

const newcomer: TopologyOrganisation = {
  mspId: 'MeridianMSP',
  domain: 'meridian.example',
  name: 'Meridian Quarantine',
  role: 'regulator',
  field: 'quarantine',
  leaderPeer: 'leader',
  centerIsRecipient: true,
  outlets: [{ name: 'border-post', peer: false }],
};

export const growthScenarios: readonly Scenario[] = [
  {
    name: 'the chaincode is upgraded on a channel with data, under load: what was anchored stays, and anchoring goes on',
    serves: ['S5'],
    async run(system) {
      const { first, consortium } = system;
      const [record] = system.records('before-upgrade', 1);
      assert.ok(record !== undefined);
      const [receipt] = await system.submit(first, [record]);
      assert.ok(receipt !== undefined);
      const before = await onChannel(system, first, first, receipt);
      const { name, sequence } = consortium.topology.chaincode;
      const version = `0.1.${String(sequence)}`;
      await underLoad(system, () => consortium.upgradeChaincode(version), pauseMs);
      assert.deepEqual(await readDefinition(first, name), { version, sequence: sequence + 1 });
      assert.deepEqual(await onChannel(system, first, first, receipt), before);
      const { trust, records } = await system.traceOnceIndexed(system.afresh(first, 'reader'), {
        eventId: record.eventId,
      });
      assert.deepEqual([trust, records[0]?.content.payload], ['anchored', record.payload]);
    },
  },
  {
    name: 'an organisation comes to the running channel, under load: it reads what was before, keeps what comes, and anchors its own',
    serves: ['S1', 'S5', 'D2'],
    async run(system) {
      const { first, consortium } = system;
      const [receipt] = await system.submit(first, system.records('before-newcomer', 1));
      assert.ok(receipt !== undefined);
      const before = await onChannel(system, first, first, receipt);
      const unit = await unitOf(system, first, receipt);
      await underLoad(system, () => consortium.addOrganisation(newcomer), pauseMs);
      const organisation = consortium.topology.organisations.find(({ mspId }) => mspId === newcomer.mspId);
      assert.ok(organisation !== undefined);
      const firm = await firmOf(consortium, organisation);

      const { anchorPeers } = await readChannelConfig(first);
      assert.deepEqual(
        [anchorPeers.get(firm.mspId)?.length, anchorPeers.size],
        [1, consortium.topology.organisations.length],
      );
      const ledger = await system.ledger(first, 'reader');
      const answer = JSON.parse(
        Buffer.from(await ledger.evaluate('participants', 'getOrganisation', [firm.mspId])).toString('utf8'),
      ) as { role: string; field: string };
      assert.deepEqual([answer.role, answer.field], [newcomer.role, newcomer.field]);

      assert.deepEqual(await onChannel(system, firm, first, receipt), before);
      await untilHeld(first, unit, [firm.mspId]);
      const [record] = system.records('newcomer', 1);
      assert.ok(record !== undefined);
      const [own] = await system.submit(firm, [record]);
      const { records } = await system.traceOnceIndexed(system.as(firm, 'reader'), { eventId: record.eventId });
      assert.deepEqual(records[0]?.content.payload, record.payload);
      assert.ok(own !== undefined);
      assert.deepEqual(await onChannel(system, first, firm, own), await onChannel(system, firm, firm, own));
      await untilHeld(firm, await unitOf(system, firm, own), [firm.mspId, first.mspId]);
    },
  },
];
