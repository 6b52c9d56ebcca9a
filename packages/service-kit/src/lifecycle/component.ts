/** A part of a process that is started and stopped. */
export interface Component {
  readonly name: string;
  /** Resolves when the part does its work; rejects when it cannot. */
  start(): Promise<void> | void;
  /** Finishes what was begun, then ends. Also called after a failed start. */
  stop(): Promise<void> | void;
}
