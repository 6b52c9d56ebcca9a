import type { SealedBlock } from '@waymark/rsl';
import type { MemberChain } from './ports.ts';

/** How long the first block waits for others: each write of the chain's stores costs as much for one block as for many. */
const gatherMs = 20;
/** Records that wait no longer. */
const fullRecords = 4_096;

/** Applies confirmed blocks behind the consensus loop, all that wait at once. */
export interface Applier {
  readonly height: number;
  /** Queues blocks. Their oids count as recorded from here on. */
  add(blocks: readonly SealedBlock[]): void;
  /** Whether an applied or queued block holds this oid, accepted. */
  isRecorded(oid: string): boolean;
  /** Applies what waits, now. Resolves when nothing does. */
  idle(): Promise<void>;
}

/** @param onApplied told of blocks that are durable; @param onFault what made applying stop */
export function createApplier(
  chain: MemberChain,
  onApplied: (blocks: readonly SealedBlock[]) => void,
  onFault: (error: unknown) => void,
): Applier {
  let waiting: SealedBlock[] = [];
  let waitingRecords = 0;
  const oids = new Set<string>();
  let running: Promise<void> | undefined;
  let hurry: () => void = () => undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      await gathered();
      const blocks = waiting;
      waiting = [];
      waitingRecords = 0;
      await chain.apply(blocks);
      for (const block of blocks) for (const oid of acceptedOids(block)) oids.delete(oid);
      onApplied(blocks);
    }
  }

  function gathered(): Promise<void> {
    if (waitingRecords >= fullRecords) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    get height() {
      return chain.height;
    },
    add(blocks) {
      for (const block of blocks) {
        if (block.candidate.height <= chain.height) continue;
        waiting.push(block);
        for (const oid of acceptedOids(block)) {
          oids.add(oid);
          waitingRecords += 1;
        }
      }
      if (waitingRecords >= fullRecords) hurry();
      running ??= run()
        .catch(onFault)
        .finally(() => {
          running = undefined;
        });
    },
    isRecorded: (oid) => oids.has(oid) || chain.isRecorded(oid),
    idle: async () => {
      while (running !== undefined) {
        hurry();
        await running;
      }
    },
  };
}

/** Oids of the records that a block accepts. */
export function* acceptedOids({ candidate: { content } }: SealedBlock): Generator<string> {
  if (content.kind !== 'records') return;
  for (const { submission, rejected } of content.audited) {
    const out = new Set(rejected.map(({ index }) => index));
    for (const [index, { oid }] of submission.records.entries()) if (!out.has(index)) yield oid;
  }
}
