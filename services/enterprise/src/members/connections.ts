import { isDeepStrictEqual } from 'node:util';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type InTurn, inTurn } from '@waymark/transport';
import { connectMember, type MemberClient } from './member-client.ts';
import type { MemberCenter } from './members-file.ts';
import type { Members } from './members.ts';

const firstRetryMs = 200;
const longestRetryMs = 10_000;

/** How a call to another center went the last time. */
export interface Reachability {
  readonly mspId: string;
  /** Undefined before the first call. */
  readonly reachable: boolean | undefined;
  /** Code of the last failure, while it is not reachable. */
  readonly code: string | undefined;
}

/** Who may answer a call. */
export interface UseOptions {
  /** Only the center that is named first: what it holds itself is asked for. Default: its standbys as well, when it does not answer. */
  readonly onlyCenter?: boolean;
}

/** Connections to the centers of the other organisations; one that does not answer is let alone for a while, longer each time. */
export interface Connections {
  /** Organisations whose center's address is known. */
  organisations(): readonly string[];
  /** 0 when the center may be called now; otherwise how long it is let alone. */
  waitMs(mspId: string): number;
  /**
   * Calls a center; `work` is called again for its standby when it does not answer.
   * @throws WaymarkError unavailable: there is none, none answers, or they are let alone; whatever `work` throws
   */
  use<T>(mspId: string, work: (client: MemberClient) => Promise<T>, options?: UseOptions): Promise<T>;
  reachability(): readonly Reachability[];
  close(): void;
}

interface Connection {
  /** The center's first. */
  readonly clients: readonly MemberClient[];
  readonly turns: InTurn<MemberClient>;
  readonly center: MemberCenter;
  failures: number;
  notBeforeMs: number;
  reachable: boolean | undefined;
  code: string | undefined;
}

/** Keeps one connection for each member that has a center. */
export function createConnections(parts: {
  readonly members: Members;
  readonly identity: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly nowMs: () => number;
  /** Default: over HTTPS. */
  readonly connect?: typeof connectMember;
}): Connections {
  const { members, nowMs, connect = connectMember } = parts;
  const connections = new Map<string, Connection>();

  const drop = (mspId: string): void => {
    for (const client of connections.get(mspId)?.clients ?? []) client.close();
    connections.delete(mspId);
  };
  const sync = (): void => {
    const known = new Map(members.current().map(({ mspId, center }) => [mspId, center]));
    for (const [mspId, { center }] of [...connections]) {
      const now = known.get(mspId);
      if (!isDeepStrictEqual(now, center)) drop(mspId);
    }
    for (const [mspId, center] of known) {
      if (center === undefined || connections.has(mspId)) continue;
      const clients = [center, ...center.standbys].map((place) => connect(place, parts.identity));
      connections.set(mspId, { clients, turns: inTurn(clients), center, failures: 0, notBeforeMs: 0, reachable: undefined, code: undefined }); // prettier-ignore
    }
  };
  let closed = false;
  sync();
  members.onChange(() => {
    if (!closed) sync();
  });

  return {
    organisations: () => [...connections.keys()],
    waitMs: (mspId) => Math.max(0, (connections.get(mspId)?.notBeforeMs ?? 0) - nowMs()),
    async use(mspId, work, { onlyCenter = false } = {}) {
      const connection = connections.get(mspId);
      // A center that does not answer is no reason to let its standby alone.
      const besideStandbys = onlyCenter && (connection?.clients.length ?? 0) > 1;
      if (connection === undefined || (connection.notBeforeMs > nowMs() && !besideStandbys)) {
        throw new WaymarkError('unavailable', 'The center of the other organisation cannot be called now.', {
          details: { reason: 'away', mspId },
        });
      }
      try {
        const result = onlyCenter
          ? await work(connection.clients[0] as MemberClient)
          : await connection.turns.ask(work, isAway);
        Object.assign(connection, { failures: 0, notBeforeMs: 0, reachable: true, code: undefined });
        return result;
      } catch (error) {
        if (besideStandbys) throw error;
        if (isAway(error)) {
          connection.notBeforeMs =
            nowMs() + Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(connection.failures, 10));
          connection.failures += 1;
          Object.assign(connection, { reachable: false, code: error.code });
        } else Object.assign(connection, { failures: 0, reachable: true, code: undefined });
        throw error;
      }
    },
    reachability: () => [...connections].map(([mspId, { reachable, code }]) => ({ mspId, reachable, code })),
    close() {
      closed = true;
      for (const mspId of [...connections.keys()]) drop(mspId);
    },
  };
}

/** Whether the center itself is not to be had; a block that it does not have says nothing about it. */
export function isAway(error: unknown): error is WaymarkError {
  if (!isWaymarkError(error)) return false;
  if (error.code === 'unavailable') return error.details['reason'] !== 'missing';
  // It answers, and not yet, or no longer, to this center: registrations and members files arrive one after another.
  return error.code === 'certificate-untrusted' || error.code === 'certificate-revoked' || error.code === 'role-not-permitted'; // prettier-ignore
}
