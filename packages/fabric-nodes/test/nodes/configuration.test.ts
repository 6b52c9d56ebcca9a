import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { consensusOf, parseConfigBlock } from '@waymark/devnet/fabric';
import { openGenesis } from '../../src/channel/genesis.ts';
import { openMemberships } from '../../src/membership/memberships.ts';
import { plannedOrderer, plannedPeers, zip } from '../../src/nodes/planned-nodes.ts';
import type { FabricNetworkPlan } from '../../src/index.ts';
import { ordererAt, peerAt, planWith } from '../support/plans.ts';

const PATHS = { dataDir: '/var/hyperledger/production', builderDir: '/opt/hyperledger/ccaas_builder' };

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fabric-configuration-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

/** Every string in a configuration. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

async function configsOf(plan: FabricNetworkPlan, fabricVersion: string): Promise<string[]> {
  const memberships = await openMemberships(plan.dataDir, plan.organisations, plan.ordering.organisations);
  const peers = zip(memberships.organisations, plan.organisations).flatMap(([membership, organisation]) =>
    plannedPeers(plan, membership, organisation),
  );
  const orderers = zip(memberships.ordering, plan.ordering.organisations).flatMap(([membership, { orderers }]) =>
    zip(membership.orderers, orderers).map(([member, orderer]) => plannedOrderer(plan, member, orderer)),
  );
  return [...peers, ...orderers].flatMap((node) => stringsOf(node.config(PATHS, fabricVersion)));
}

test('configuration files name certificates relatively, and other places only as the runner says', async () => {
  const strings = await configsOf({ ...planWith(1), dataDir }, '3.1.5');
  const absolute = strings.filter((text) => text.startsWith('/'));
  expect(absolute.length).toBeGreaterThan(0);
  expect(absolute.filter((path) => !Object.values(PATHS).some((place) => path.startsWith(place)))).toEqual([]);
  expect(strings.some((text) => text.includes(dataDir))).toBe(false);
});

test('nodes with networks of their own call each other by host name and listen everywhere', async () => {
  const plan: FabricNetworkPlan = { ...planWith(1), dataDir, advertise: 'host-name', listenHost: '0.0.0.0' };
  const strings = await configsOf(plan, '3.1.5');
  expect(strings).toContain('peer0.org1.example.com:7051');
  expect(strings).toContain('0.0.0.0:7051');
  expect(strings.filter((text) => /localhost|127\.0\.0\.1/.test(text))).toEqual([]);
});

test('only Fabric 3 is told of its own filter', async () => {
  expect(await configsOf({ ...planWith(1), dataDir }, '2.5.16')).not.toContain('TimeWindowCheck');
  expect(await configsOf({ ...planWith(1), dataDir }, '3.1.5')).toContain('TimeWindowCheck');
});

test('the first block is made once; BFT orderers stand in it with their organisations, hosts and keys', async () => {
  const members = [1, 2, 3, 4].map((number) => ({ mspId: `Org${number}MSP`, domain: `org${number}.example.com` }));
  const plan: FabricNetworkPlan = {
    ...planWith(1),
    dataDir,
    advertise: 'host-name',
    organisations: members
      .slice(0, 2)
      .map((member, index) => ({ ...member, peers: [peerAt('peer0', 7000 + 10 * index)] })),
    ordering: {
      type: 'bft',
      organisations: members.map((member, index) => ({
        ...member,
        orderers: [ordererAt('orderer0', 8000 + 10 * index)],
      })),
    },
  };
  const memberships = await openMemberships(dataDir, plan.organisations, plan.ordering.organisations);
  const bytes = await openGenesis(plan, memberships);
  expect(Buffer.from(await openGenesis(plan, memberships))).toEqual(Buffer.from(bytes));
  const { config, ordererOrganisations, applicationOrganisations, msps } = parseConfigBlock(
    common.Block.deserializeBinary(bytes),
  );
  expect(msps.mspIds).toHaveLength(4);
  expect(applicationOrganisations.map(({ anchorPeers }) => anchorPeers)).toEqual([
    [{ host: 'peer0.org1.example.com', port: 7000 }],
    [{ host: 'peer0.org2.example.com', port: 7010 }],
  ]);
  expect(ordererOrganisations.map(({ mspId, endpoints }) => [mspId, ...endpoints])).toEqual(
    members.map(({ mspId, domain }, index) => [mspId, `orderer0.${domain}:${8000 + 10 * index}`]),
  );
  expect(consensusOf(config)).toEqual({
    type: 'bft',
    consenters: members.map(({ mspId, domain }, index) => ({
      mspId,
      host: `orderer0.${domain}`,
      port: 8000 + 10 * index,
    })),
  });
});
