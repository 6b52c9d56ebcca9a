import { createHash } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { canonicalJson } from '../json/canonical.ts';
import type { Ledger } from '../state/ledger.ts';
import {
  approvalKey,
  membersKey,
  organisationKey,
  proposalKey,
  type ChangeProposal,
  type Membership,
  type Proposal,
} from './model.ts';

/** Where a proposal stands. */
export interface ProposalState {
  readonly v: 1;
  readonly hash: string;
  readonly state: 'open' | 'applied' | 'dead';
  readonly approvals: readonly string[];
  /** How many approvals it takes in all. */
  readonly needed: number;
  /** Whether this call changed nothing. */
  readonly repeated: boolean;
}

/** What approvals bind: SHA-256 over the proposal's canonical JSON, lower-case hex. */
export function proposalHash(proposal: Proposal): string {
  return createHash('sha256').update(canonicalJson(proposal)).digest('hex');
}

/** Approvals that decide: all listed organisations found, a majority of the admitted ones changes. */
function quorumOf(proposal: Proposal): { readonly voters: readonly string[]; readonly needed: number } {
  if (proposal.type === 'change')
    return { voters: proposal.voters, needed: Math.floor(proposal.voters.length / 2) + 1 };
  const voters = proposal.organisations.map(({ mspId }) => mspId);
  return { voters, needed: voters.length };
}

/** What became of a proposal, judged by the member list. */
async function outcome(ledger: Ledger, hash: string, proposal: Proposal): Promise<ProposalState['state']> {
  const members = await ledger.get(membersKey);
  if (proposal.type === 'founding')
    return members === undefined ? 'open' : members.foundedBy === hash ? 'applied' : 'dead';
  if (members?.epoch === proposal.epoch) return 'open';
  const organisation = await ledger.get(organisationKey(proposal.organisation.mspId));
  return organisation?.by === hash ? 'applied' : 'dead';
}

/**
 * Puts the caller's organisation's approval under its own key and, when that completes the quorum, applies the proposal.
 * Two approvals in one block conflict (each reads the other's key) and the later is simply sent again.
 *
 * @throws `refused` for an unknown hash, `role-not-permitted` for a caller without a vote, `conflict` for a dead proposal
 */
export async function approve(ledger: Ledger, caller: Caller, hash: string): Promise<ProposalState> {
  const proposal = await ledger.get(proposalKey(hash));
  if (proposal === undefined) throw new Refusal('refused', { hash, reason: 'no-such-proposal' });
  const own = approvalKey(hash, caller.mspId);
  if ((await ledger.get(own)) !== undefined) return { ...(await stateOf(ledger, hash, proposal)), repeated: true };
  const state = await outcome(ledger, hash, proposal);
  if (state !== 'open') throw new Refusal('conflict', { hash, reason: `proposal-${state}` });
  const { voters, needed } = quorumOf(proposal);
  if (!voters.includes(caller.mspId))
    throw new Refusal('role-not-permitted', { mspId: caller.mspId, reason: 'no-vote' });
  await ledger.put(own, { v: 1, hash, mspId: caller.mspId, by: caller.enrolmentId });
  const approvals = await approvalsOf(ledger, hash, voters);
  if (approvals.length < needed) return { v: 1, hash, state: 'open', approvals, needed, repeated: false };
  await apply(ledger, hash, proposal);
  return { v: 1, hash, state: 'applied', approvals, needed, repeated: false };
}

/** Where a proposal stands now. */
export async function stateOf(ledger: Ledger, hash: string, proposal: Proposal): Promise<ProposalState> {
  const { voters, needed } = quorumOf(proposal);
  const approvals = await approvalsOf(ledger, hash, voters);
  return { v: 1, hash, state: await outcome(ledger, hash, proposal), approvals, needed, repeated: false };
}

async function approvalsOf(ledger: Ledger, hash: string, voters: readonly string[]): Promise<string[]> {
  const approvals: string[] = [];
  for (const mspId of voters) {
    if ((await ledger.get(approvalKey(hash, mspId))) !== undefined) approvals.push(mspId);
  }
  return approvals;
}

async function apply(ledger: Ledger, hash: string, proposal: Proposal): Promise<void> {
  if (proposal.type === 'founding') {
    for (const organisation of proposal.organisations) {
      await ledger.put(organisationKey(organisation.mspId), { v: 1, ...organisation, by: hash });
    }
    await ledger.put(membersKey, { v: 1, epoch: 1, organisations: proposal.organisations, foundedBy: hash });
    return;
  }
  const members = await ledger.get(membersKey);
  if (members !== undefined) {
    await ledger.put(organisationKey(proposal.organisation.mspId), { v: 1, ...proposal.organisation, by: hash });
    await ledger.put(membersKey, {
      ...members,
      epoch: members.epoch + 1,
      organisations: changed(members.organisations, proposal),
    });
  }
}

function changed(organisations: readonly Membership[], { organisation }: ChangeProposal): readonly Membership[] {
  return sortMemberships([...organisations.filter(({ mspId }) => mspId !== organisation.mspId), organisation]);
}

/**
 * The state of the proposal that gave an organisation its role, when it is the one asked for again and the caller's organisation
 * has approved it: a repeated `propose` whose first answer was lost.
 */
export async function findRepeated(
  ledger: Ledger,
  caller: Caller,
  change: Pick<ChangeProposal, 'kind' | 'organisation'>,
): Promise<ProposalState | undefined> {
  const organisation = await ledger.get(organisationKey(change.organisation.mspId));
  if (organisation === undefined) return undefined;
  const proposal = await ledger.get(proposalKey(organisation.by));
  if (proposal?.type !== 'change' || proposal.kind !== change.kind) return undefined;
  if (canonicalJson(proposal.organisation) !== canonicalJson(change.organisation)) return undefined;
  if ((await ledger.get(approvalKey(organisation.by, caller.mspId))) === undefined) return undefined;
  return { ...(await stateOf(ledger, organisation.by, proposal)), repeated: true };
}

/** Organisations in the order of their MSP ids' code units. */
export function sortMemberships(organisations: readonly Membership[]): readonly Membership[] {
  return [...organisations].sort((a, b) => (a.mspId < b.mspId ? -1 : a.mspId > b.mspId ? 1 : 0));
}
