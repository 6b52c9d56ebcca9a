import type { ProjectorState } from './projector.ts';

/** How far the replica is. */
export interface ReplicaState extends ProjectorState {
  readonly evidence: number;
  readonly leaves: number;
  /** Batches whose records are not in the index yet. */
  readonly pendingBatches: number;
}
