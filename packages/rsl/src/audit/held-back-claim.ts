import type { Header } from '../block/header.ts';
import type { SubmissionReceipt } from '../block/submission.ts';
import type { DepartmentCursor } from '../snapshot/snapshot.ts';

/**
 * A receipt held against the center that gave it (rsl.md, protocol step 6). With an opening it is a proof: an anchored header far enough above the
 * receipt, and the sequences that its department hash covers, among which the submission is not.
 */
export interface HeldBackClaim {
  readonly receipt: SubmissionReceipt;
  readonly opening: SequenceOpening | null;
}

/** The sequences under a header's department hash (`departmentsDigest`). */
export interface SequenceOpening {
  readonly header: Header;
  readonly salt: string;
  /** In byte order of the departments. */
  readonly cursors: readonly DepartmentCursor[];
}
