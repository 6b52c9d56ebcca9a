import { isSettled, type LedgerConsortium, type MemberView, untilViews } from './ledger-firm.ts';

/** Whom all of them follow; undefined while they do not agree. */
export function officeOf(views: ReadonlyMap<string, MemberView>): string | undefined {
  const centers = new Set([...views.values()].map(({ center }) => center));
  const [center] = centers;
  return centers.size === 1 && center !== null ? center : undefined;
}

/** Waits until one center is in office that all of `members` follow; with `wanted` that one. @returns who it is */
export async function untilOffice(
  ledger: LedgerConsortium,
  { members = ledger.members, wanted }: { members?: readonly string[]; wanted?: string } = {},
): Promise<string> {
  const isSo = (views: ReadonlyMap<string, MemberView>): boolean => {
    const center = officeOf(views);
    return views.size === members.length && center !== undefined && (wanted === undefined || wanted === center);
  };
  const what = wanted === undefined ? 'one center in office that all follow' : `${wanted} to be in office`;
  return officeOf(await untilViews(ledger, what, isSo, { members })) ?? '';
}

/** Waits until all members have everything, confirmed and anchored. */
export function untilSettled(
  ledger: LedgerConsortium,
  members: readonly string[] = ledger.members,
): Promise<ReadonlyMap<string, MemberView>> {
  return untilViews(ledger, 'all members to have everything', isSettled(members), { members });
}

/** The other of the two members that may become center. */
export const standbyOf = (center: string): string => (center === 'center' ? 'standby' : 'center');
