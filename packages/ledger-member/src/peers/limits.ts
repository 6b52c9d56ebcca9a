import { maxMessageSizeBytes } from '@waymark/transport';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Sizes and times of the streams between members. */
export interface PeersLimits {
  /** Largest envelope; what is larger is not sent. */
  readonly maxEnvelopeSizeBytes: number;
  /** Blocks that fit in one message but make it larger than this are sent in several. */
  readonly targetEnvelopeSizeBytes: number;
  /** What waits for one member; beyond it the oldest messages are dropped. */
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  /** What is handed to one connection ahead of what it has taken. */
  readonly maxUnsentBytes: number;
  /** From the attempt to connect to the other member's welcome. */
  readonly connectTimeoutMs: number;
  /** Waits between attempts grow from the first to the second, with jitter. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** How often a connection is asked whether the other side is alive, and how long its answer may take. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Body of one block that is read from another member. */
  readonly maxBlockSizeBytes: number;
}

export const defaultPeersLimits: PeersLimits = {
  // Room for what gRPC puts around it.
  maxEnvelopeSizeBytes: maxMessageSizeBytes - 64 * KiB,
  targetEnvelopeSizeBytes: 4 * MiB,
  maxQueuedBytes: 32 * MiB,
  maxQueuedMessages: 1_024,
  maxUnsentBytes: MiB,
  connectTimeoutMs: 10_000,
  minBackoffMs: 100,
  maxBackoffMs: 5_000,
  keepaliveMs: 5_000,
  keepaliveTimeoutMs: 5_000,
  maxBlockSizeBytes: 64 * MiB,
};
