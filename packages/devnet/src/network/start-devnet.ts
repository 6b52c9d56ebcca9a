import { DevnetError } from '../errors.ts';
import { checkAddresses, chaincodesOf } from './chaincode-addresses.ts';
import { createClock } from './clock.ts';
import { openDataFolder } from './data-folder.ts';
import { definitionOf } from './definitions.ts';
import { buildHandle, type Devnet } from './devnet.ts';
import { createDevnetEmitter } from './events.ts';
import { createFaults } from './faults.ts';
import { openGenesisBlock } from './genesis-block.ts';
import { checkSnapshot, copyDataFolder, replaceLedgers } from './ledgers-folder.ts';
import { openMemberships, type Memberships } from './membership.ts';
import type { AddedOrganisationOptions, ChaincodeOptions, DevnetOptions } from './options.ts';
import { assignPorts } from './ports.ts';
import { checkLedgers, runNetwork, type NetworkSetup, type RunningNetwork } from './running-network.ts';
import { withChaincode, withOrganisation } from './extensions.ts';
import { extendTopology, topologyOf } from './topology.ts';

/**
 * Starts a Fabric network in this process: for development, evaluation and tests, not for production. With a folder that was
 * used before, it goes on where it stopped. Throws DevnetError: OPTIONS_INVALID, TOPOLOGY_CHANGED, DATA_LOCKED, DATA_INVALID,
 * ADDRESS_IN_USE, DEFINITION_REFUSED, and what certificates and ledgers on disk may give rise to.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const wanted = topologyOf(options);
  const { chaincodes = [] } = options;
  const definitions = chaincodes.map(definitionOf);
  for (const { mspId } of wanted.organisations) chaincodesOf(mspId, chaincodes);
  const folder = await openDataFolder(options.dataDir);
  try {
    const { stored } = folder;
    const extended = stored === undefined ? wanted : extendTopology(stored, wanted);
    const topology = extended === stored ? stored : await assignPorts(extended);
    checkAddresses(
      chaincodes,
      topology.organisations.map(({ mspId }) => mspId),
    );
    const memberships = await openMemberships(folder, topology);
    const genesisBlock = await openGenesisBlock(folder, topology, memberships);
    // From now on the folder has the organisations that are new, whatever becomes of this start.
    if (topology !== stored) await folder.complete(topology);
    const clock = createClock(options.nowMs ?? Date.now);
    const events = createDevnetEmitter();
    const nowMs = () => clock.nowMs();
    const setup = { options, definitions, topology, memberships, genesisBlock, folder, events, nowMs };
    const running = await runNetwork(setup);
    const { faults, forget } = createFaults(() => network.running);
    const network: RestartableNetwork = new RestartableNetwork(setup, running, forget);
    return buildHandle({ ...setup, clock, network, faults });
  } catch (error) {
    await folder.release();
    throw error;
  }
}

/** The network behind a handle: what runs is another one after each reset, snapshot and restore. */
class RestartableNetwork {
  #setup: NetworkSetup;
  readonly #onRestart: () => void;
  #running: RunningNetwork;
  #tail: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(setup: NetworkSetup, running: RunningNetwork, onRestart: () => void) {
    this.#setup = setup;
    this.#onRestart = onRestart;
    this.#running = running;
  }

  get running(): RunningNetwork {
    return this.#running;
  }

  get memberships(): Memberships {
    return this.#setup.memberships;
  }

  addOrganisation(options: AddedOrganisationOptions): Promise<void> {
    return this.#inTurn(async () => {
      this.#setup = await withOrganisation(this.#setup, options);
      await this.#running.extend(this.#setup);
    });
  }

  upgradeChaincode(chaincode: ChaincodeOptions): Promise<void> {
    return this.#inTurn(async () => {
      const setup = withChaincode(this.#setup, chaincode);
      await this.#running.extend(setup);
      this.#setup = setup;
    });
  }

  reset(): Promise<void> {
    return this.#whileStopped((dir) => replaceLedgers(dir));
  }

  snapshot(target: string): Promise<void> {
    return this.#whileStopped((dir) => copyDataFolder(dir, target));
  }

  async restore(snapshotDir: string): Promise<void> {
    await checkSnapshot(this.#setup.folder.dir, snapshotDir);
    const check = (ledgersDir: string) => checkLedgers(this.#setup, ledgersDir);
    await this.#whileStopped((dir) => replaceLedgers(dir, { dir: snapshotDir, check }));
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#tail.then(async () => {
      try {
        await this.#running.close();
      } finally {
        await this.#setup.folder.release();
      }
    }));
  }

  /** The network runs again afterwards, also when the action failed. */
  #whileStopped(action: (dir: string) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      this.#onRestart();
      await this.#running.close();
      try {
        await action(this.#setup.folder.dir);
      } finally {
        this.#running = await runNetwork(this.#setup);
      }
    });
  }

  /** One after the other. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    if (this.#stopped !== undefined) {
      return Promise.reject(new DevnetError('LEDGER_CLOSED', 'the network was stopped'));
    }
    const done = this.#tail.then(action);
    this.#tail = done.catch(() => undefined);
    return done;
  }
}
