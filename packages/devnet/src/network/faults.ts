import { rm } from 'node:fs/promises';
import { DevnetError } from '../errors.ts';
import { alterState } from '../ledger/altered-state.ts';
import type { OrdererSlot } from './orderer-slot.ts';
import type { PeerSlot } from './peer-slot.ts';
import type { RunningNetwork } from './running-network.ts';

/** Something that goes wrong until it is healed. */
export interface Fault {
  /** Ends the fault, and brings up again a node that it took down. Does nothing the second time. */
  heal(): Promise<void>;
}

export interface FailPeerOptions {
  /**
   * How long the other peers go on counting on it and are refused the connection, before they leave it out of plans and
   * discovery. Default 0. Fabric's peers notice after some 25 s (`peer.gossip.aliveExpirationTimeout`).
   */
  readonly noticedAfterMs?: number;
}

export interface ForkStateOptions {
  readonly chaincode: string;
  readonly key: string;
  /** What the peer has under the key from now on; null: nothing. */
  readonly value: Uint8Array | string | null;
}

/**
 * What can be made to go wrong in a running network. Nodes are named by host name, as `heights()` does
 * (`peer0.org1.example.com`); another name throws DevnetError OPTIONS_INVALID. Faults end with `reset`, `snapshot` and
 * `restore`, which start all nodes anew.
 */
export interface DevnetFaults {
  /** Each block is committed so much later by that peer. */
  delayCommits(peer: string, delayMs: number): Fault;
  /** The peer commits nothing: it falls behind, and catches up when healed. */
  holdCommits(peer: string): Fault;
  /** The peer's streams of blocks and events end with UNAVAILABLE and cannot be opened; all else goes on. */
  dropEvents(peer: string): Fault;
  /** The peer is down: its endpoint refuses connections, and the others do without it. */
  failPeer(peer: string, options?: FailPeerOptions): Promise<Fault>;
  /** The orderer is down: nothing is ordered, what it had accepted but not cut is lost; all else goes on. */
  failOrderer(): Promise<Fault>;
  /**
   * The next block of that peer, or of the orderer, cannot be written (ENOSPC): the node stops, as Fabric's does, and comes
   * up again when healed.
   */
  fillDisk(node: string): Fault;
  /** What the peer simulates differs from what every other peer does: other versions are read, no endorsement matches. */
  disagree(peer: string): Fault;
  /**
   * Puts something into the peer's state that no transaction wrote: its answers, endorsements, validation codes and commit
   * hashes go apart from the others' where the key is touched. Healed, the peer makes its ledger anew from the orderer's blocks.
   */
  forkState(peer: string, options: ForkStateOptions): Promise<Fault>;
  /** Heals everything. */
  healAll(): Promise<void>;
}

/** The faults of a network, and how its owner ends them without healing, when all nodes are started anew. */
export interface FaultsOfNetwork {
  readonly faults: DevnetFaults;
  readonly forget: () => void;
}

export function createFaults(network: () => RunningNetwork): FaultsOfNetwork {
  const active = new Set<Fault>();
  const inject = (end: () => Promise<void> | void): Fault => {
    const fault: Fault = {
      heal: async () => {
        if (active.delete(fault)) await end();
      },
    };
    active.add(fault);
    return fault;
  };
  const peerOf = (peer: string): PeerSlot => {
    const slot = network().peers.find(({ node }) => node.hostName === peer);
    if (slot === undefined) throw new DevnetError('OPTIONS_INVALID', `no peer ${peer} in this network`);
    return slot;
  };
  const nodeOf = (name: string): PeerSlot | OrdererSlot => {
    const { orderer } = network();
    return name === orderer.hostName ? orderer : peerOf(name);
  };
  const faults: DevnetFaults = {
    delayCommits: (peer, delayMs) => {
      const slot = peerOf(peer);
      checkMs(delayMs);
      slot.faults.delayMs = delayMs;
      return inject(() => {
        slot.faults.delayMs = 0;
      });
    },
    holdCommits: (peer) => {
      const slot = peerOf(peer);
      slot.faults.hold();
      return inject(() => slot.faults.release());
    },
    dropEvents: (peer) => {
      const slot = peerOf(peer);
      slot.node.eventStreams.cut();
      return inject(() => slot.node.eventStreams.restore());
    },
    failPeer: async (peer, { noticedAfterMs = 0 } = {}) => {
      const slot = peerOf(peer);
      checkMs(noticedAfterMs);
      await slot.stop(noticedAfterMs);
      return inject(() => bringUp(slot));
    },
    failOrderer: async () => {
      const { orderer } = network();
      await orderer.stop();
      return inject(() => bringUp(orderer));
    },
    fillDisk: (name) => {
      const node = nodeOf(name);
      node.faults.diskIsFull = true;
      return inject(async () => {
        node.faults.diskIsFull = false;
        await bringUp(node);
      });
    },
    disagree: (peer) => {
      const slot = peerOf(peer);
      slot.faults.readsOtherVersions = true;
      return inject(() => {
        slot.faults.readsOtherVersions = false;
      });
    },
    forkState: async (peer, { chaincode, key, value }) => {
      const slot = peerOf(peer);
      const altered = { namespace: chaincode, key, value: value === null ? undefined : Buffer.from(value) };
      await slot.whileDown((dir) => alterState(dir, altered));
      return inject(() => slot.whileDown((dir) => rm(dir, { recursive: true, force: true })));
    },
    healAll: async () => {
      for (const fault of [...active]) await fault.heal();
    },
  };
  return { faults, forget: () => active.clear() };
}

function checkMs(timeMs: number): void {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0) {
    throw new DevnetError('OPTIONS_INVALID', 'a time is a whole number of milliseconds');
  }
}

async function bringUp(node: PeerSlot | OrdererSlot): Promise<void> {
  // A node whose failure is being told right now goes down in the next microtask.
  await Promise.resolve();
  if (!node.isUp) await node.restart();
}
