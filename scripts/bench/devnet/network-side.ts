import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startFabricNetwork } from '@waymark/fabric-nodes';
import { freePorts, type RunningProcess, startProcess } from '@waymark/network';
import { type Caller, connectCaller } from './caller.ts';

/** A network of two organisations with one peer each, a contract that costs next to nothing, and a client of each organisation. */
export interface NetworkSide {
  readonly name: 'devnet' | 'fabric';
  readonly callers: readonly Caller[];
  /** The network's own processes, without contracts and clients. */
  readonly networkPids: readonly number[];
  readonly contractPids: readonly number[];
  close(): Promise<void>;
}

const repository = join(import.meta.dirname, '..', '..', '..');
const channel = 'bench';
const chaincode = { name: 'bench', version: '1', sequence: 1 } as const;
const batch = { timeoutMs: 100, preferredMaxBytes: 2_097_152, absoluteMaxBytes: 10_485_760 };
/** Transactions that make a block at once; fewer wait for 100 ms. */
export interface BlockCutting {
  readonly maxMessageCount: number;
}

const organisations = [
  { mspId: 'Org1MSP', domain: 'org1.example.com' },
  { mspId: 'Org2MSP', domain: 'org2.example.com' },
] as const;

/** Devnet in a process of its own, as a user runs it. */
export async function startDevnetSide(dir: string, cutting: BlockCutting): Promise<NetworkSide> {
  const contracts = await startContracts(dir, 'devnet', () => `${chaincode.name}_${chaincode.version}`);
  const dataDir = join(dir, 'devnet');
  const planFile = join(dir, 'devnet.json');
  const address = Object.fromEntries(organisations.map(({ mspId }, index) => [mspId, contracts[index]?.address ?? '']));
  const plan = {
    dataDir,
    channel,
    organisations,
    batch: { ...batch, ...cutting },
    chaincodes: [{ ...chaincode, address }],
  };
  await writeFile(planFile, JSON.stringify(plan));
  const stopContracts = async (): Promise<void> => {
    for (const { process } of contracts) await process.stop();
  };
  const devnet = await startProcess(
    {
      name: 'devnet',
      script: join(repository, 'network', 'src', 'devnet-process.ts'),
      args: ['--plan', planFile],
      announcesReady: true,
    },
    dir,
  ).catch(async (error: unknown) => {
    await stopContracts();
    throw error;
  });
  const gateways = devnet.ready['organisations'] as { gateway: { endpoint: string; tlsRootFile: string } }[];
  const callers = await Promise.all(
    organisations.map(async ({ mspId, domain }, index) => {
      const gateway = gateways[index]?.gateway;
      if (gateway === undefined) throw new Error(`devnet has no gateway of ${mspId}`);
      const user = join(dataDir, 'organisations', domain, 'users', `User1@${domain}`, 'msp');
      return connectCaller({
        endpoint: gateway.endpoint,
        tlsRootPem: await readFile(gateway.tlsRootFile, 'utf8'),
        mspId,
        certificatePem: await readFile(join(user, 'signcerts', `User1@${domain}-cert.pem`), 'utf8'),
        privateKeyPem: await readFile(join(user, 'keystore', 'priv_sk'), 'utf8'),
        channel,
        chaincode: chaincode.name,
      });
    }),
  );
  return {
    name: 'devnet',
    callers,
    networkPids: [devnet.pid],
    contractPids: contracts.map(({ process }) => process.pid),
    close: async () => {
      for (const caller of callers) caller.close();
      await devnet.stop();
      await stopContracts();
    },
  };
}

/** Fabric's own programs from PATH. Throws WaymarkError `program-missing` without them. */
export async function startFabricSide(
  dir: string,
  cutting: BlockCutting,
): Promise<NetworkSide & { readonly fabricVersion: string }> {
  const ports = await freePorts(organisations.length * 4 + 3);
  const port = (): number => ports.pop() ?? 0;
  const fabric = await startFabricNetwork({
    dataDir: join(dir, 'fabric'),
    channel,
    organisations: organisations.map((organisation) => ({
      ...organisation,
      peers: [{ name: 'peer0', port: port(), chaincodePort: port(), operationsPort: port() }],
    })),
    ordering: {
      type: 'raft',
      organisations: [
        {
          mspId: 'OrdererMSP',
          domain: 'orderer.example.com',
          orderers: [{ name: 'orderer', port: port(), adminPort: port(), operationsPort: port() }],
        },
      ],
    },
    batch: { ...batch, ...cutting },
  });
  const contracts: RunningContract[] = [];
  const stop = async (): Promise<void> => {
    await fabric.stop();
    for (const { process } of contracts) await process.stop();
  };
  try {
    const chaincodePorts = organisations.map(() => port());
    const address = Object.fromEntries(
      organisations.map(({ mspId }, index) => [mspId, `127.0.0.1:${chaincodePorts[index] ?? 0}`]),
    );
    const packageIds = await fabric.deploy({ ...chaincode, address });
    contracts.push(...(await startContracts(dir, 'fabric', (mspId) => packageIds[mspId] ?? '', chaincodePorts)));
    const callers = await Promise.all(
      fabric.organisations.map(({ mspId, gateway, user }) =>
        connectCaller({
          endpoint: gateway.address,
          tlsRootPem: gateway.tlsRootCertPem,
          mspId,
          certificatePem: user.certificatePem,
          privateKeyPem: user.privateKeyPem,
          channel,
          chaincode: chaincode.name,
        }),
      ),
    );
    return {
      name: 'fabric',
      fabricVersion: fabric.fabricVersion,
      callers,
      networkPids: [...fabric.nodes.values()].map(({ pid }) => pid),
      contractPids: contracts.map(({ process }) => process.pid),
      close: async () => {
        for (const caller of callers) caller.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface RunningContract {
  readonly process: RunningProcess;
  /** `host:port` */
  readonly address: string;
}

/** One contract process for each organisation. */
async function startContracts(
  dir: string,
  side: string,
  packageId: (mspId: string) => string,
  ports?: readonly number[],
): Promise<RunningContract[]> {
  const [...free] = ports ?? (await freePorts(organisations.length));
  return Promise.all(
    organisations.map(async ({ mspId, domain }, index) => {
      const address = `127.0.0.1:${free[index] ?? 0}`;
      const process = await startProcess(
        {
          name: `${side}-contract-${domain}`,
          script: join(import.meta.dirname, 'contract.cjs'),
          args: [],
          env: {
            CHAINCODE_SERVER_ADDRESS: address,
            CHAINCODE_ID: packageId(mspId),
            CORE_CHAINCODE_LOGGING_LEVEL: 'warning',
          },
          announcesReady: false,
        },
        dir,
      );
      return { process, address };
    }),
  );
}
