import type { PrivateLedger } from '@waymark/private-ledger';
import type { JsonObject } from '@waymark/query-api';

const maxAlertsTold = 100;

/** How the ledger stands, as this member knows it: what `/v1/status` says, and what an operator needs besides. */
export function ledgerStatus(privateLedger: Pick<PrivateLedger, 'status' | 'member' | 'alerts' | 'chain'>): JsonObject {
  const { member, alerts, chain } = privateLedger;
  const { configuration, pendingConfiguration, progress, height, handingOverTo } = member.status();
  const entries = alerts.entries();
  return {
    ...privateLedger.status(),
    eligible: [...configuration.eligible],
    learners: configuration.learners.map((id) => {
      const known = progress.find((entry) => entry.member === id);
      return {
        id,
        height: known?.match ?? null,
        lag: known === undefined ? null : Math.max(0, height - known.match),
      };
    }),
    pendingEpoch: pendingConfiguration?.epoch ?? null,
    handingOverTo,
    missingBlocks: chain.missing().reduce((total, { first, last }) => total + last - first + 1, 0),
    alerts: entries.length,
    alertList: entries.slice(-maxAlertsTold).map(({ kind, height: at, file, report }) => ({
      kind,
      height: at,
      file,
      report,
    })),
  };
}
