import type { Seal } from '../block/header.ts';
import type { Digest, MemberId } from '../ids.ts';
import type { Configuration } from '../membership/configuration.ts';

/** Where a department's sequence stands. */
export interface DepartmentCursor {
  readonly department: MemberId;
  readonly seq: number;
  readonly hash: Digest;
}

/** A configuration with the sealed headers that confirm it, lowest first: the first one is of the block that holds it. */
export interface ConfigurationProof {
  readonly configuration: Configuration;
  readonly seals: readonly Seal[];
}

/**
 * The ledger's state after a confirmed block, checkable by whoever knows any earlier configuration: the header's department hash covers the
 * sequences, the headers above confirm the header, each change of the configuration is proven by the members before it.
 */
export interface Snapshot {
  readonly height: number;
  /** Salt of that block's department hash. */
  readonly salt: string;
  /** In byte order of the departments. */
  readonly cursors: readonly DepartmentCursor[];
  /** In force after the block. */
  readonly configuration: Configuration;
  /** All changes since the first configuration. */
  readonly configurations: readonly ConfigurationProof[];
  /** Of the block itself, then of those above that confirm it. */
  readonly seals: readonly Seal[];
}
