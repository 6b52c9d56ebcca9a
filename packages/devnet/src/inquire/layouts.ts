import type { msp } from '@hyperledger/fabric-protos';
import { keyOf } from './comparable-principal.ts';
import type { PrincipalSet } from './principal-sets.ts';

/** How many endorsements of which group satisfy the policies. */
export type Layout = ReadonlyMap<string, number>;

/** All ways to have a transaction endorsed. */
export interface EndorsementDescriptor<P> {
  readonly layouts: readonly Layout[];
  /** The peers of each group. A group is a principal under another name: a peer is in the group of each that it satisfies. */
  readonly endorsersByGroup: ReadonlyMap<string, readonly P[]>;
}

/** What is known of the peers of a channel. */
export interface KnownPeers<P> {
  readonly peers: readonly P[];
  readonly satisfies: (peer: P, principal: msp.MSPPrincipal) => boolean;
  /** Whether the peer has all chaincodes of the transaction. */
  readonly hasChaincodes: (peer: P) => boolean;
}

/**
 * The principal sets that the peers can fill (Fabric: discovery/endorsement/endorsement.go, computeEndorsementResponse):
 * each principal is counted by itself, so a peer that satisfies two of them is counted for both. Groups are numbered in
 * the order in which the sets name them. Throws an Error with Fabric's text when no set can be filled.
 */
export function describeEndorsement<P>(
  principalSets: readonly PrincipalSet[],
  { peers, satisfies, hasChaincodes }: KnownPeers<P>,
): EndorsementDescriptor<P> {
  const groups = new Map<string, { readonly name: string; readonly members: readonly P[] }>();
  for (const principal of principalSets.flat()) {
    const key = keyOf(principal);
    if (groups.has(key)) continue;
    groups.set(key, { name: `G${groups.size}`, members: peers.filter((peer) => satisfies(peer, principal)) });
  }
  const members = new Map([...groups.values()].map((group) => [group.name, group.members]));
  const layouts = principalSets
    .map((set) => toLayout(set.map((principal) => groups.get(keyOf(principal))?.name ?? '')))
    .filter((layout) => canBeFilled(layout, members));
  if (layouts.length === 0) throw new Error('no peer combination can satisfy the endorsement policy');
  const named = new Set(layouts.flatMap((layout) => [...layout.keys()]));
  const endorsersByGroup = new Map(
    [...members]
      .filter(([name]) => named.has(name))
      .map(([name, all]) => [name, all.filter(hasChaincodes)] as const)
      .filter(([, endorsers]) => endorsers.length > 0),
  );
  const filled = layouts.filter((layout) => canBeFilled(layout, endorsersByGroup));
  if (filled.length === 0) throw new Error('required chaincodes are not installed on sufficient peers');
  return { layouts: filled, endorsersByGroup };
}

function toLayout(names: readonly string[]): Layout {
  const layout = new Map<string, number>();
  for (const name of names) layout.set(name, (layout.get(name) ?? 0) + 1);
  return layout;
}

function canBeFilled(layout: Layout, members: ReadonlyMap<string, readonly unknown[]>): boolean {
  return [...layout].every(([name, quantity]) => (members.get(name)?.length ?? 0) >= quantity);
}
