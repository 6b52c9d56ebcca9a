import type { NodeConnection } from '@waymark/devnet';

/** What the process under attack is asked. */
export type Question =
  | { readonly id: number; readonly ask: 'measure' }
  | { readonly id: number; readonly ask: 'heights' }
  | { readonly id: number; readonly ask: 'plant'; readonly defect: 'throw' | 'reject' | 'leak' }
  | { readonly id: number; readonly ask: 'stop' };

/** Bytes after a forced collection, and what keeps the process alive. */
export interface Measurement {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Outside the heap: buffers. */
  readonly externalBytes: number;
  /** Open sockets, timers and the like, by name. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface Identity {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What attackers are told of the network at the start. */
export interface TargetDescription {
  readonly channel: string;
  readonly orderer: NodeConnection;
  readonly peers: readonly NodeConnection[];
  readonly user: Identity;
  readonly admin: Identity;
}

export type Answer =
  | { readonly ready: TargetDescription }
  | { readonly id: number; readonly measurement: Measurement }
  | { readonly id: number; readonly heights: Readonly<Record<string, number>> }
  | { readonly id: number; readonly done: true }
  | { readonly failedPeer: string; readonly reason: string };
