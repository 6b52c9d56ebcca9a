import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peersOf } from '../src/channel/channel.ts';
import { ordererCount, orderingOrganisations } from '../src/ordering.ts';
import { checkTopology, readTopology, type Topology, withOrganisation } from '../src/topology.ts';
import { exampleOrganisation, shipped, smallTopology, topologyOf } from './example-topology.ts';

describe('the topologies that are shipped', () => {
  test('S12: one orderer of its own organisation, two firms with a leader peer and one outlet’s peer each', async () => {
    const topology = await readTopology(shipped.s12);
    expect(ordererCount(topology)).toBe(1);
    expect(orderingOrganisations(topology).map(({ mspId }) => mspId)).toEqual(['OrdererMSP']);
    expect(topology.organisations.map(({ role }) => role)).toEqual(['carrier', 'carrier']);
    for (const organisation of topology.organisations) {
      expect(peersOf(organisation)).toEqual(['leader', organisation.outlets[0]?.name]);
    }
  });

  test('a full consortium: producer, two logistics firms, seller, two regulators, three orderers that members run', async () => {
    const topology = await readTopology(shipped.full);
    const roles = topology.organisations.map(({ role }) => role).toSorted();
    expect(roles).toEqual(['carrier', 'carrier', 'producer', 'regulator', 'regulator', 'seller']);
    expect(ordererCount(topology)).toBe(3);
    const members = topology.organisations.map(({ mspId }) => mspId);
    for (const { mspId, orderers } of orderingOrganisations(topology)) {
      expect(members).toContain(mspId);
      expect(orderers).toHaveLength(1);
    }
  });

  test.each(Object.entries(shipped))(
    '%s: each organisation plans one leader peer, its first one (S1)',
    async (_name, file) => {
      const { organisations } = await readTopology(file);
      for (const organisation of organisations) {
        const [first, ...others] = peersOf(organisation);
        expect(first).toBe(organisation.leaderPeer);
        expect(others).not.toContain(organisation.leaderPeer);
      }
    },
  );
});

describe('what is no topology is refused, with file, place and reason', () => {
  type Change = (topology: MutableTopology) => void;
  test.each<[string, Change, string, string]>([
    ['an MSP id twice', ({ organisations: [, b] }) => (b.mspId = 'NorthlineMSP'), 'mspId', 'NorthlineMSP occurs twice'],
    [
      'a domain twice',
      ({ organisations: [, b] }) => (b.domain = 'northline.example'),
      'domain',
      'northline.example occurs twice',
    ],
    [
      'two nodes of one name',
      ({ organisations: [a] }) => (a.leaderPeer = 'harbour-depot'),
      'organisations.0',
      'harbour-depot names two nodes',
    ],
    [
      'a node with a name that Waymark gives',
      ({ organisations: [, b] }) => (b.leaderPeer = 'center'),
      'organisations.1',
      'center names two nodes',
    ],
    [
      'a node with the name of an orderer',
      ({ organisations: [a] }) => (a.leaderPeer = 'orderer0'),
      'organisations.0',
      'orderer0',
    ],
    [
      'a member that is called like the orderers’ organisation',
      ({ organisations: [a] }) => (a.mspId = 'OrdererMSP'),
      'organisations.0',
      'OrdererMSP',
    ],
    [
      'a member in the orderers’ domain',
      ({ organisations: [, b] }) => (b.domain = 'orderer.example'),
      'organisations.1',
      'orderer.example',
    ],
    [
      'more copies than organisations',
      ({ content }) => (content.replicas = 3),
      'content.replicas',
      '3 organisations cannot hold copies when there are 2',
    ],
    [
      'an operator that is a stranger',
      ({ ordering }) => (ordering.operators = ['StrangerMSP']),
      'ordering.operators',
      'StrangerMSP is not one of the organisations',
    ],
    [
      'an operator named twice',
      ({ ordering }) => (ordering.operators = ['NorthlineMSP', 'NorthlineMSP']),
      'ordering.operators',
      'NorthlineMSP occurs twice',
    ],
    ['no operators', ({ ordering }) => (ordering.operators = []), 'ordering.operators', ''],
    [
      'three orderers for BFT',
      ({ ordering }) => Object.assign(ordering, { type: 'bft', orderers: 3 }),
      'ordering.orderers',
      '4 tolerate 1',
    ],
    ['no orderers', ({ ordering }) => (ordering.orderers = 0), 'ordering.orderers', ''],
    ['an ordering that is none', ({ ordering }) => (ordering.type = 'kafka'), 'ordering.type', ''],
    [
      'batches that prefer to be larger than they may be',
      ({ ordering }) => (ordering.absoluteMaxBytes = 1024),
      'ordering.preferredMaxBytes',
      'more than absoluteMaxBytes',
    ],
    ['a key that is not known', (topology) => (topology['colour'] = 'blue'), '', 'colour'],
    [
      'a key of an outlet that is not known',
      ({ organisations: [a] }) => Object.assign(a.outlets[0] ?? {}, { peers: 2 }),
      'organisations.0.outlets.0',
      'peers',
    ],
    ['an organisation without outlets', ({ organisations: [a] }) => (a.outlets = []), 'organisations.0.outlets', ''],
    ['a role that is none', ({ organisations: [a] }) => (a.role = 'king'), 'organisations.0.role', ''],
    [
      'a domain that climbs',
      ({ organisations: [a] }) => (a.domain = 'a/../b'),
      'organisations.0.domain',
      'a domain name',
    ],
    [
      'a domain with an empty label',
      ({ organisations: [a] }) => (a.domain = 'a..b'),
      'organisations.0.domain',
      'a domain name',
    ],
    ['a channel in capitals', (topology) => (topology.channel = 'Waymark'), 'channel', "Fabric's channel name form"],
    [
      'a chaincode version that Fabric does not take',
      ({ chaincode }) => (chaincode.version = '1 0'),
      'chaincode.version',
      '',
    ],
    ['another format', (topology) => (topology.version = 2), 'version', ''],
  ])('%s', async (_name, change, place, reason) => {
    const topology = structuredClone(await smallTopology()) as unknown as MutableTopology;
    change(topology);
    let refusal: unknown;
    try {
      checkTopology(topology, 'consortium.yaml');
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({
      code: 'configuration-invalid',
      details: { file: 'consortium.yaml', place },
      message: expect.stringContaining(`consortium.yaml: ${place === '' ? '' : `${place}: `}`) as string,
    });
    expect((refusal as Error).message).toContain(reason);
  });

  test.each([
    ['that is not there', undefined, 'cannot be read as YAML'],
    ['that is no YAML', 'a: [1', 'cannot be read as YAML'],
    ['that is empty', '', ''],
    ['with a list', '- 1', ''],
  ])('a file %s', async (_name, text, reason) => {
    const folder = await mkdtemp(join(tmpdir(), 'waymark-topology-'));
    try {
      const file = join(folder, 'consortium.yaml');
      if (text !== undefined) await writeFile(file, text);
      await expect(readTopology(file)).rejects.toMatchObject({
        code: 'configuration-invalid',
        message: expect.stringContaining(`${file}: ${reason}`) as string,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a topology with one organisation more', () => {
  test('has it at the end, and again the same', async () => {
    const before = await smallTopology();
    const once = withOrganisation(before, exampleOrganisation(7));
    expect(once.organisations.map(({ mspId }) => mspId)).toEqual(['NorthlineMSP', 'SunparcelMSP', 'Firm7MSP']);
    expect(withOrganisation(once, exampleOrganisation(7))).toEqual(once);
  });

  test('keeps the place of one that it knows', () => {
    const before = topologyOf(3, { type: 'raft' });
    const renamed = { ...exampleOrganisation(1), name: 'Renamed' };
    const after = withOrganisation(before, renamed);
    expect(after.organisations.map(({ name }) => name)).toEqual(['Firm 0', 'Renamed', 'Firm 2']);
  });

  test('is refused when somebody else has its domain', async () => {
    const taken = { ...exampleOrganisation(7), domain: 'sunparcel.example' };
    const before = await smallTopology();
    expect(() => withOrganisation(before, taken)).toThrow('sunparcel.example occurs twice');
  });
});

/** A topology as a file may have it: anything in any place. */
interface MutableTopology extends Record<string, unknown> {
  channel: string;
  version: number;
  chaincode: { version: string };
  content: { replicas: number };
  ordering: {
    type: Topology['ordering']['type'] | 'kafka';
    orderers?: number;
    operators?: string[];
    absoluteMaxBytes: number;
  };
  organisations: [MutableOrganisation, MutableOrganisation];
}
interface MutableOrganisation {
  mspId: string;
  domain: string;
  role: string;
  leaderPeer: string;
  outlets: object[];
}
