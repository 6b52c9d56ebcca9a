import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Layout, layoutOf, type PortPlan } from '../src/layout.ts';
import { chaincodeKey, planPorts } from '../src/port-plan.ts';
import { runtimes } from '../src/runtime.ts';
import { type Topology, withOrganisation } from '../src/topology.ts';
import { exampleOrganisation, ledgerTopology, topologyOf } from './example-topology.ts';

describe('the port plan', () => {
  let root: string;
  const topology = topologyOf(3, { type: 'bft' });
  const layout = (): Layout => layoutOf(root);
  const upgraded = (sequence: number): Topology => ({
    ...topology,
    chaincode: { ...topology.chaincode, version: `0.${sequence}.0`, sequence },
  });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'waymark-ports-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  test.each(runtimes)('gives every listener of %s a port of its own', async (runtime) => {
    const plan = await planPorts(topology, layout(), runtime);
    const numbers = numbersIn(plan);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(20_000);
    expect(Math.max(...numbers)).toBeLessThan(32_000);
    // Three centers, three outlets.
    expect(Object.keys(plan.services)).toHaveLength(6);
    expect(Object.keys(plan.chaincodes)).toHaveLength(3);
    const nodes = Object.keys((runtime === 'embedded' ? plan.devnet : plan.fabric) ?? {});
    // Three leaders, two outlets’ peers, and devnet's orderer or BFT's four.
    expect(nodes).toHaveLength(5 + (runtime === 'embedded' ? 1 : 4));
  });

  test('is the same the next time', async () => {
    const plan = await planPorts(topology, layout(), 'native');
    expect(await planPorts(topology, layout(), 'native')).toEqual(plan);
  });

  test.each(runtimes)('keeps on %s what was planned when an organisation comes', async (runtime) => {
    const before = await planPorts(topology, layout(), runtime);
    const grown = withOrganisation(topology, exampleOrganisation(8));
    const after = await planPorts(grown, layout(), runtime);
    expect(after).toMatchObject(before);
    expect(numbersIn(after).length).toBeGreaterThan(numbersIn(before).length);
    expect(new Set(numbersIn(after)).size).toBe(numbersIn(after).length);
    expect(await planPorts(grown, layout(), runtime)).toEqual(after);
  });

  test('has ports for standby and verifiers of private ledgers', async () => {
    const plan = await planPorts(ledgerTopology({}, ['depot'], ['depot']), layout(), 'embedded');
    expect(Object.keys(plan.services)).toEqual(
      ['firm0.example', 'firm1.example'].flatMap((domain) =>
        ['center', 'depot', 'standby', 'audit-office'].map((node) => `${domain}-${node}`),
      ),
    );
    expect(new Set(numbersIn(plan)).size).toBe(numbersIn(plan).length);
  });

  test('keeps what was planned when the chaincode is upgraded: the old definition serves on', async () => {
    const before = await planPorts(topology, layout(), 'embedded');
    const after = await planPorts(upgraded(2), layout(), 'embedded');
    expect(after).toMatchObject(before);
    for (const { mspId } of topology.organisations) {
      expect(after.chaincodes[chaincodeKey(2, mspId)]).not.toBe(after.chaincodes[chaincodeKey(1, mspId)]);
    }
    expect(new Set(numbersIn(after)).size).toBe(numbersIn(after).length);
  });

  test('promises no port twice, even to one that is down', async () => {
    // Planned are all ports but a few: a new listener gets one of those.
    const services = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => {
        const port = 20_000 + index * 3;
        return [`other-${index}`, { grpcPort: port, apiPort: port + 1, operationsPort: port + 2 }];
      }),
    );
    const stored: PortPlan = { runtime: 'embedded', devnet: {}, chaincodes: {}, services };
    await writeFile(layout().portsFile, JSON.stringify(stored));
    const numbers = numbersIn(await planPorts(topologyOf(1, { type: 'raft' }), layout(), 'embedded'));
    expect(numbers.length).toBeGreaterThan(3 * 3_000);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('is refused for another runtime, and stays', async () => {
    await planPorts(topology, layout(), 'native');
    const before = await readFile(layout().portsFile, 'utf8');
    await expect(planPorts(topology, layout(), 'embedded')).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: `${root} was made with the runtime native, not embedded`,
    });
    expect(await readFile(layout().portsFile, 'utf8')).toBe(before);
  });
});

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}
