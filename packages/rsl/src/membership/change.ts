import { isWaymarkError } from '@waymark/protocol';
import type { MemberId } from '../ids.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import { checkConfiguration, type Configuration } from './configuration.ts';
import type { Epochs } from './epochs.ts';

/** A change of the configuration: one node at a time (rsl.md, "Strong leadership"; Raft thesis section 4.1). */
export type MembershipChange =
  | { readonly type: 'add-learner'; readonly member: MemberId }
  | { readonly type: 'promote'; readonly member: MemberId }
  | { readonly type: 'remove'; readonly member: MemberId }
  | { readonly type: 'eligible'; readonly members: readonly MemberId[] };

/** The configuration that a change leads to, or null when it changes nothing or is not possible. */
export function changed(current: Configuration, change: MembershipChange): Configuration | null {
  const { members, learners, eligible } = current;
  const next = { ...current, epoch: current.epoch + 1 };
  switch (change.type) {
    case 'add-learner':
      if (members.includes(change.member) || learners.includes(change.member)) return null;
      return valid({ ...next, learners: withMember(learners, change.member) });
    case 'promote':
      if (!learners.includes(change.member)) return null;
      return valid({
        ...next,
        members: withMember(members, change.member),
        learners: without(learners, change.member),
      });
    case 'remove':
      if (![...members, ...learners].includes(change.member)) return null;
      return valid({
        ...next,
        members: without(members, change.member),
        learners: without(learners, change.member),
        eligible: without(eligible, change.member),
      });
    case 'eligible':
      return valid({ ...next, eligible: change.members });
  }
}

/**
 * Whether a proposed configuration may follow the ones in force: one node at a time, and no other change on its way (Raft thesis section 4.1;
 * rsl.md).
 * @returns reason code, or null when it may
 */
export function changeProblem(epochs: Epochs, proposed: Configuration, faults: PlantedFaults): string | null {
  const { current, pending } = epochs;
  const severalAtOnce = faults.twoMembershipChanges === true;
  if (pending !== null && !severalAtOnce) return 'change-pending';
  if (valid(proposed) === null) return 'change-impossible';
  const before = pending !== null && severalAtOnce ? pending.configuration : current;
  if (proposed.epoch !== before.epoch + 1) return 'epoch-mismatch';
  if (difference(before.members, proposed.members) > 1) return 'change-too-large';
  if (JSON.stringify(before.profile) !== JSON.stringify(proposed.profile)) return 'profile-change';
  return null;
}

function valid(configuration: Configuration): Configuration | null {
  try {
    checkConfiguration(configuration);
    return configuration;
  } catch (error) {
    if (isWaymarkError(error, 'configuration-invalid')) return null;
    throw error;
  }
}

function difference(a: readonly string[], b: readonly string[]): number {
  return a.filter((member) => !b.includes(member)).length + b.filter((member) => !a.includes(member)).length;
}

function withMember(members: readonly string[], member: string): readonly string[] {
  return [...new Set([...members, member])].sort();
}

function without(members: readonly string[], member: string): readonly string[] {
  return members.filter((other) => other !== member);
}
