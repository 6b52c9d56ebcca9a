import { waitBackoff, type Backoff, type DecodedBlock, type Ledger } from '@waymark/fabric';
import { WaymarkError, isWaymarkError } from '@waymark/protocol';
import type { Logger } from '../log/logger.ts';
import { projectBlock, type Change } from './projection.ts';
import type { Checkpoint, ReplicaStore } from './replica-store.ts';

/** What the projector needs of the ledger. */
export type BlockSource = Pick<Ledger, 'blockEvents' | 'chaincode' | 'channel'>;

/** How it goes. */
export interface ProjectorState {
  /** `refusing`: the channel does not continue what the replica has read, or cannot be understood. */
  readonly phase: 'stopped' | 'following' | 'reconnecting' | 'refusing';
  readonly blockNumber: bigint | undefined;
  /** When the last block was applied, by this machine's clock. */
  readonly appliedAtMs: number | undefined;
}

/** What a projector is made of. */
export interface ProjectorParts {
  readonly store: ReplicaStore;
  readonly ledger: BlockSource;
  readonly logger: Logger;
  readonly backoff?: Backoff;
  /** Called after a block is on disk, in order. */
  readonly onApplied: (blockNumber: bigint, changes: readonly Change[]) => void;
}

/** Follows the channel and keeps the store up to date, block by block, without gaps. */
export interface Projector {
  readonly state: ProjectorState;
  start(): void;
  /** Empties the store and reads from block 0. */
  restart(): void;
  /** Begins a new file in place of a damaged one, and reads from block 0. */
  repair(): void;
  stop(): Promise<void>;
}

const defaultBackoff: Backoff = { baseMs: 200, maxMs: 10_000 };

/** Each block and the checkpoint behind it are one transaction of the store, so that a crash repeats or loses nothing. */
export function createProjector(parts: ProjectorParts): Projector {
  const { store, ledger, logger, backoff = defaultBackoff, onApplied } = parts;
  let phase: ProjectorState['phase'] = 'stopped';
  let appliedAtMs: number | undefined;
  let emptyFirst = false;
  let replaceFirst = false;
  let checked = false;
  let stopping = new AbortController();
  let reading = new AbortController();
  let running: Promise<void> | undefined;

  const apply = (block: DecodedBlock): void => {
    const checkpoint = store.checkpoint();
    requireContinuation(checkpoint, block);
    if (block.number === checkpoint?.blockNumber) return;
    const changes = projectBlock(block, ledger.chaincode);
    store.apply({ blockNumber: block.number, blockHash: block.hash, changes });
    appliedAtMs = Date.now();
    onApplied(block.number, changes);
  };

  const follow = async (): Promise<void> => {
    reading = new AbortController();
    if (replaceFirst) {
      logger.error('the replica file is damaged: it is set aside and read again from block 0', {
        channel: ledger.channel,
      });
      store.replace();
    } else if (emptyFirst || (checked ? store.isEmptied() : !store.isComplete())) {
      logger.warn('the replica is emptied and read again from block 0', { channel: ledger.channel });
      store.empty();
    }
    emptyFirst = replaceFirst = false;
    checked = true;
    // The newest known block comes once more: it shows at once whether this is still the same channel.
    const from = store.checkpoint()?.blockNumber ?? 0n;
    const signal = AbortSignal.any([stopping.signal, reading.signal]);
    for await (const block of ledger.blockEvents({ from, signal })) {
      if (signal.aborted) return;
      apply(block);
      if (phase !== 'following') {
        phase = 'following';
        logger.info('following the channel', { channel: ledger.channel, blockNumber: block.number });
      }
    }
    if (!signal.aborted) throw new WaymarkError('unavailable', 'the ledger ended the stream');
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted;) {
      const before = store.checkpointOrUndefined();
      try {
        await follow();
      } catch (error) {
        if (store.checkpointOrUndefined() !== before) failures = 0;
        failures += 1;
        phase = isWaymarkError(error, 'data-abnormal') ? 'refusing' : 'reconnecting';
        logger.warn('not following the channel', { channel: ledger.channel, attempt: failures, state: phase, error });
        await waitBackoff(backoff, failures, AbortSignal.any([stopping.signal, reading.signal]));
      }
    }
    phase = 'stopped';
  };

  return {
    get state() {
      return { phase, blockNumber: store.checkpointOrUndefined(), appliedAtMs };
    },
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      phase = 'reconnecting';
      running = run();
    },
    restart() {
      emptyFirst = true;
      reading.abort();
    },
    repair() {
      replaceFirst = true;
      reading.abort();
    },
    async stop() {
      stopping.abort();
      await running;
      running = undefined;
    },
  };
}

function requireContinuation(checkpoint: Checkpoint | undefined, block: DecodedBlock): void {
  const known = checkpoint?.blockNumber ?? -1n;
  if (block.number !== known && block.number !== known + 1n) {
    throw new WaymarkError('data-abnormal', 'the ledger left a gap', {
      details: { expected: String(known + 1n), got: String(block.number) },
    });
  }
  if (checkpoint === undefined) return;
  const hash = block.number === known ? block.hash : block.previousHash;
  if (Buffer.compare(hash, checkpoint.blockHash) !== 0) {
    throw new WaymarkError('data-abnormal', 'the channel does not continue the one this replica was read from', {
      details: { blockNumber: String(block.number) },
    });
  }
}
