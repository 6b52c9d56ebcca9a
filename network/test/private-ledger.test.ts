import { loadFirstConfiguration } from '@waymark/private-ledger';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servicesOf } from '../src/layout.ts';
import { ledgerConfiguration, ledgerMembers } from '../src/private-ledger.ts';
import { checkTopology, type Topology } from '../src/topology.ts';
import { ledgerTopology, topologyOf } from './example-topology.ts';

const first = (topology: Topology) => {
  const [organisation] = topology.organisations;
  if (organisation === undefined) throw new Error('no organisation');
  return organisation;
};
const rolesOf = (topology: Topology): string[] =>
  ledgerMembers(topology, first(topology)).map(({ node, role }) => `${node} ${role}`);

describe('members of a private ledger', () => {
  test('are by default four: center, standby, the outlet, and a department that only verifies (D1, D2)', () => {
    expect(rolesOf(ledgerTopology())).toEqual([
      'center center',
      'standby standby',
      'depot outlet',
      'audit-office verifier',
    ]);
  });

  test('are filled up with departments that verify, beyond the names that are given', () => {
    expect(rolesOf(ledgerTopology({ members: 7 })).slice(3)).toEqual([
      'audit-office verifier',
      'archive verifier',
      'verifier-3 verifier',
      'verifier-4 verifier',
    ]);
  });

  test('leave out outlets that are too many', () => {
    const topology = ledgerTopology({ members: 3 }, ['depot', 'harbour']);
    expect(rolesOf(topology)).toEqual(['center center', 'standby standby', 'depot outlet']);
    expect(servicesOf(topology).map(({ node }) => node)).toEqual(['center', 'depot', 'harbour', 'standby']);
  });

  test('take no name that a node of the organisation has', () => {
    expect(rolesOf(ledgerTopology({}, ['audit-office']))).toEqual([
      'center center',
      'standby standby',
      'audit-office outlet',
      'archive verifier',
    ]);
  });

  test('there are none by default, and no services for them', () => {
    const topology = topologyOf(2, { type: 'raft' });
    expect(rolesOf(topology)).toEqual([]);
    expect(ledgerConfiguration(topology, first(topology))).toBeUndefined();
    expect(servicesOf(topology).map(({ kind }) => kind)).toEqual(['center', 'outlet', 'center', 'outlet']);
  });

  test("an organisation's own word goes before the topology's", () => {
    const topology = ledgerTopology({}, ['depot'], ['depot']);
    const [a, b] = topology.organisations;
    const organisations = [{ ...a, privateLedger: 'none' }, b];
    const mixed = checkTopology({ ...topology, organisations }, 'example');
    expect(mixed.organisations.map((organisation) => ledgerMembers(mixed, organisation).length)).toEqual([0, 4]);
    const reversed = checkTopology(
      { ...topology, privateLedger: 'none', organisations: [{ ...a, privateLedger: { members: 5 } }, b] },
      'example',
    );
    expect(reversed.organisations.map((organisation) => ledgerMembers(reversed, organisation).length)).toEqual([5, 0]);
  });
});

describe('the first configuration', () => {
  test('has the members in order, and center and standby as those who may be center', () => {
    const topology = ledgerTopology();
    expect(ledgerConfiguration(topology, first(topology))).toEqual({
      epoch: 1,
      members: ['audit-office', 'center', 'depot', 'standby'],
      learners: [],
      eligible: ['center', 'standby'],
      profile: { center: 'lying', colluding: 0 },
    });
  });

  test.each([
    [
      { members: 6, colluding: 1 },
      { center: 'lying', colluding: 1 },
    ],
    [{ members: 3, profile: 'trusted' }, { center: 'trusted' }],
  ])('of %j is one that a member takes', async (section, profile) => {
    const topology = ledgerTopology(section);
    const configuration = ledgerConfiguration(topology, first(topology));
    expect(configuration?.profile).toEqual(profile);
    const folder = await mkdtemp(join(tmpdir(), 'waymark-ledger-'));
    try {
      const file = join(folder, 'configuration.json');
      await writeFile(file, JSON.stringify(configuration));
      expect(loadFirstConfiguration(file)).toEqual(configuration);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test.each<[string, object, string[], string]>([
  ['more in league than leave a quorum', { colluding: 1 }, ['depot'], '1 of 3 departments in league'],
  ['somebody in league with a trusted center', { profile: 'trusted', colluding: 1 }, ['depot'], 'trusted center'],
  ['an outlet with the name of the standby', {}, ['standby'], 'standby is the name'],
  ['a ledger of one', { members: 1 }, ['depot'], ''],
  ['more members than a ledger takes', { members: 33 }, ['depot'], ''],
  ['a key that is not known', { voters: 4 }, ['depot'], ''],
])('a topology with %s is refused', (_name, section, outlets, reason) => {
  expect(() => ledgerTopology(section, outlets)).toThrow(
    expect.objectContaining({
      code: 'configuration-invalid',
      message: expect.stringMatching(/privateLedger(\.members)?: /) as string,
    }) as Error,
  );
  expect(() => ledgerTopology(section, outlets)).toThrow(reason);
});
