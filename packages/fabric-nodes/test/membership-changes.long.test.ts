import { createServer } from 'node:net';
import { loadOrganisationCa } from '@waymark/devnet/ca';
import { changeBatchSize } from '@waymark/devnet/fabric';
import { callerOf } from './support/caller.ts';
import { startContract, type ContractServer } from './support/contract.ts';
import { describeFabric, openTestBed, organisationName, type TestBed } from './support/fabric.ts';
import type { FabricNetwork, FabricOrganisation } from '../src/index.ts';

describeFabric('a channel that runs', () => {
  let bed: TestBed;
  let contracts: ContractServer[];
  beforeEach(async () => {
    bed = await openTestBed();
    contracts = [];
  });
  afterEach(async () => {
    await Promise.all(contracts.map((contract) => contract.stop()));
    await bed.close();
  });

  const organisation = (network: FabricNetwork, mspId: string): FabricOrganisation => {
    const found = network.organisations.find((candidate) => candidate.mspId === mspId);
    if (found === undefined) throw new Error(`no ${mspId}`);
    return found;
  };
  const deploy = async (network: FabricNetwork, version: string, sequence: number): Promise<void> => {
    const ports = Object.fromEntries(network.organisations.map(({ mspId }) => [mspId, bed.port()]));
    const address = Object.fromEntries(Object.entries(ports).map(([mspId, port]) => [mspId, `127.0.0.1:${port}`]));
    await network.deploy({ name: 'records', version, sequence, address }, async (ids) => {
      for (const [mspId, id] of Object.entries(ids)) {
        contracts.push(await startContract(ports[mspId] ?? 0, id, version));
      }
    });
  };

  test('takes another organisation in, also after a failure half-way; it endorses, is there after a new start, and an upgrade leaves no gap', async () => {
    const plan = bed.plan(2, bed.separateOrderers(1));
    const network = await bed.start(plan);
    await deploy(network, '1', 1);
    const before = callerOf(organisation(network, 'Org1MSP'), 'records');
    await before.put('k', 'before');
    before.close();

    const port = bed.port();
    const added = { ...organisationName(3), peers: [bed.peer(), bed.peer('peer1')] };
    const taken = { ...added, peers: [{ ...bed.peer(), port: plan.organisations[0]?.peers[0]?.port ?? 0 }] };
    await expect(network.addOrganisation(taken)).rejects.toMatchObject({ code: 'configuration-invalid' });
    // Half-way: somebody sits on the port of its second peer.
    const squatter = createServer((socket) => void socket.destroy()).listen(added.peers[1]?.port, '127.0.0.1');
    const joining = { ...added, chaincodes: { records: `127.0.0.1:${port}` } };
    await expect(network.addOrganisation(joining)).rejects.toMatchObject({ code: 'unavailable' });
    await new Promise((resolve) => squatter.close(resolve));
    const ids = await network.addOrganisation(joining, async ({ records = '' }) => {
      contracts.push(await startContract(port, records, '1'));
    });
    expect(await network.addOrganisation(joining)).toEqual(ids);

    const config = await network.channelConfig();
    expect(config.sequence).toBe(1);
    expect(config.organisations.find(({ mspId }) => mspId === 'Org3MSP')?.anchorPeers).toEqual([
      { host: 'localhost', port: added.peers[0]?.port },
    ]);
    const caller = callerOf(organisation(network, 'Org3MSP'), 'records');
    expect(await caller.get('k')).toBe('before');
    await caller.put('k', 'after');
    expect(await caller.get('k')).toBe('after');
    caller.close();
    await network.stop();

    const again = await bed.start(plan);
    expect(again.organisations.map(({ mspId }) => mspId)).toEqual(['Org1MSP', 'Org2MSP', 'Org3MSP']);
    const heights = Object.values(await again.heights());
    expect(heights).toHaveLength(4);
    const upgraded = callerOf(organisation(again, 'Org3MSP'), 'records');
    const done = new AbortController();
    const upgrade = deploy(again, '2', 2).finally(() => {
      done.abort();
    });
    const served = new Set<string>();
    while (!done.signal.aborted) served.add(await upgraded.version());
    await upgrade;
    served.add(await upgraded.version());
    expect([...served]).toEqual(['1', '2']);
    expect(await upgraded.get('k')).toBe('after');
    upgraded.close();
  }, 240_000);

  test('changes its configuration when those sign who may, and not otherwise', async () => {
    const network = await bed.start(bed.plan(1, bed.separateOrderers(1)));
    const { admin } = organisation(network, 'Org1MSP');
    const change = changeBatchSize({ maxMessageCount: 7 });
    await expect(network.updateConfig(change, [admin])).rejects.toMatchObject({ code: 'refused' });
    await expect(network.publishCrl('Org1MSP', 'nothing')).rejects.toMatchObject({ code: 'input-invalid' });
    expect((await network.channelConfig()).sequence).toBe(0);
  }, 120_000);

  test('refuses an identity as soon as its revocation is published; others go on', async () => {
    const network = await bed.start(bed.plan(1, bed.separateOrderers(1)));
    await deploy(network, '1', 1);
    const { user, admin, membership } = organisation(network, 'Org1MSP');
    const revoked = callerOf(organisation(network, 'Org1MSP'), 'records', user);
    const other = callerOf(organisation(network, 'Org1MSP'), 'records', admin);
    await revoked.put('k', '1');
    const ca = await loadOrganisationCa(membership.dir);
    ca.revoke(user.certificatePem);
    await ca.save(membership.dir);
    const crl = (await ca.crlPem()) ?? '';
    expect((await network.publishCrl('Org1MSP', crl)).sequence).toBe(1);
    expect((await network.publishCrl('Org1MSP', crl)).sequence).toBe(1);
    await expect(revoked.put('k', '2')).rejects.toThrow();
    await expect(revoked.get('k')).rejects.toThrow();
    await other.put('k', '3');
    expect(await other.get('k')).toBe('3');
    revoked.close();
    other.close();
  }, 120_000);
});
