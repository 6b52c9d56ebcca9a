import { rm } from 'node:fs/promises';
import { startDevnet, type Devnet, type DevnetOptions } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { temporaryFolder, twoOrganisations } from '../harness/network.ts';
import { expectMember, third, write } from './third-organisation.ts';

const READY_TIMEOUT_MS = 20_000;

describe('an organisation that comes when the channel is there', () => {
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
  const two = (folder: string, changes: Partial<DevnetOptions> = {}) =>
    twoOrganisations(folder, chaincode.address, changes);

  test('takes part at once, with the whole chain; adding it again changes nothing, adding another one of its name is refused', async () => {
    const devnet = await start(two(await newFolder()));
    await write(devnet.organisation('Org1MSP'), 'first');
    const added = await devnet.addOrganisation(third);
    expect(added).toMatchObject({ mspId: 'Org3MSP', domain: 'org3.example.com' });
    expect(devnet.organisations.map(({ mspId }) => mspId)).toEqual(['Org1MSP', 'Org2MSP', 'Org3MSP']);
    await expectMember(devnet, 'x', ['first']);
    const heights = devnet.heights();
    expect(Object.keys(heights)).toHaveLength(6);
    expect(await devnet.addOrganisation(third)).toBe(added);
    expect(devnet.heights()).toEqual(heights);
    await expect(devnet.addOrganisation({ mspId: 'Org3MSP' })).rejects.toMatchObject({ code: 'TOPOLOGY_CHANGED' });
    await expect(devnet.addOrganisation({ mspId: 'Org4MSP', domain: 'org1.example.com' })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
  });
});
