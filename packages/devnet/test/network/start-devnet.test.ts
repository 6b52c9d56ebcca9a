import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { startDevnet, type Devnet, type DevnetOptions } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { connectClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, temporaryFolder, twoOrganisations } from '../harness/network.ts';

const READY_TIMEOUT_MS = 20_000;

describe('starting a network', () => {
  let chaincode: ChaincodeProcess;
  const folders: string[] = [];

  beforeAll(async () => {
    chaincode = await startAssetContract();
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
  const options = (dataDir: string, changes: Partial<DevnetOptions> = {}) =>
    twoOrganisations(dataDir, chaincode.address, changes);
  const withNetwork = async <T>(wanted: DevnetOptions, use: (devnet: Devnet) => Promise<T>): Promise<T> => {
    const devnet = await startDevnet(wanted);
    try {
      await devnet.chaincodesReady(READY_TIMEOUT_MS);
      return await use(devnet);
    } finally {
      await devnet.stop();
    }
  };
  const submitAndRead = async (devnet: Devnet, id: string): Promise<string> => {
    const { gateway, user } = devnet.organisation('Org1MSP');
    const client = connectClient(gateway, user);
    try {
      const contract = client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
      await contract.submitTransaction('createAsset', id, 'Ann', '1');
      return Buffer.from(await contract.evaluateTransaction('listAssets', '', '')).toString();
    } finally {
      client.close();
    }
  };

  test('a restart goes on with the same chain, state, certificates and ports', async () => {
    const folder = await newFolder();
    const before = await withNetwork(options(folder), async (devnet) => {
      await submitAndRead(devnet, 'a');
      return { heights: devnet.heights(), organisations: devnet.organisations.map(identityOf) };
    });
    await withNetwork(options(folder), async (devnet) => {
      expect(devnet.heights()).toEqual(before.heights);
      expect(devnet.organisations.map(identityOf)).toEqual(before.organisations);
      expect(JSON.parse(await submitAndRead(devnet, 'b'))).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    });
  });

  test('a folder in use is refused, and free again afterwards', async () => {
    const folder = await newFolder();
    await withNetwork(options(folder), async () => {
      await expect(startDevnet(options(folder))).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    });
    await withNetwork(options(folder), async () => Promise.resolve());
  });

  test('other options than those the folder was made for are refused, saying which', async () => {
    const folder = await newFolder();
    await withNetwork(options(folder), async () => Promise.resolve());
    const changes: readonly [Partial<DevnetOptions>, string][] = [
      [{ channel: 'other' }, 'the channel was "mychannel", now "other"'],
      [{ organisations: [{ mspId: 'Org1MSP' }] }, 'the organisations'],
      [{ batch: { timeoutMs: 60 } }, 'the batch limits'],
      [{ orderer: { name: 'other' } }, 'the orderer'],
    ];
    for (const [change, text] of changes) {
      await expect(startDevnet(options(folder, change))).rejects.toMatchObject({
        code: 'TOPOLOGY_CHANGED',
        message: expect.stringContaining(text) as string,
      });
    }
  });

  test('a folder of something else is left alone', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    await expect(startDevnet(options(folder))).rejects.toMatchObject({ code: 'DATA_INVALID' });
    expect(await readFile(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  test('a first start that was interrupted begins anew', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'setup-in-progress'), '');
    await mkdir(join(folder, 'organisations/org1.example.com/ca'), { recursive: true });
    await writeFile(join(folder, 'organisations/org1.example.com/ca/priv_sk'), 'half a ke');
    await withNetwork(options(folder), async (devnet) => {
      expect(JSON.parse(await submitAndRead(devnet, 'a'))).toHaveLength(1);
    });
  });

  test('a damaged description of the network is refused', async () => {
    const folder = await newFolder();
    await withNetwork(options(folder), async () => Promise.resolve());
    await writeFile(join(folder, 'devnet.json'), '{"formatVersion": 1');
    await expect(startDevnet(options(folder))).rejects.toMatchObject({ code: 'DATA_INVALID' });
  });

  test('a port that is taken is an error that names it, and the folder stays usable', async () => {
    const folder = await newFolder();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const wanted = options(folder, { orderer: { port } });
    await expect(startDevnet(wanted)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining(String(port)) as string,
    });
    server.close();
    await once(server, 'close');
    await withNetwork(wanted, async (devnet) => {
      expect(devnet.orderer.address).toBe(`127.0.0.1:${port}`);
      await Promise.resolve();
    });
  });

  test('a chaincode definition changes by one sequence at a time', async () => {
    const folder = await newFolder();
    const defined = (definition: { version?: string; sequence?: number; endorsementPolicy?: string }) =>
      options(folder, { chaincodes: [{ name: CHAINCODE, address: chaincode.address, ...definition }] });
    await withNetwork(defined({}), async () => Promise.resolve());
    await expect(startDevnet(defined({ version: '2.0' }))).rejects.toMatchObject({ code: 'DEFINITION_REFUSED' });
    await expect(startDevnet(defined({ sequence: 3 }))).rejects.toMatchObject({ code: 'DEFINITION_REFUSED' });
    const second = { version: '2.0', sequence: 2, endorsementPolicy: "OR('Org1MSP.peer', 'Org2MSP.peer')" };
    await withNetwork(defined(second), async (devnet) => {
      const { gateway, user } = devnet.organisation('Org1MSP');
      const client = connectClient(gateway, user);
      const proposal = client.gateway
        .getNetwork(CHANNEL)
        .getContract(CHAINCODE)
        .newProposal('raw', {
          arguments: ['k', 'v'],
          endorsingOrganizations: ['Org2MSP'],
        });
      const status = await (await (await proposal.endorse()).submit()).getStatus();
      client.close();
      expect(status.successful).toBe(true);
    });
    await expect(startDevnet(defined({}))).rejects.toMatchObject({ code: 'DEFINITION_REFUSED' });
  });

  test('an organisation that has no chaincode server has its transactions endorsed by the others', async () => {
    const folder = await newFolder();
    const wanted = options(folder, {
      chaincodes: [
        {
          name: CHAINCODE,
          address: { Org2MSP: chaincode.address },
          endorsementPolicy: "OR('Org1MSP.peer', 'Org2MSP.peer')",
        },
      ],
    });
    await withNetwork(wanted, async (devnet) => {
      expect(JSON.parse(await submitAndRead(devnet, 'a'))).toHaveLength(1);
    });
  });

  test.each([
    ['no organisation', { organisations: [] }],
    ['two organisations of one name', { organisations: [{ mspId: 'Org1MSP' }, { mspId: 'Org1MSP' }] }],
    ['a channel name in capitals', { channel: 'MyChannel' }],
    ['a chaincode without a port', { chaincodes: [{ name: 'cc', address: 'localhost' }] }],
    ['a chaincode name with a slash', { chaincodes: [{ name: 'c/c', address: 'localhost:1' }] }],
    [
      'a policy that cannot be read',
      { chaincodes: [{ name: 'cc', address: 'localhost:1', endorsementPolicy: 'SOME' }] },
    ],
    ['a preferred size above the absolute one', { batch: { preferredMaxBytes: 2, absoluteMaxBytes: 1 } }],
  ] satisfies [string, Partial<DevnetOptions>][])('%s is refused', async (_name, change) => {
    const folder = await newFolder();
    await expect(startDevnet(options(folder, change))).rejects.toMatchObject({
      code: expect.stringMatching(/^(OPTIONS|POLICY)_INVALID$/) as string,
    });
  });
});

function identityOf(organisation: Devnet['organisations'][number]): unknown {
  const { mspId, gateway, peers, user, admin } = organisation;
  return { mspId, gateway, peers, user, admin };
}
