import type { SealedBlock } from '../../src/index.ts';

/** The confirmed blocks of a member, as its driver keeps and serves them, with the index of accepted oids that the audit asks. */
export interface BlockStore {
  /** Last height up to which every block is here. */
  height(): number;
  get(height: number): SealedBlock | undefined;
  /** Takes the block above the last one; anything else is left alone. */
  add(block: SealedBlock): boolean;
  isRecorded(oid: string): boolean;
  /** A planted bug: the index of oids is lost, the blocks stay. */
  forgetOids(): void;
  /** Last confirmed sequence number of a department. */
  sequenceOf(department: string): number;
}

export function createBlockStore(): BlockStore {
  const blocks: SealedBlock[] = [];
  const recorded = new Set<string>();
  const sequences = new Map<string, number>();
  return {
    height: () => blocks.length,
    get: (height) => blocks[height - 1],
    add(block) {
      if (block.candidate.height !== blocks.length + 1) return false;
      blocks.push(block);
      const { content } = block.candidate;
      if (content.kind !== 'records') return true;
      for (const { submission, rejected } of content.audited) {
        sequences.set(submission.department, submission.seq);
        submission.records.forEach(({ oid }, index) => {
          if (!rejected.some((rejection) => rejection.index === index)) recorded.add(oid);
        });
      }
      return true;
    },
    isRecorded: (oid) => recorded.has(oid),
    forgetOids: () => recorded.clear(),
    sequenceOf: (department) => sequences.get(department) ?? 0,
  };
}
