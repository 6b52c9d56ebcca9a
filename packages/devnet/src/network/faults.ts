import { DevnetError } from '../errors.ts';
import type { PeerSlot } from './peer-slot.ts';

/** Something that goes wrong until it is healed. */
export interface Fault {
  /** Ends the fault, and brings up again a peer that it took down. Does nothing the second time. */
  heal(): Promise<void>;
}

/**
 * What can be made to go wrong in a running network. Peers are named by host name, as `heights()` does
 * (`peer0.org1.example.com`); another name throws DevnetError OPTIONS_INVALID.
 */
export interface DevnetFaults {
  /** Each block is committed so much later by that peer. */
  delayCommits(peer: string, delayMs: number): Fault;
  /** The peer commits nothing: it falls behind, and catches up when healed. */
  holdCommits(peer: string): Fault;
  /** The peer's streams of blocks and events end with UNAVAILABLE and cannot be opened; all else goes on. */
  dropEvents(peer: string): Fault;
  /** The peer is down: its endpoint refuses connections, and the others do without it. */
  failPeer(peer: string): Promise<Fault>;
  /** The next block cannot be written (ENOSPC): the peer stops, as Fabric's does, and comes up again when healed. */
  fillDisk(peer: string): Fault;
  /** Heals everything. */
  healAll(): Promise<void>;
}

export function createFaults(slots: () => readonly PeerSlot[]): DevnetFaults {
  const active = new Set<Fault>();
  const slotOf = (peer: string): PeerSlot => {
    const slot = slots().find(({ node }) => node.hostName === peer);
    if (slot === undefined) throw new DevnetError('OPTIONS_INVALID', `no peer ${peer} in this network`);
    return slot;
  };
  const inject = (end: () => Promise<void> | void): Fault => {
    const fault: Fault = {
      heal: async () => {
        if (active.delete(fault)) await end();
      },
    };
    active.add(fault);
    return fault;
  };
  return {
    delayCommits: (peer, delayMs) => {
      const { faults } = slotOf(peer);
      if (!Number.isSafeInteger(delayMs) || delayMs < 0) {
        throw new DevnetError('OPTIONS_INVALID', 'a delay is a whole number of milliseconds');
      }
      faults.delayMs = delayMs;
      return inject(() => {
        faults.delayMs = 0;
      });
    },
    holdCommits: (peer) => {
      const { faults } = slotOf(peer);
      faults.hold();
      return inject(() => faults.release());
    },
    dropEvents: (peer) => {
      const slot = slotOf(peer);
      slot.node.eventStreams.cut();
      return inject(() => slot.node.eventStreams.restore());
    },
    failPeer: async (peer) => {
      const slot = slotOf(peer);
      await slot.stop();
      return inject(() => bringUp(slot));
    },
    fillDisk: (peer) => {
      const slot = slotOf(peer);
      slot.faults.diskIsFull = true;
      return inject(async () => {
        slot.faults.diskIsFull = false;
        await bringUp(slot);
      });
    },
    healAll: async () => {
      for (const fault of [...active]) await fault.heal();
    },
  };
}

async function bringUp(slot: PeerSlot): Promise<void> {
  // A peer whose failure is being told right now goes down in the next microtask.
  await Promise.resolve();
  if (!slot.isUp) await slot.restart();
}
