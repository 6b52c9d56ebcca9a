import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startDevnet, type Devnet, type DevnetOptions } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { CHAINCODE, temporaryFolder, twoOrganisations } from '../harness/network.ts';
import { expectMember, ids, third, write } from './third-organisation.ts';

const READY_TIMEOUT_MS = 20_000;

describe('an organisation that comes late, or half', () => {
  let chaincode: ChaincodeProcess;
  const folders: string[] = [];
  const running = new Set<Devnet>();

  beforeAll(async () => {
    chaincode = await startAssetContract();
  });
  afterEach(async () => {
    for (const devnet of running) await devnet.stop();
    running.clear();
  });
  afterAll(async () => {
    await chaincode.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  const newFolder = async () => {
    const folder = await temporaryFolder();
    folders.push(folder);
    return folder;
  };
  const start = async (options: DevnetOptions): Promise<Devnet> => {
    const devnet = await startDevnet(options);
    running.add(devnet);
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    return devnet;
  };
  const stop = async (devnet: Devnet) => {
    running.delete(devnet);
    await devnet.stop();
  };
  const two = (folder: string, changes: Partial<DevnetOptions> = {}) =>
    twoOrganisations(folder, chaincode.address, changes);
  const three = (folder: string): DevnetOptions => {
    const options = two(folder);
    return { ...options, organisations: [...options.organisations, third] };
  };

  test('is there after a restart, with the same certificates and ports, whether or not the options name it', async () => {
    const folder = await newFolder();
    const first = await start(two(folder));
    const { gateway, admin } = await first.addOrganisation(third);
    await write(first.organisation('Org3MSP'), 'first');
    await stop(first);
    for (const [index, options] of [two(folder), three(folder)].entries()) {
      const again = await start(options);
      expect(again.organisation('Org3MSP')).toMatchObject({ gateway, admin });
      await expectMember(again, `again-${index}`, await ids(again.organisation('Org1MSP')));
      await stop(again);
    }
    const other = { ...two(folder), organisations: [...two(folder).organisations, { mspId: 'Org3MSP' }] };
    await expect(startDevnet(other)).rejects.toMatchObject({ code: 'TOPOLOGY_CHANGED' });
  });

  test('comes with a start whose options name one more than the folder has, also after reset and restore', async () => {
    const folder = await newFolder();
    const before = await start(two(folder));
    await write(before.organisation('Org2MSP'), 'first');
    const snapshot = `${folder}-snapshot`;
    folders.push(snapshot);
    await before.snapshot(snapshot);
    await stop(before);
    const devnet = await start(three(folder));
    await expectMember(devnet, 'x', ['first']);
    await devnet.reset();
    await expectMember(devnet, 'y', []);
    await devnet.restore(snapshot);
    await expectMember(devnet, 'z', ['first']);
  });

  test('brings its own servers of the chaincodes where the others have theirs, also after a restart', async () => {
    const folder = await newFolder();
    const options = two(folder, {
      chaincodes: [{ name: CHAINCODE, address: { Org1MSP: chaincode.address, Org2MSP: chaincode.address } }],
    });
    const devnet = await start(options);
    await expect(devnet.addOrganisation({ ...third, chaincodes: { other: chaincode.address } })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
    await devnet.addOrganisation({ ...third, chaincodes: { [CHAINCODE]: chaincode.address } });
    await expectMember(devnet, 'x', []);
    await stop(devnet);
    await expectMember(await start(options), 'y', ['x-a', 'x-b']);
  });

  test('what was left of an addition that was interrupted early is made anew', async () => {
    const folder = await newFolder();
    const devnet = await start(two(folder));
    await mkdir(join(folder, 'organisations/org3.example.com/ca'), { recursive: true });
    await writeFile(join(folder, 'organisations/org3.example.com/ca/priv_sk'), 'half a ke');
    await devnet.addOrganisation(third);
    await expectMember(devnet, 'x', []);
  });

  test('an addition that the orderer was not there for goes on when it is repeated', async () => {
    const devnet = await start(two(await newFolder()));
    const fault = await devnet.faults.failOrderer();
    await expect(devnet.addOrganisation(third)).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
    await fault.heal();
    await devnet.addOrganisation(third);
    await expectMember(devnet, 'x', []);
  });

  test('an addition whose port was taken goes on when it is repeated; until then the others work as before', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const wanted = { mspId: 'Org3MSP', peers: [{ name: 'peer0', port }] };
    const devnet = await start(two(await newFolder()));
    await expect(devnet.addOrganisation(wanted)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await write(devnet.organisation('Org1MSP'), 'meanwhile', ['Org1MSP', 'Org2MSP']);
    server.close();
    await once(server, 'close');
    const added = await devnet.addOrganisation(wanted);
    expect(added.gateway.address).toBe(`127.0.0.1:${port}`);
    await expectMember(devnet, 'x', ['meanwhile']);
  });

  test('a member that is behind does not know the new one yet, and works all the same', async () => {
    const devnet = await start(two(await newFolder()));
    const fault = devnet.faults.delayCommits('peer1.org2.example.com', 300);
    await devnet.addOrganisation(third);
    await write(devnet.organisation('Org2MSP'), 'meanwhile');
    await fault.heal();
    await expectMember(devnet, 'x', ['meanwhile']);
  });
});
