import { WaymarkError } from '@waymark/protocol';
import type { MemberId } from '../ids.ts';
import type { Statement } from '../statement.ts';

/**
 * Whom the ledger trusts (rsl.md, "Members and quorums"): a trusted center may crash but not lie, so plain Raft quorums do; a lying center
 * and up to `colluding` departments in league with it may do anything.
 */
export type Profile = { readonly center: 'trusted' } | { readonly center: 'lying'; readonly colluding: number };

/** Who takes part, from one configuration epoch to the next. It is part of the ledger. */
export interface Configuration {
  /** 1 for the first; each change makes the next. */
  readonly epoch: number;
  /** Voting members, in byte order. */
  readonly members: readonly MemberId[];
  /** Members that get every block but are not counted, in byte order. */
  readonly learners: readonly MemberId[];
  /** Members that may become center, the preferred one first. */
  readonly eligible: readonly MemberId[];
  readonly profile: Profile;
}

/** Most members and learners of a ledger together. */
export const maxMembers = 32;

/**
 * Checks a configuration on its own.
 * @throws WaymarkError configuration-invalid
 */
export function checkConfiguration(configuration: Configuration): void {
  const { epoch, members, learners, eligible, profile } = configuration;
  const all = [...members, ...learners];
  if (!Number.isSafeInteger(epoch) || epoch < 1) refuse('epoch');
  if (members.length === 0 || all.length > maxMembers) refuse('members');
  if (new Set(all).size !== all.length || all.includes('')) refuse('members');
  if (eligible.length === 0 || new Set(eligible).size !== eligible.length) refuse('eligible');
  if (!eligible.every((member) => members.includes(member))) refuse('eligible');
  if (profile.center === 'trusted') return;
  const { colluding } = profile;
  if (!Number.isSafeInteger(colluding) || colluding < 0) refuse('profile');
  // q = floor((D + t) / 2) + 1 must be reachable without those in league: q <= D - t.
  const departments = members.length - 1;
  if (Math.floor((departments + colluding) / 2) + 1 > departments - colluding) refuse('profile');
}

function refuse(place: string): never {
  throw new WaymarkError('configuration-invalid', `The ledger's configuration is not possible: ${place}.`, {
    details: { place },
  });
}

/** What a configuration is hashed as. */
export function configurationStatement(configuration: Configuration): Statement {
  const { epoch, members, learners, eligible, profile } = configuration;
  return [
    'waymark/rsl/configuration/v1',
    epoch,
    members,
    learners,
    eligible,
    profile.center,
    profile.center === 'lying' ? profile.colluding : null,
  ];
}
