import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@waymark/network';
import {
  findFabricPrograms,
  startFabricNetwork,
  type FabricNetwork,
  type FabricNetworkPlan,
  type OrdererPlan,
  type OrderingPlan,
  type PeerPlan,
} from '../../src/index.ts';

const programs = await findFabricPrograms().catch(() => undefined);
const MOST_PORTS = 60;

/** `describe` where Fabric's programs are on PATH, in a version that has what is tested; otherwise skipped with the reason. */
export function describeFabric(title: string, body: () => void, fewestMajor = 2): void {
  const reason =
    programs === undefined
      ? 'peer and orderer are not on PATH'
      : Number.parseInt(programs.version, 10) < fewestMajor
        ? `needs Fabric ${fewestMajor}, on PATH is ${programs.version}`
        : undefined;
  if (reason === undefined) describe(`${title} (Fabric ${programs?.version ?? ''})`, body);
  else describe.skip(`${title} (skipped: ${reason})`, body);
}

/** Plans of networks on ports of their own, in a folder that goes when the test is over. */
export interface TestBed {
  readonly dataDir: string;
  port(): number;
  peer(name?: string): PeerPlan;
  orderer(name: string): OrdererPlan;
  /** Org1MSP, Org2MSP... with a peer each. */
  plan(organisations: number, ordering: OrderingPlan): FabricNetworkPlan;
  /** Orderers of an organisation of their own. */
  separateOrderers(count: number): OrderingPlan;
  start(plan: FabricNetworkPlan): Promise<FabricNetwork>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

export async function openTestBed(): Promise<TestBed> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fabric-nodes-'));
  const ports = await freePorts(MOST_PORTS);
  const started: FabricNetwork[] = [];
  const port = (): number => {
    const next = ports.pop();
    if (next === undefined) throw new Error('the test needs more ports');
    return next;
  };
  const peer = (name = 'peer0') => ({ name, port: port(), chaincodePort: port(), operationsPort: port() });
  const orderer = (name: string) => ({ name, port: port(), adminPort: port(), operationsPort: port() });
  return {
    dataDir,
    port,
    peer,
    orderer,
    plan: (organisations, ordering) => ({
      dataDir,
      channel: 'mychannel',
      organisations: Array.from({ length: organisations }, (_, index) => ({
        ...organisationName(index + 1),
        peers: [peer()],
      })),
      ordering,
      batch: { timeoutMs: 100, maxMessageCount: 10, preferredMaxBytes: 2 ** 20, absoluteMaxBytes: 2 ** 21 },
    }),
    separateOrderers: (count) => ({
      type: 'raft',
      organisations: [
        {
          mspId: 'OrdererMSP',
          domain: 'orderer.example.com',
          orderers: Array.from({ length: count }, (_, index) => orderer(`orderer${index}`)),
        },
      ],
    }),
    start: async (plan) => {
      const network = await startFabricNetwork(plan);
      started.push(network);
      return network;
    },
    close: async () => {
      await Promise.all(started.map((network) => network.stop()));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function organisationName(number: number): { readonly mspId: string; readonly domain: string } {
  return { mspId: `Org${number}MSP`, domain: `org${number}.example.com` };
}
