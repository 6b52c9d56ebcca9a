import type { SealedBlock } from '@waymark/rsl';
import type { MemberChain } from './ports.ts';

/** Applies confirmed blocks behind the consensus loop, all that wait at once. */
export interface Applier {
  readonly height: number;
  /** Queues blocks. Their oids count as recorded from here on. */
  add(blocks: readonly SealedBlock[]): void;
  /** Whether an applied or queued block holds this oid, accepted. */
  isRecorded(oid: string): boolean;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

/** @param onApplied told of blocks that are durable; @param onFault what made applying stop */
export function createApplier(
  chain: MemberChain,
  onApplied: (blocks: readonly SealedBlock[]) => void,
  onFault: (error: unknown) => void,
): Applier {
  let waiting: SealedBlock[] = [];
  const oids = new Set<string>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const blocks = waiting;
      waiting = [];
      await chain.apply(blocks);
      for (const block of blocks) for (const oid of acceptedOids(block)) oids.delete(oid);
      onApplied(blocks);
    }
  }

  return {
    get height() {
      return chain.height;
    },
    add(blocks) {
      const fresh = blocks.filter(({ candidate }) => candidate.height > chain.height);
      for (const block of fresh) for (const oid of acceptedOids(block)) oids.add(oid);
      waiting.push(...fresh);
      running ??= run()
        .catch(onFault)
        .finally(() => {
          running = undefined;
        });
    },
    isRecorded: (oid) => oids.has(oid) || chain.isRecorded(oid),
    idle: async () => {
      while (running !== undefined) await running;
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
