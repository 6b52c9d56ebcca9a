import { callerOf, type Caller } from './support/caller.ts';
import { startContract, type ContractServer } from './support/contract.ts';
import { describeFabric, openTestBed, organisationName, type TestBed } from './support/fabric.ts';
import type { FabricNetwork, OrderingPlan } from '../src/index.ts';

const SUBMIT_TIMEOUT_MS = 90_000;

/** A network whose orderers fail while clients submit. */
class Ordering {
  readonly #bed: TestBed;
  readonly network: FabricNetwork;
  readonly #contract: ContractServer;
  readonly #caller: Caller;

  private constructor(bed: TestBed, network: FabricNetwork, contract: ContractServer, caller: Caller) {
    this.#bed = bed;
    this.network = network;
    this.#contract = contract;
    this.#caller = caller;
  }

  static async start(ordering: (bed: TestBed) => OrderingPlan, organisations: number): Promise<Ordering> {
    const bed = await openTestBed();
    const network = await bed.start(bed.plan(organisations, ordering(bed)));
    const port = bed.port();
    const ids = await network.deploy({
      name: 'records',
      version: '1',
      sequence: 1,
      address: { Org1MSP: `127.0.0.1:${port}` },
      endorsementPolicy: "OR('Org1MSP.peer')",
    });
    const contract = await startContract(port, ids['Org1MSP'] ?? '', '1');
    const [first] = network.organisations;
    if (first === undefined) throw new Error('there is an organisation');
    return new Ordering(bed, network, contract, callerOf(first, 'records'));
  }

  /** Submits one after the other, each until it is committed; in the middle of it something happens. */
  async submitThrough(label: string, count: number, event: () => void): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      if (index === Math.floor(count / 2)) event();
      await this.#caller.putUntilCommitted(`${label}${index}`, `${label}${index}`, SUBMIT_TIMEOUT_MS);
    }
    for (let index = 0; index < count; index += 1) {
      expect(await this.#caller.get(`${label}${index}`)).toBe(`${label}${index}`);
    }
  }

  async caughtUp(hostName: string): Promise<void> {
    const deadline = Date.now() + SUBMIT_TIMEOUT_MS;
    for (;;) {
      const states = await this.network.ordererStates();
      const highest = states.reduce((most, { height = 0n }) => (height > most ? height : most), 0n);
      if (states.find((state) => state.hostName === hostName)?.height === highest) return;
      if (Date.now() > deadline) throw new Error(`${hostName} is behind`);
    }
  }

  async close(): Promise<void> {
    this.#caller.close();
    await this.#contract.stop();
    await this.#bed.close();
  }
}

describeFabric('Raft with three orderers', () => {
  test('tolerates that its leader is killed under load: what clients repeat is committed; back again, it catches up', async () => {
    const ordering = await Ordering.start((bed) => bed.separateOrderers(3), 1);
    try {
      const { network } = ordering;
      expect(network.ordering).toEqual({ type: 'raft', orderers: 3, toleratedFaults: 1 });
      const leader = (await network.leader()) ?? '';
      expect(leader).toMatch(/^orderer[012]\.orderer\.example\.com$/);
      await ordering.submitThrough('a', 20, () => network.nodes.get(leader)?.kill('SIGKILL'));
      expect(await network.leader()).not.toBe(leader);
      await network.restart(leader);
      await ordering.caughtUp(leader);
      await network.renewTls(leader);
      network.nodes.get(leader)?.kill('SIGTERM');
      await network.restart(leader);
      await ordering.submitThrough('b', 2, () => undefined);
      await ordering.caughtUp(leader);
    } finally {
      await ordering.close();
    }
  }, 180_000);
});

describeFabric(
  'BFT with four orderers of four organisations',
  () => {
    test('goes on without one of them, leader or not; back again, it catches up', async () => {
      const members = (bed: TestBed): OrderingPlan => ({
        type: 'bft',
        organisations: [1, 2, 3, 4].map((number) => ({
          ...organisationName(number),
          orderers: [bed.orderer('orderer0')],
        })),
      });
      const ordering = await Ordering.start(members, 2);
      try {
        const { network } = ordering;
        expect(network.ordering).toEqual({ type: 'bft', orderers: 4, toleratedFaults: 1 });
        const { ordering: configured } = await network.channelConfig();
        expect(configured.type).toBe('bft');
        expect(configured.consenters.map(({ mspId }) => mspId)).toEqual(['Org1MSP', 'Org2MSP', 'Org3MSP', 'Org4MSP']);
        expect(configured.organisations.every(({ endpoints }) => endpoints.length === 1)).toBe(true);
        const leader = (await network.leader()) ?? '';
        const follower = network.orderers.map(({ hostName }) => hostName).find((name) => name !== leader) ?? '';
        await ordering.submitThrough('a', 10, () => network.nodes.get(follower)?.kill('SIGKILL'));
        await network.restart(follower);
        await ordering.caughtUp(follower);
        // A view change takes some ten seconds.
        await ordering.submitThrough('b', 4, () => network.nodes.get(leader)?.kill('SIGKILL'));
        await network.restart(leader);
        await ordering.caughtUp(leader);
      } finally {
        await ordering.close();
      }
    }, 180_000);
  },
  3,
);
