import type { LedgerLog, LogPosition, Standing } from '@waymark/ledger-log';
import { type Configuration, type MemberId, voteQuorum } from '@waymark/rsl';

/**
 * Whether a member that was started may take part (docs/rsl.md, "Lost disks"): others remember how far its log had got. What it is cleared by are enough of
 * them that one was there whenever a promise of its counted; one that remembers more than the disk holds bars it.
 */
export interface Clearance {
  /** What another member remembers of this one. Answers what this log is to it. */
  heard(from: MemberId, remembered: LogPosition | null): Standing;
  readonly isCleared: boolean;
  readonly isBarred: boolean;
}

/**
 * Whether a position that a member announces may take the place of the one that is remembered. A log that was made anew, or put back to an old copy, must not
 * make others forget what it held before.
 */
export function goesOn(known: LogPosition | undefined, announced: LogPosition): boolean {
  if (known === undefined) return true;
  if (announced.log !== known.log || announced.seq < known.seq) return false;
  return announced.opens > known.opens || (announced.opens === known.opens && announced.session === known.session);
}

export function createClearance(
  log: Pick<LedgerLog, 'standingOf'>,
  id: MemberId,
  configuration: () => Configuration,
): Clearance {
  const heard = new Set<MemberId>();
  let isBarred = false;
  let isCleared = false;
  const check = (): void => {
    const { members, profile } = configuration();
    const others = members.filter((member) => member !== id);
    const needed = Math.min(others.length, voteQuorum(members.length, profile) - 1);
    isCleared ||= others.filter((member) => heard.has(member)).length >= needed;
  };
  check();
  return {
    heard(from, remembered) {
      const standing = remembered === null ? 'held' : log.standingOf(remembered);
      if (standing !== 'held') isBarred = true;
      heard.add(from);
      check();
      return standing;
    },
    get isCleared() {
      return isCleared && !isBarred;
    },
    get isBarred() {
      return isBarred;
    },
  };
}
