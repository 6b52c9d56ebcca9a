import { checkConfiguration, type Configuration } from '@waymark/rsl';
import { isWaymarkError } from '@waymark/protocol';
import type { PrivateLedgerSection } from './private-ledger-section.ts';

/** What a member of a private ledger runs as. */
export type MemberRole = 'center' | 'standby' | 'outlet' | 'verifier';

/** A member of a private ledger: its id is the node's enrolment id. */
export interface LedgerMember {
  readonly node: string;
  readonly role: MemberRole;
}

/** The node that stands in for a center. */
export const standbyNode = 'standby';

/** The first of the departments that only verify; more are numbered. */
const verifierNames = ['audit-office', 'archive'];

/** A topology as far as private ledgers go. */
interface Ledgers {
  readonly privateLedger: PrivateLedgerSection;
}
/** An organisation as far as its private ledger goes. */
interface Owner {
  readonly privateLedger?: PrivateLedgerSection | undefined;
  readonly outlets: readonly { readonly name: string }[];
  readonly leaderPeer: string;
}

/** The members of an organisation's private ledger, the center first; none when it has no ledger. */
export function ledgerMembers(topology: Ledgers, organisation: Owner): LedgerMember[] {
  const section = sectionOf(topology, organisation);
  if (section === 'none') return [];
  const outlets = organisation.outlets.map(({ name }): LedgerMember => ({ node: name, role: 'outlet' }));
  const members: LedgerMember[] = [
    { node: 'center', role: 'center' },
    { node: standbyNode, role: 'standby' },
    ...outlets,
  ];
  const taken = new Set([organisation.leaderPeer, ...organisation.outlets.map(({ name }) => name)]);
  for (let index = 0; members.length < section.members; index++) {
    const node = verifierNames[index] ?? `verifier-${index + 1}`;
    if (!taken.has(node)) members.push({ node, role: 'verifier' });
  }
  return members.slice(0, section.members);
}

/** The first configuration of an organisation's private ledger; undefined when it has none. */
export function ledgerConfiguration(topology: Ledgers, organisation: Owner): Configuration | undefined {
  const section = sectionOf(topology, organisation);
  if (section === 'none') return undefined;
  const members = ledgerMembers(topology, organisation);
  return {
    epoch: 1,
    // Names are ASCII: this is their byte order.
    members: members.map(({ node }) => node).sort(),
    learners: [],
    eligible: members.filter(({ role }) => role === 'center' || role === 'standby').map(({ node }) => node),
    profile: section.profile === 'trusted' ? { center: 'trusted' } : { center: 'lying', colluding: section.colluding },
  };
}

/** Why an organisation cannot have the ledger that a topology gives it; undefined when it can. */
export function privateLedgerProblem(topology: Ledgers, organisation: Owner): string | undefined {
  const section = sectionOf(topology, organisation);
  if (section === 'none') return undefined;
  if ([organisation.leaderPeer, ...organisation.outlets.map(({ name }) => name)].includes(standbyNode))
    return `${standbyNode} is the name of who stands in for the center`;
  if (section.profile === 'trusted' && section.colluding > 0) return 'nobody is in league with a trusted center';
  const configuration = ledgerConfiguration(topology, organisation);
  try {
    if (configuration !== undefined) checkConfiguration(configuration);
    return undefined;
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    return `${section.colluding} of ${section.members - 1} departments in league with the center leave no quorum`;
  }
}

function sectionOf(topology: Ledgers, organisation: Owner): PrivateLedgerSection {
  return organisation.privateLedger ?? topology.privateLedger;
}
