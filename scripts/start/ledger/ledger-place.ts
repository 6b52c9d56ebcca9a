import type { Layout, LedgerStatus, Topology, TopologyOrganisation } from '@waymark/network';

/** A running network as far as the main job shows a private ledger on it. */
export interface LedgerPlace {
  readonly topology: Topology;
  readonly layout: Layout;
  /** Whose ledger it is. */
  readonly firm: TopologyOrganisation;
  readonly readerProfile: string;
  /** Kills a process (SIGKILL) and leaves it away. */
  halt(name: string): Promise<void>;
  /** Brings it back. */
  resume(name: string): Promise<void>;
  /** Has somebody outside ask for a record through the firm's client (S9). @returns records that were opened */
  askOutside(): Promise<number>;
  /** How the private ledgers stand. */
  ledgers(): Promise<readonly LedgerStatus[]>;
}
