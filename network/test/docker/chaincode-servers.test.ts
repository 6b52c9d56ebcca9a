import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChaincodeServers } from '../../src/docker/chaincode-servers.ts';
import { layoutOf } from '../../src/layout.ts';
import { readTopology } from '../../src/topology.ts';

test('servers are remembered; those of a definition that was replaced are forgotten at the next start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-servers-'));
  try {
    const layout = layoutOf(folder, 'docker');
    const topology = await readTopology(join(import.meta.dirname, '..', '..', 'topology.yaml'));
    const servers = await openChaincodeServers(layout);
    await Promise.all(
      topology.organisations.flatMap((organisation, index) => {
        const first = {
          organisation,
          name: `chaincode-${organisation.domain}`,
          port: 21_000 + index,
          packageId: 'a:1',
        };
        return [servers.add(first), servers.add({ ...first, name: `${first.name}-2`, packageId: 'b:2' })];
      }),
    );
    const again = await openChaincodeServers(layout);
    expect(again.of(topology)).toHaveLength(4);
    const upgraded = { ...topology, chaincode: { ...topology.chaincode, sequence: 2 } };
    expect((await again.forgetOthers(upgraded)).map(({ packageId }) => packageId)).toEqual(['a:1', 'a:1']);
    const after = await openChaincodeServers(layout);
    expect(after.of(upgraded).map(({ packageId }) => packageId)).toEqual(['b:2', 'b:2']);
    expect(await after.forgetOthers(upgraded)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
