/** What a scenario needs beyond a consortium of two organisations; where it is not there, the scenario is skipped with the reason. */
export type Need =
  /** Peers and orderers that can be killed one by one. */
  | 'separate-nodes'
  /** A second peer in each organisation. */
  | 'two-peers'
  | 'raft'
  /** Enough orderers that ordering goes on without one of them. */
  | 'spare-orderer'
  /** IPFS nodes of their own, one for each organisation. */
  | 'kubo'
  /** The services' folders, as they use them, on this machine. */
  | 'service-folders'
  /** Batches go to the channel as evidence: no firm keeps a private ledger. */
  | 'evidence'
  /** Two firms keep private ledgers. */
  | 'private-ledgers';

/** A rule of the system, and how to find out whether it holds on a system `S`. */
export interface Rule<S> {
  /** States the rule. */
  readonly name: string;
  /** Requirement ids. */
  readonly serves: readonly string[];
  readonly needs?: readonly Need[];
  /** How often a part stays away for the time that the run says: so much longer it may take. */
  readonly absences?: number;
  /** Throws when the rule does not hold. Leaves everything running. */
  run(system: S): Promise<void>;
}

/** What the runner needs of a system beside what rules use. */
export interface Judged {
  /** How long one absence of a part lasts. */
  readonly awayMs: number;
  /** Why a need is not met; undefined when it is. */
  missing(need: Need): string | undefined;
  /** Throws when something does not run that should. */
  checkWell(): Promise<void>;
  /** Starts again what has ended. */
  recover(): Promise<void>;
}

/** What became of one rule. */
export interface Outcome {
  readonly name: string;
  readonly serves: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped or failed. */
  readonly reason?: string;
  readonly seconds: number;
}
