import { openPeerLedger, type OpenPeerLedgerParams, type PeerLedger } from '../ledger/index.ts';
import { followOrderer, type BlockFollower } from './block-follower.ts';
import type { ChaincodeOfPeer } from '../shim/chaincode-support.ts';
import type { DevnetEmitter } from './events.ts';
import { NodeFaults } from './node-faults.ts';
import type { OrderedBlocks } from './orderer-slot.ts';
import { createPeerNode, type PeerNode, type PeerNodeParams } from './peer-node.ts';

export interface PeerSlotParams {
  readonly ledger: Omit<OpenPeerLedgerParams, 'faults'>;
  readonly node: Omit<PeerNodeParams, 'ledger'>;
  readonly orderer: OrderedBlocks;
  readonly events: DevnetEmitter;
}

interface Incarnation {
  readonly ledger: PeerLedger;
  readonly node: PeerNode;
  readonly follower: BlockFollower;
}

/** One peer of the network, which may go down and come up again. A peer that can commit no more goes down by itself. */
export class PeerSlot {
  readonly faults: NodeFaults;
  #params: PeerSlotParams;
  #current: Incarnation;
  #isUp = true;
  #stopping: Promise<void> | undefined;
  /** Until then the others believe that it is up, by `performance.now()`. */
  #knownUntilMs = 0;

  private constructor(params: PeerSlotParams, faults: NodeFaults, current: Incarnation) {
    this.#params = params;
    this.faults = faults;
    this.#current = current;
    this.#watch(current);
  }

  /** Opens the ledger and begins to commit; `node.listen` opens the endpoint. Throws as `openPeerLedger` does. */
  static async open(params: PeerSlotParams): Promise<PeerSlot> {
    const faults = new NodeFaults();
    return new PeerSlot(params, faults, await openIncarnation(params, faults));
  }

  /** The peer as it is, or as it was when it went down. */
  get node(): PeerNode {
    return this.#current.node;
  }

  get follower(): BlockFollower {
    return this.#current.follower;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether the others count on it: it is up, or its silence was not noticed yet. */
  get isKnown(): boolean {
    return this.#isUp || performance.now() < this.#knownUntilMs;
  }

  /** Connects to another server of a chaincode, which runs it from a definition on; also when it comes up again. */
  prepareChaincode(chaincode: ChaincodeOfPeer): void {
    this.#setChaincodes([...this.#params.node.chaincodes, chaincode]);
    if (this.#isUp) this.#current.node.chaincodes.prepare(chaincode);
  }

  /** Lets go of all servers of a chaincode but the newest. */
  retireChaincodes(name: string): void {
    const { chaincodes } = this.#params.node;
    const newest = chaincodes.findLast((chaincode) => chaincode.name === name);
    this.#setChaincodes(chaincodes.filter((chaincode) => chaincode.name !== name || chaincode === newest));
    if (this.#isUp) this.#current.node.chaincodes.retire(name);
  }

  /** Takes back what `prepareChaincode` did last. */
  withdrawChaincode(chaincode: ChaincodeOfPeer): void {
    this.#setChaincodes(this.#params.node.chaincodes.filter((candidate) => candidate !== chaincode));
    if (this.#isUp) this.#current.node.chaincodes.withdraw(chaincode.name);
  }

  /** The server that runs a chaincode, or will. */
  chaincode(name: string): ChaincodeOfPeer | undefined {
    return this.#params.node.chaincodes.findLast((chaincode) => chaincode.name === name);
  }

  #setChaincodes(chaincodes: readonly ChaincodeOfPeer[]): void {
    this.#params = { ...this.#params, node: { ...this.#params.node, chaincodes } };
  }

  /** Closes the endpoint, ends committing, closes the ledger. The others notice it so much later. */
  stop(noticedAfterMs = 0): Promise<void> {
    if (this.#isUp) this.#knownUntilMs = performance.now() + noticedAfterMs;
    this.#isUp = false;
    return (this.#stopping ??= this.#close(this.#current));
  }

  /** Comes up after a stop, with what its ledger holds; what it missed it commits from then on. */
  async restart(): Promise<void> {
    await this.#stopping;
    this.faults.start();
    const current = await openIncarnation(this.#params, this.faults);
    try {
      await current.node.listen();
    } catch (error) {
      await this.#close(current);
      throw error;
    }
    this.#current = current;
    this.#stopping = undefined;
    this.#isUp = true;
    this.#watch(current);
  }

  /** Stops, does something to the ledger's folder, comes up again. */
  async whileDown(action: (ledgerDir: string) => Promise<void>): Promise<void> {
    await this.stop();
    try {
      await action(this.#params.ledger.dir);
    } finally {
      await this.restart();
    }
  }

  #watch(incarnation: Incarnation): void {
    incarnation.follower.failed.catch(() => {
      if (this.#current === incarnation) this.stop().catch(() => undefined);
    });
  }

  async #close({ node, follower, ledger }: Incarnation): Promise<void> {
    const followed = follower.stop();
    this.faults.stop();
    await node.close();
    await followed;
    await ledger.close();
  }
}

async function openIncarnation(params: PeerSlotParams, faults: NodeFaults): Promise<Incarnation> {
  const { orderer, events } = params;
  const ledger = await openPeerLedger({ ...params.ledger, faults });
  const node = createPeerNode({ ...params.node, ledger, readsOtherVersions: () => faults.readsOtherVersions });
  const follower = followOrderer({ peer: node.hostName, ledger, orderer, events });
  return { ledger, node, follower };
}
