import type { Configuration } from '@waymark/rsl';
import { ledgerName } from '@waymark/protocol';
import { benchMspId, type IdentityFiles } from '../identities.ts';

/** What a member process is told, as JSON in a file. */
export interface MemberPlan {
  readonly id: string;
  readonly folder: string;
  readonly port: number;
  readonly configuration: Configuration;
  readonly members: readonly {
    readonly id: string;
    readonly endpoint: string;
    readonly identity: IdentityFiles;
  }[];
  /** Shared by the members, as the nodes of a firm share it: 32 bytes, hex. */
  readonly indexRoot: string;
}

export const benchChannel = 'bench';
export const benchLedger = ledgerName(benchMspId, benchChannel);
/** Hands in records; is no member. */
export const outletName = 'outlet';
/** One heartbeat a tick, elections after ten or more: rare enough that members that wait for their turn cost the others nothing to speak of. */
export const tickMs = 500;
export const electionTicks = 10;

/** The two ways to trust a center (docs/rsl.md). The first member is center. */
export const profiles = {
  trusted: { members: ['center', 'depot', 'quay'], profile: { center: 'trusted' } },
  lying: { members: ['center', 'depot', 'quay', 'yard'], profile: { center: 'lying', colluding: 0 } },
} as const;

export type ProfileName = keyof typeof profiles;

export function configurationOf(name: ProfileName): Configuration {
  const { members, profile } = profiles[name];
  return { epoch: 1, members: members.toSorted(), learners: [], eligible: members.slice(0, 1), profile };
}
