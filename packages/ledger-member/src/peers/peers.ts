import type { MemberId, Message } from '@waymark/rsl';
import type { GrpcServerOptions, TlsIdentity } from '@waymark/transport';
import type { MemberGreeting, MemberPeers } from '../ports.ts';
import type { StoredBlock } from './blocks/stored-block.ts';
import type { PeersLimits } from './limits.ts';

/** Where another member listens, and how it is known there. */
export interface PeerAddress {
  /** `host:port` of its gRPC service. */
  readonly endpoint: string;
  /** Root certificate of its TLS certificate. */
  readonly tlsRootPem: string;
}

/** Why a message was not sent: the queue was full, nobody is there, or it is larger than an envelope may be or cannot be written. */
export type DropReason = 'queue-full' | 'not-connected' | 'too-large' | 'unsendable';

/** What an operator may want to see. None of them may throw. */
export interface PeersEvents {
  readonly onConnected?: (peer: MemberId) => void;
  /** A connection that stood is gone. */
  readonly onDisconnected?: (peer: MemberId, error: unknown) => void;
  /** An attempt failed; told again only when it fails in another way. */
  readonly onUnreachable?: (peer: MemberId, error: unknown) => void;
  /** A stream that somebody opened here was ended for what it said; `peer` is null where nobody knows who it was. */
  readonly onRefused?: (peer: MemberId | null, error: unknown) => void;
  readonly onDropped?: (peer: MemberId, reason: DropReason, messages: number) => void;
}

export interface PeersOptions extends PeersEvents {
  readonly ledger: string;
  /** This member. */
  readonly member: MemberId;
  /** All members, with or without this one; read at `start` and at `reload`, and at each stream that comes in. */
  readonly peers: () => ReadonlyMap<MemberId, PeerAddress>;
  /** What this member shows to the others: its identity certificate. */
  readonly identity: TlsIdentity;
  /** What is said to a member at each connection and at `announce`. */
  readonly greeting: (peer: MemberId) => MemberGreeting;
  readonly onGreeting: (peer: MemberId, greeting: MemberGreeting) => void;
  /** A message whose sender is certain. While its promise is pending, that sender is held back. */
  readonly onMessage: (message: Message) => void | Promise<void>;
  /** Which member shows this certificate. @throws WaymarkError for a stranger */
  readonly identify: (certificateDer: Uint8Array) => MemberId;
  /**
   * Keeps a stream open for as long as `check` does not throw: `serve` of the service's open calls, which asks again when certificates are
   * revoked. Default: asked once.
   */
  readonly serve?: <T>(check: () => void, work: () => Promise<T>) => Promise<T>;
  /** Confirmed blocks from one height to another, both included, the highest first. Default: none. */
  readonly readBlocks?: (first: number, last: number) => AsyncIterable<StoredBlock>;
  /** From 0 up to 1, for the jitter of attempts. Default `Math.random`. */
  readonly random?: () => number;
  readonly limits?: Partial<PeersLimits>;
}

/** The streams between this member and the others of its ledger. */
export interface Peers extends MemberPeers {
  /** Adds the service that the others call to a gRPC server that asks for client certificates. */
  addTo(server: Parameters<GrpcServerOptions['addServices']>[0]): void;
  /** Begins to connect to all others. */
  start(): void;
  /** Ends all streams, both ways. */
  stop(): Promise<void>;
  /** The members have changed: connects to new ones, lets go of those that are none any more. */
  reload(): void;
  /** Members that take messages from here now, in byte order. */
  connected(): readonly MemberId[];
  /** What was not sent to a member since the start, and what waits. */
  stats(): readonly PeerStats[];
  /**
   * Reads confirmed blocks from a member, from one height to another, both included, the highest first; it may end early. Nothing is checked here but
   * their order, form and size.
   *
   * @throws WaymarkError `unavailable` when it cannot be reached; `input-invalid`, `limit-exceeded` when it sends something else; what it answers
   */
  readBlocks(peer: MemberId, first: number, last: number, signal?: AbortSignal): AsyncIterable<StoredBlock>;
}

/** How the way to one member stands. */
export interface PeerStats {
  readonly peer: MemberId;
  readonly isConnected: boolean;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
}
