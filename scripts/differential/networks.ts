import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDevnet } from '@waymark/devnet';
import { startFabricNetwork } from '@waymark/fabric-nodes';
import { freePorts } from '@waymark/network';
import { type ContractProcess, startContract } from './contract-process.ts';
import { LOOSE, ORG1, ORG2, STRICT } from './program.ts';
import { BATCH, CHANNEL, connectSide, type Credentials, type Side } from './side.ts';

const MSP_IDS = [ORG1, ORG2];
const VERSION = '1.0';
const READY_TIMEOUT_MS = 30_000;
const POLICIES: Readonly<Record<string, string | undefined>> = {
  [STRICT]: undefined,
  [LOOSE]: "OR('Org1MSP.peer', 'Org2MSP.peer')",
};

export async function startDevnetSide(dir: string): Promise<Side> {
  const addresses = await addressPlan();
  const devnet = await startDevnet({
    dataDir: join(dir, 'devnet'),
    channel: CHANNEL,
    organisations: MSP_IDS.map((mspId) => ({ mspId })),
    batch: BATCH,
    chaincodes: addresses.map(({ name, address }) => ({
      name,
      version: VERSION,
      address: Object.fromEntries(address),
      ...policyOf(name),
    })),
  });
  const contracts: ContractProcess[] = [];
  const stop = async (): Promise<void> => {
    await devnet.stop();
    await Promise.all(contracts.map((contract) => contract.stop()));
  };
  try {
    for (const { name, address } of addresses) {
      for (const [mspId, place] of address) {
        contracts.push(await startContract(portOf(place), `${name}_${VERSION}`, mspId));
      }
    }
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    const organisations = await Promise.all(
      devnet.organisations.map(async ({ mspId, gateway, admin, user, dir: orgDir }) => ({
        mspId,
        gateway,
        admin,
        user,
        peer: await nodeCredentials(mspId, join(orgDir, 'peers', gateway.hostName)),
      })),
    );
    return connectSide({ name: 'devnet', organisations, orderer: devnet.orderer, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws WaymarkError `program-missing` when Fabric's programs are not there */
export async function startFabricSide(
  dir: string,
  programsDir?: string,
): Promise<{ readonly side: Side; readonly fabricVersion: string }> {
  const addresses = await addressPlan();
  const ports = await freePorts(MSP_IDS.length * 3 + 3);
  const port = (): number => ports.pop() ?? 0;
  const fabric = await startFabricNetwork({
    dataDir: join(dir, 'fabric'),
    channel: CHANNEL,
    organisations: MSP_IDS.map((mspId, index) => ({
      mspId,
      domain: `org${index + 1}.example.com`,
      peers: [{ name: 'peer0', port: port(), chaincodePort: port(), operationsPort: port() }],
    })),
    ordering: {
      type: 'raft',
      organisations: [
        {
          mspId: 'OrdererMSP',
          domain: 'example.com',
          orderers: [{ name: 'orderer', port: port(), adminPort: port(), operationsPort: port() }],
        },
      ],
    },
    batch: BATCH,
    ...(programsDir === undefined ? {} : { programsDir }),
  });
  const contracts: ContractProcess[] = [];
  const stop = async (): Promise<void> => {
    await fabric.stop();
    await Promise.all(contracts.map((contract) => contract.stop()));
  };
  try {
    for (const { name, address } of addresses) {
      const plan = { name, version: VERSION, sequence: 1, address: Object.fromEntries(address), ...policyOf(name) };
      const packageIds = await fabric.deploy(plan);
      for (const [mspId, place] of address) {
        contracts.push(await startContract(portOf(place), packageIds[mspId] ?? '', mspId));
      }
    }
    const organisations = await Promise.all(
      fabric.organisations.map(async ({ mspId, gateway, admin, user, membership }) => ({
        mspId,
        gateway,
        admin,
        user,
        peer: await nodeCredentials(mspId, join(membership.dir, 'peers', gateway.hostName)),
      })),
    );
    const [orderer] = fabric.orderers;
    if (orderer === undefined) throw new Error('a network has an orderer');
    return { side: connectSide({ name: 'fabric', organisations, orderer, stop }), fabricVersion: fabric.fabricVersion };
  } catch (error) {
    await stop();
    throw error;
  }
}

function policyOf(name: string): { readonly endorsementPolicy?: string } {
  const endorsementPolicy = POLICIES[name];
  return endorsementPolicy === undefined ? {} : { endorsementPolicy };
}

async function addressPlan(): Promise<{ readonly name: string; readonly address: (readonly [string, string])[] }[]> {
  const names = [STRICT, LOOSE];
  const ports = await freePorts(names.length * MSP_IDS.length);
  return names.map((name) => ({
    name,
    address: MSP_IDS.map((mspId) => [mspId, `127.0.0.1:${ports.pop() ?? 0}`] as const),
  }));
}

function portOf(address: string): number {
  return Number(address.split(':')[1]);
}

async function nodeCredentials(mspId: string, nodeDir: string): Promise<Credentials> {
  const hostName = nodeDir.split('/').at(-1) ?? '';
  const [certificatePem, privateKeyPem] = await Promise.all([
    readFile(join(nodeDir, 'msp', 'signcerts', `${hostName}-cert.pem`), 'utf8'),
    readFile(join(nodeDir, 'msp', 'keystore', 'priv_sk'), 'utf8'),
  ]);
  return { mspId, certificatePem, privateKeyPem };
}
