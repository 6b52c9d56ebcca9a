import { setTimeout as delay } from 'node:timers/promises';
import { readTopology, type RunningService } from '@waymark/network';
import { restClient } from '../rest-client.ts';
import { loadFirstConfiguration } from '@waymark/private-ledger';
import {
  type Firm,
  runConsortium,
  type RunningConsortium,
  type RunOptions,
  shippedTopology,
} from '../running-consortium.ts';

/** What a member of a private ledger says of itself under `ledger` in `GET /v1/status`. */
export interface MemberView {
  readonly member: string;
  readonly role: string;
  readonly center: string | null;
  readonly term: number;
  readonly height: number;
  readonly confirmed: number;
  readonly applied: number;
  readonly anchored: number;
  readonly isCleared: boolean;
  readonly isBarred: boolean;
  readonly fault: string | null;
  readonly alerts: number;
  readonly mismatches: number;
}

/** A consortium whose first firm keeps a private ledger with four members; the others keep none. */
export interface LedgerConsortium {
  readonly running: RunningConsortium;
  readonly firm: Firm;
  /** Before the first block was made. */
  readonly startedAtMs: number;
  /** Ids of the members, which are names of nodes, the first center first. */
  readonly members: readonly string[];
  /** The member's process as it runs now. */
  service(member: string): RunningService;
  /** What a member says of itself; undefined when it does not answer in time. */
  view(member: string, withinMs?: number): Promise<MemberView | undefined>;
  /** Sends SIGKILL and waits until the process is gone. */
  kill(member: string): Promise<void>;
  restart(member: string): Promise<void>;
}

const answerWithinMs = 3_000;

/**
 * Starts the shipped topology on devnet, with a private ledger of four members at its first firm.
 * @param departments more outlets of that firm, in order: those that the four have room for are members from the start
 */
export async function runLedgerConsortium({
  departments = [],
  ...options
}: Omit<RunOptions, 'topology'> & { readonly departments?: readonly string[] } = {}): Promise<LedgerConsortium> {
  const shipped = await readTopology(shippedTopology);
  const topology = {
    ...shipped,
    organisations: shipped.organisations.map((organisation, index) => ({
      ...organisation,
      ...(index === 0
        ? { outlets: [...organisation.outlets, ...departments.map((name) => ({ name, peer: false }))] }
        : {}),
      privateLedger: index === 0 ? ({ members: 4, profile: 'lying', colluding: 0 } as const) : ('none' as const),
    })),
  };
  const startedAtMs = Date.now();
  const running = await runConsortium({ ...options, topology });
  const { consortium, firms } = running;
  const [firm] = firms;
  const isOwn = ({ organisation }: RunningService): boolean => organisation.mspId === firm.mspId;
  const configuration = loadFirstConfiguration(
    consortium.layout.node(firm.organisation, firm.outletName).ledger.configuration,
  );
  const members = consortium.services
    .filter((item) => isOwn(item) && configuration.members.includes(item.node))
    .map(({ node }) => node);
  const service = (member: string): RunningService => {
    const found = consortium.services.find((item) => isOwn(item) && item.node === member);
    if (found === undefined) throw new Error(`no member ${member}`);
    return found;
  };
  const identity = await firm.identity('client');
  return {
    running,
    firm,
    startedAtMs,
    members,
    service,
    async view(member, withinMs = answerWithinMs) {
      const call = restClient(firm, Number(new URL(service(member).apiUrl).port), identity);
      const late = new AbortController();
      try {
        const waited = delay(withinMs, undefined, { signal: late.signal, ref: false });
        const answer = await Promise.race([call('GET', '/v1/status'), waited]);
        return answer?.body?.['ledger'] as MemberView | undefined;
      } catch {
        return undefined;
      } finally {
        late.abort();
      }
    },
    async kill(member) {
      const { process } = service(member);
      process.kill('SIGKILL');
      await process.exited;
    },
    restart: (member) => consortium.restart(service(member).process.name),
  };
}

const pollMs = 100;

/**
 * Asks the members again and again until what they say is as wanted.
 * @throws Error that names what was waited for and what they said last
 */
export async function untilViews(
  ledger: LedgerConsortium,
  what: string,
  isSo: (views: ReadonlyMap<string, MemberView>) => boolean,
  { members = ledger.members, timeoutMs = 60_000 }: { members?: readonly string[]; timeoutMs?: number } = {},
): Promise<ReadonlyMap<string, MemberView>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const asked = await Promise.all(members.map(async (member) => [member, await ledger.view(member)] as const));
    const views = new Map(asked.flatMap(([member, view]) => (view === undefined ? [] : [[member, view]])));
    if (isSo(views)) return views;
    if (Date.now() > deadline)
      throw new Error(`waited ${String(timeoutMs)} ms for ${what}; last: ${JSON.stringify([...views])}`);
    await delay(pollMs);
  }
}

/** All members answer, follow one center that holds office, and have confirmed and anchored everything. */
export function isSettled(members: readonly string[]): (views: ReadonlyMap<string, MemberView>) => boolean {
  return (views) => {
    const all = [...views.values()];
    const [first] = all;
    if (first?.center === null || first === undefined || all.length !== members.length) return false;
    return all.every(
      ({ center, confirmed, applied, anchored }) =>
        center === first.center && confirmed === first.confirmed && applied === confirmed && anchored === confirmed,
    );
  };
}
