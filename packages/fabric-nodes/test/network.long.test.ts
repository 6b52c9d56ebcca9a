import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { childProcessRunner, findFabricPrograms, type NodeRunner } from '../src/index.ts';
import { describeFabric, openTestBed, type TestBed } from './support/fabric.ts';

describeFabric('a network of real Fabric nodes', () => {
  let bed: TestBed;
  beforeEach(async () => {
    bed = await openTestBed();
  });
  afterEach(() => bed.close());

  test('starts from nothing, and again from its folder; a node that was killed comes back', async () => {
    const plan = bed.plan(1, bed.separateOrderers(1));
    const first = await bed.start(plan);
    const definition = { name: 'nothing', version: '1', sequence: 1, address: { Org1MSP: '127.0.0.1:1' } };
    const ids = await first.deploy(definition);
    expect(await first.deploy(definition)).toEqual(ids);
    first.nodes.get('peer0.org1.example.com')?.kill('SIGKILL');
    await first.restart('peer0.org1.example.com');
    await first.stop();
    const second = await bed.start(plan);
    expect((await second.heights())['peer0.org1.example.com']).toBeGreaterThanOrEqual(3n);
  }, 120_000);

  test('one definition belongs to a sequence: another version, another policy or a skipped sequence is refused at once', async () => {
    const network = await bed.start(bed.plan(1, bed.separateOrderers(1)));
    const definition = { name: 'nothing', version: '1', sequence: 1, address: {} };
    await network.deploy(definition);
    const begun = Date.now();
    for (const other of [
      { ...definition, version: '2' },
      { ...definition, endorsementPolicy: "OR('Org1MSP.peer')" },
      { ...definition, sequence: 3 },
    ]) {
      await expect(network.deploy(other)).rejects.toMatchObject({ code: 'conflict' });
    }
    await expect(network.deploy({ ...definition, name: 'not a name' })).rejects.toMatchObject({
      code: 'chaincode-error',
    });
    expect(Date.now() - begun).toBeLessThan(10_000);
  }, 120_000);

  test('a runner may put a node anywhere: its folder names everything relatively', async () => {
    const children = childProcessRunner(await findFabricPrograms(), join(bed.dataDir, 'run'));
    const moved: string[] = [];
    const runner: NodeRunner = {
      ...children,
      start: async (node) => {
        const nodeDir = join(bed.dataDir, 'elsewhere', node.hostName);
        await cp(node.nodeDir, nodeDir, { recursive: true });
        // What the node was made in is not there while it starts.
        await rename(node.nodeDir, `${node.nodeDir}.away`);
        moved.push(node.nodeDir);
        return children.start({ ...node, nodeDir });
      },
    };
    const network = await bed.start({ ...bed.plan(1, bed.separateOrderers(1)), runner });
    await network.deploy({ name: 'nothing', version: '1', sequence: 1, address: { Org1MSP: '127.0.0.1:1' } });
    expect(moved).toHaveLength(2);
  }, 120_000);

  test('an organisation of the plan that is not on the channel is refused by name', async () => {
    const plan = bed.plan(1, bed.separateOrderers(1));
    await (await bed.start(plan)).stop();
    const stranger = { mspId: 'Org9MSP', domain: 'org9.example.com', peers: [bed.peer()] };
    await expect(bed.start({ ...plan, organisations: [...plan.organisations, stranger] })).rejects.toMatchObject({
      code: 'configuration-invalid',
      details: { mspId: 'Org9MSP' },
    });
  }, 120_000);
});
