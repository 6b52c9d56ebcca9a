import type { TransactionStatus } from '@waymark/fabric';
import { validationCodeName } from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import type { Link } from '../connection/link.ts';
import { deliver, type WireFilteredBlock } from './deliver.ts';

/** Sees transactions end, by the blocks of the home peer. */
export interface CommitWatch {
  /**
   * Begins to wait for a transaction. Resolves when blocks are followed, so that none can pass unseen.
   *
   * @throws WaymarkError `unavailable`
   */
  expect(txId: string): Promise<void>;
  /**
   * How a transaction ended; undefined when it is in no block after `waitMs`.
   *
   * @throws WaymarkError `unavailable` when the peer breaks off
   */
  wait(txId: string, waitMs: number): Promise<TransactionStatus | undefined>;
}

interface Expected {
  readonly ended: Promise<TransactionStatus>;
  readonly end: (status: TransactionStatus) => void;
}

interface Following {
  /** Resolves with the first block. */
  readonly begun: Promise<void>;
  /** Rejects when blocks stop coming; never resolves. */
  readonly broken: Promise<never>;
}

/** Transactions whose end nobody may ever ask for: the oldest are forgotten, and looked up when somebody does. */
const maxExpected = 20_000;
/** A peer that follows this long without a block to begin with is not of use. */
const beginTimeoutMs = 10_000;

/**
 * @param lookUp finds a transaction that is in a block already
 * @param closing ends the following
 */
export function watchCommits(
  link: Link,
  lookUp: (txId: string) => Promise<TransactionStatus | undefined>,
  closing: AbortSignal,
): CommitWatch {
  const expected = new Map<string, Expected>();
  let following: Following | undefined;
  let lastBlock: bigint | undefined;

  const note = (block: WireFilteredBlock): void => {
    const blockNumber = BigInt(block.number.toString());
    for (const { txid, tx_validation_code: code } of block.filtered_transactions) {
      const validationCode = typeof code === 'string' ? code : validationCodeName(code);
      // Only the first copy of a transaction can be valid, and it is the one that counts.
      expected.get(txid)?.end({ txId: txid, blockNumber, valid: validationCode === 'VALID', validationCode });
    }
    lastBlock = blockNumber;
  };

  const follow = (): Following => {
    if (following !== undefined) return following;
    const peer = link.home.current;
    const begun = Promise.withResolvers<undefined>();
    const run = async (): Promise<never> => {
      // From the last block seen on: what was expected then is not missed.
      for await (const message of deliver(link, peer, 'filtered', lastBlock ?? 'newest', closing)) {
        const block = message.filtered_block ?? undefined;
        if (block !== undefined) note(block);
        begun.resolve(undefined);
      }
      throw closed();
    };
    const broken = run().catch((error: unknown): never => {
      following = undefined;
      link.home.leave(peer);
      begun.reject(error);
      throw error;
    });
    broken.catch(() => undefined);
    begun.promise.catch(() => undefined);
    following = { begun: begun.promise, broken };
    return following;
  };

  const add = (txId: string): Expected => {
    const { promise, resolve } = Promise.withResolvers<TransactionStatus>();
    const entry = { ended: promise, end: resolve };
    expected.set(txId, entry);
    const [oldest] = expected.size > maxExpected ? expected.keys() : [];
    if (oldest !== undefined) expected.delete(oldest);
    return entry;
  };

  const begin = async (): Promise<Following> => {
    const current = follow();
    if (
      (await within(
        beginTimeoutMs,
        current.begun.then(() => true),
      )) === undefined
    ) {
      throw new WaymarkError('unavailable', 'the peer sends no blocks');
    }
    return current;
  };

  return {
    async expect(txId) {
      if (!expected.has(txId)) add(txId);
      await begin();
    },
    async wait(txId, waitMs) {
      const known = expected.get(txId);
      const entry = known ?? add(txId);
      const { broken } = await begin();
      const before = known === undefined ? await lookUp(txId) : undefined;
      const status = before ?? (await within(waitMs, Promise.race([entry.ended, broken])));
      if (status !== undefined || known === undefined) expected.delete(txId);
      return status;
    },
  };
}

function closed(): WaymarkError {
  return new WaymarkError('unavailable', 'the ledger connection is closed');
}

/** Undefined when it takes longer. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), timeoutMs)));
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
