import { setTimeout as delay } from 'node:timers/promises';
import { connect, loadProfile } from '@waymark/sdk';
import { z } from 'zod';
import type { Consortium, RunningService } from '../consortium.ts';
import { ledgerConfiguration, ledgerMembers } from '../private-ledger.ts';
import type { TopologyOrganisation } from '../topology.ts';

const answerWithinMs = 3_000;

/** A member of a private ledger as it is now. */
export interface LedgerMemberStatus {
  readonly id: string;
  /** The one in office, who may take its place, or neither. */
  readonly role: 'center' | 'standby' | 'department';
  /** Null when neither it nor the center says. */
  readonly height: number | null;
  /** Blocks that it is behind the ledger. */
  readonly lag: number | null;
}

/** An organisation's private ledger as it is now. */
export interface LedgerStatus {
  readonly mspId: string;
  /** The member in office; null while nobody is. */
  readonly center: string | null;
  /** These are null when no member answers. */
  readonly term: number | null;
  readonly height: number | null;
  readonly confirmed: number | null;
  /** Height up to which the channel has it. */
  readonly anchored: number | null;
  readonly members: readonly LedgerMemberStatus[];
}

const count = z.int().min(0);
const memberView = z.object({
  member: z.string(),
  center: z.string().nullable(),
  term: count,
  height: count,
  confirmed: count,
  anchored: count,
  members: z.array(z.object({ id: z.string(), height: count.nullable() })).default([]),
});

/** What a member says of its ledger in `GET /v1/status` under `ledger`. */
export type MemberView = z.infer<typeof memberView>;

/** The private ledgers of those organisations that have one, as all their members say. */
export async function ledgerStatus(consortium: Consortium): Promise<LedgerStatus[]> {
  const { topology } = consortium;
  const owners = topology.organisations.filter(
    (organisation) => ledgerConfiguration(topology, organisation) !== undefined,
  );
  return Promise.all(
    owners.map(async (organisation) => {
      const members = ledgerMembers(topology, organisation).map(({ node }) => node);
      const eligible = ledgerConfiguration(topology, organisation)?.eligible ?? [];
      const services = consortium.services.filter(
        (service) => service.organisation.mspId === organisation.mspId && members.includes(service.node),
      );
      const views = await Promise.all(services.map((service) => askMember(consortium, service)));
      const known = views.filter((view) => view !== undefined);
      return joinViews(organisation, { members, eligible }, known);
    }),
  );
}

/**
 * One picture of what the members say: the ledger as the member in office of the highest term has it, each height as the member itself says.
 *
 * @param planned what the topology says, for while nobody answers
 */
export function joinViews(
  { mspId }: Pick<TopologyOrganisation, 'mspId'>,
  planned: { readonly members: readonly string[]; readonly eligible: readonly string[] },
  views: readonly MemberView[],
): LedgerStatus {
  const isInOffice = ({ member, center }: MemberView): boolean => member === center;
  const [view] = views.toSorted(
    (a, b) => b.term - a.term || Number(isInOffice(b)) - Number(isInOffice(a)) || b.height - a.height,
  );
  const ids = view !== undefined && view.members.length > 0 ? view.members.map(({ id }) => id) : planned.members;
  const center = view?.center ?? null;
  const height = view === undefined ? null : Math.max(...views.map((other) => other.confirmed), view.height);
  return {
    mspId,
    center,
    term: view?.term ?? null,
    height,
    confirmed: view === undefined ? null : Math.max(...views.map(({ confirmed }) => confirmed)),
    anchored: view === undefined ? null : Math.max(...views.map(({ anchored }) => anchored)),
    members: ids.map((id) => {
      const own = views.find(({ member }) => member === id)?.height;
      const said = own ?? view?.members.find((member) => member.id === id)?.height ?? null;
      return {
        id,
        role: id === center ? 'center' : planned.eligible.includes(id) ? 'standby' : 'department',
        height: said,
        lag: said === null || height === null ? null : Math.max(0, height - said),
      };
    }),
  };
}

/** Undefined when it does not answer: that is what this is there to show. */
async function askMember(
  { layout }: Consortium,
  { organisation, apiUrl }: RunningService,
): Promise<MemberView | undefined> {
  const profile = loadProfile(layout.node(organisation, 'client').profile);
  const { api } = profile;
  if (api === undefined) return undefined;
  const client = connect({ ...profile, api: { ...api, url: apiUrl } });
  const late = new AbortController();
  try {
    const waited = delay(answerWithinMs, undefined, { signal: late.signal, ref: false });
    const answer = await Promise.race([client.status(), waited]);
    const { data } = memberView.safeParse(answer?.['ledger']);
    return data;
  } catch {
    return undefined;
  } finally {
    late.abort();
    await client.close();
  }
}
