import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ordererCount, readStatus } from '@waymark/network';
import { readChainInfo, readChannelConfig } from '../channel-config.ts';
import { type Scenario, until } from '../system.ts';

const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);

export const topologyScenarios: readonly Scenario[] = [
  {
    name: 'each organisation has one anchor peer in the channel configuration: its leader, whose gateway the firm uses',
    serves: ['S1'],
    async run({ first, consortium: { channel, topology } }) {
      const { anchorPeers } = await readChannelConfig(first);
      assert.deepEqual([...anchorPeers.keys()].sort(), topology.organisations.map(({ mspId }) => mspId).sort());
      for (const { mspId, leaderPeer } of topology.organisations) {
        const anchors = anchorPeers.get(mspId) ?? [];
        assert.equal(anchors.length, 1, `${mspId} has one anchor peer`);
        const leader = channel.peers.find((peer) => peer.mspId === mspId && peer.name === leaderPeer);
        const ports = [leader?.address, channel.gateways.get(mspId)?.endpoint].map((address) => portOf(address ?? ''));
        assert.deepEqual(ports, [portOf(anchors[0] ?? ''), portOf(anchors[0] ?? '')]);
      }
    },
  },
  {
    name: 'the peer of an outlet is an ordinary node: no anchor, and it has the same chain',
    serves: ['S1', 'D2'],
    needs: ['two-peers'],
    async run(system) {
      const { first, firms, consortium } = system;
      const { anchorPeers } = await readChannelConfig(first);
      const anchors = [...anchorPeers.values()].flat().map(portOf);
      await system.submit(first, system.records('ordinary-peer', 1));
      for (const firm of firms) {
        const leader = firm.organisation.leaderPeer;
        const others = consortium.channel.peers.filter(({ mspId, name }) => mspId === firm.mspId && name !== leader);
        assert.ok(others.length > 0);
        for (const peer of others) {
          assert.ok(!anchors.includes(portOf(peer.address)), `${peer.name} is no anchor peer`);
          const place = { endpoint: peer.address, tlsRootPem: await readFile(peer.tlsRootFile, 'utf8') };
          await until('both peers to have the same chain', async () => {
            const [own, other] = [await readChainInfo(firm), await readChainInfo(firm, place)];
            return own.height === other.height && own.hash === other.hash ? true : undefined;
          });
        }
      }
    },
  },
  {
    name: 'as many orderers as the topology says, by default a third of the organisations and one',
    serves: ['S2', 'V3'],
    async run({ first, names, consortium: { topology } }) {
      const { ordering, consenters } = await readChannelConfig(first);
      assert.equal(ordering, topology.ordering.type === 'raft' ? 'etcdraft' : 'BFT');
      const byOrganisations = Math.floor(topology.organisations.length / 3) + 1;
      if (topology.ordering.orderers === undefined && topology.ordering.type === 'raft')
        assert.equal(ordererCount(topology), byOrganisations);
      // Devnet is its own one orderer, whatever the topology says.
      const count = names.orderers.length > 0 ? ordererCount(topology) : 1;
      assert.equal(new Set(consenters).size, count);
      assert.equal(Math.max(1, names.orderers.length), count);
    },
  },
  {
    name: 'the status of the network shows who orders and what that tolerates, one anchor per organisation, heights and pins',
    serves: ['S1', 'S2'],
    async run({ names, consortium }) {
      const { topology } = consortium;
      const status = await until('everybody to be ready and all that is anchored to be held', async () => {
        const now = await readStatus(consortium);
        const ready = now.organisations.every(({ services }) => services.every(({ state }) => state === 'ready'));
        const { anchored, replicated, missing } = now.pins;
        return ready && missing === 0 && replicated === anchored ? now : undefined;
      });
      const separate = names.orderers.length > 0;
      const count = separate ? ordererCount(topology) : status.orderers;
      const { ordering, orderers, toleratedFaults } = status;
      assert.deepEqual(
        { ordering, orderers, toleratedFaults },
        {
          ordering: separate ? topology.ordering.type : 'devnet',
          orderers: count,
          toleratedFaults: !separate ? 0 : Math.floor((count - 1) / (topology.ordering.type === 'bft' ? 3 : 2)),
        },
      );
      for (const { mspId, peers } of status.organisations) {
        const leader = topology.organisations.find((organisation) => organisation.mspId === mspId)?.leaderPeer;
        assert.deepEqual(
          peers.filter(({ anchor }) => anchor).map(({ name }) => name),
          [leader],
        );
        for (const { height } of peers) assert.ok(height !== null && height > 0);
      }
      assert.deepEqual(status.away, []);
    },
  },
];
