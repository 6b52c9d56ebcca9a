import { WaymarkError } from '@waymark/protocol';
import {
  type CertificateVerifier,
  certificateVerifier,
  type OrganisationVerifier,
  type RevocationListFacts,
} from '@waymark/vault';
import { readTextFile } from '../configuration/files.ts';
import { watchFiles } from '../lifecycle/watch-files.ts';
import type { Component } from '../lifecycle/component.ts';
import type { Logger } from '../log/logger.ts';

const overdueCheckMs = 60_000;

/** Where an organisation's trust lies on disk. */
export interface OrganisationTrustOptions {
  readonly mspId: string;
  readonly rootFiles: readonly string[];
  readonly intermediateFiles: readonly string[];
  /** Revocation lists, PEM. They are read again when they change; the CAs are not. */
  readonly crlFiles: readonly string[];
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** How often the files are looked at. Default 500. */
  readonly pollMs?: number;
}

/** What a service trusts of its organisation, with the revocation lists of now. */
export interface OrganisationTrust extends Component {
  /** Goes by the newest lists that were usable, whenever it is asked. */
  readonly verifier: CertificateVerifier;
  readonly revocationLists: readonly RevocationListFacts[];
  /** Called when other lists have taken effect. */
  onChange(listener: () => void): void;
  /** Looks at the files now. */
  check(): Promise<void>;
}

/**
 * Reads an organisation's CAs and revocation lists and follows the lists. One that is malformed, not signed by a CA of the
 * organisation, missing or older than the one in force is logged and not taken: what was revoked stays revoked. One whose next
 * update is overdue counts, and is logged.
 * @throws WaymarkError configuration-invalid when a file is missing or not usable at the start
 */
export function openOrganisationTrust(options: OrganisationTrustOptions): OrganisationTrust {
  const { mspId, crlFiles, logger, nowMs } = options;
  const listeners = new Set<() => void>();
  const overdueKnown = new Set<string>();
  const rootsPem = options.rootFiles.map(readTextFile);
  const intermediatesPem = options.intermediateFiles.map(readTextFile);
  let timer: NodeJS.Timeout | undefined;

  const read = (): OrganisationVerifier =>
    certificateVerifier({ rootsPem, intermediatesPem, crlsPem: crlFiles.map(readTextFile) });
  const watch = watchFiles({
    name: 'revocation-lists',
    files: () => crlFiles,
    onChange() {
      const next = read();
      requireNewer(current.revocationLists, next.revocationLists);
      current = next;
      const count = next.revocationLists.reduce((total, list) => total + list.count, 0);
      logger.info('revocation lists taken over', { mspId, count });
      reportOverdue();
      for (const listener of listeners) listener();
    },
    onError: (error) => logger.error('revocation lists not usable, those before stay in force', { mspId, error }),
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
  });
  let current = read();

  function reportOverdue(): void {
    for (const { issuer, issuerKey, nextUpdateMs, thisUpdateMs } of current.revocationLists) {
      const name = `${issuerKey}/${String(thisUpdateMs)}`;
      if (nextUpdateMs === null || nextUpdateMs > nowMs() || overdueKnown.has(name)) continue;
      overdueKnown.add(name);
      const reason = `a newer list of ${issuer.replaceAll('\n', ', ')} was due ${new Date(nextUpdateMs).toISOString()}`;
      logger.warn('a revocation list is out of date', { mspId, reason });
    }
  }

  return {
    name: watch.name,
    async start() {
      reportOverdue();
      timer = setInterval(reportOverdue, overdueCheckMs);
      timer.unref();
      await watch.start();
    },
    async stop() {
      clearInterval(timer);
      await watch.stop();
    },
    verifier: { verify: (der, demands) => current.verify(der, demands) },
    get revocationLists() {
      return current.revocationLists;
    },
    onChange: (listener) => void listeners.add(listener),
    check: () => watch.check(),
  };
}

/** Every CA that had a list has one that is not older. Numbers count where the CA gives them, else the time of the list. */
function requireNewer(before: readonly RevocationListFacts[], after: readonly RevocationListFacts[]): void {
  for (const { issuer, issuerKey } of before) {
    const known = newestOf(before, issuerKey);
    const next = newestOf(after, issuerKey);
    if (next !== undefined && known !== undefined && !isOlder(next, known)) continue;
    const fault = next === undefined ? 'is missing' : 'is older than the one in force';
    throw new WaymarkError('configuration-invalid', `The revocation list of a CA ${fault}.`, {
      details: { issuer: issuer.replaceAll('\n', ', ') },
    });
  }
}

function newestOf(lists: readonly RevocationListFacts[], issuerKey: string): RevocationListFacts | undefined {
  return lists
    .filter((list) => list.issuerKey === issuerKey)
    .reduce<RevocationListFacts | undefined>(
      (newest, list) => (newest === undefined || isOlder(newest, list) ? list : newest),
      undefined,
    );
}

function isOlder(a: RevocationListFacts, b: RevocationListFacts): boolean {
  if (a.number !== null && b.number !== null) return a.number < b.number;
  return a.thisUpdateMs < b.thisUpdateMs;
}
