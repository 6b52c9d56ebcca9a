import type { Statements, Row } from '../storage/statements.ts';
import {
  anchorSchema,
  ledgerCertificateSchema,
  ledgerConfigurationSchema,
  ledgerHeadSchema,
  privateLedgerSchema,
  reportSchema,
  type AnchorFacts,
  type CommittedAnchor,
  type CommittedReport,
  type LedgerCertificateFacts,
  type LedgerConfigurationFacts,
  type LedgerHeadFacts,
  type LedgerReportFacts,
  type PrivateLedgerFacts,
} from './ledger-facts.ts';
import type { Change } from './projection.ts';
import { factsIn, integerOf } from './rows.ts';

/** A change that is about a private ledger. */
type LedgerChange = Exclude<Change, { readonly kind: 'evidence' | 'organisation' | 'node' }>;

/** What the replica knows of private ledgers. */
export type LedgerStore = ReturnType<typeof createLedgerStore>;

/** SQL of the replica's part on private ledgers. Rows may have been altered by another process: they are checked for form. */
export function createLedgerStore({ run, one, all }: Pick<Statements, 'run' | 'one' | 'all'>) {
  return {
    /** Enters a change; part of the block's transaction. */
    apply(change: LedgerChange, blockNumber: bigint): void {
      switch (change.kind) {
        case 'ledger': {
          run(
            `INSERT INTO private_ledger (msp, value) VALUES (?, ?)
             ON CONFLICT (msp) DO UPDATE SET value = excluded.value`,
            change.ledger.msp,
            JSON.stringify(change.ledger),
          );
          return;
        }
        case 'ledger-head': {
          run(
            `INSERT INTO private_ledger (msp, value, head) VALUES (?, '', ?)
             ON CONFLICT (msp) DO UPDATE SET head = excluded.head`,
            change.head.msp,
            JSON.stringify(change.head),
          );
          return;
        }
        case 'ledger-configuration': {
          const { msp, epoch } = change.configuration;
          const value = JSON.stringify(change.configuration);
          run('INSERT INTO ledger_configuration VALUES (?, ?, ?) ON CONFLICT DO NOTHING', msp, epoch, value);
          return;
        }
        case 'ledger-certificate': {
          const { digest } = change.certificate;
          const value = JSON.stringify(change.certificate);
          run('INSERT INTO ledger_certificate VALUES (?, ?, ?) ON CONFLICT DO NOTHING', change.msp, digest, value);
          return;
        }
        case 'anchor': {
          // Written once on the channel; the first one stays, whatever comes later.
          const { msp, last } = change.anchor;
          const value = JSON.stringify(change.anchor);
          run('INSERT INTO anchor VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', msp, last, value, blockNumber);
          return;
        }
        case 'ledger-report': {
          const { msp, id } = change.report;
          run(
            'INSERT INTO ledger_report (msp, id, value, block_number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
            msp,
            id,
            JSON.stringify(change.report),
            blockNumber,
          );
          return;
        }
      }
    },

    privateLedger(msp: string): PrivateLedgerFacts | undefined {
      const row = one("SELECT value FROM private_ledger WHERE msp = ? AND value <> ''", msp);
      return row === undefined ? undefined : factsIn(row, 'value', privateLedgerSchema.omit({ v: true }));
    },

    head(msp: string): LedgerHeadFacts | undefined {
      const row = one('SELECT head FROM private_ledger WHERE msp = ? AND head IS NOT NULL', msp);
      return row === undefined ? undefined : factsIn(row, 'head', ledgerHeadSchema.omit({ v: true }));
    },

    configuration(msp: string, epoch: number): LedgerConfigurationFacts | undefined {
      const row = one('SELECT value FROM ledger_configuration WHERE msp = ? AND epoch = ?', msp, epoch);
      return row === undefined ? undefined : factsIn(row, 'value', ledgerConfigurationSchema.omit({ v: true }));
    },

    certificates(msp: string, limit: number): LedgerCertificateFacts[] {
      return all('SELECT value FROM ledger_certificate WHERE msp = ? ORDER BY digest LIMIT ?', msp, limit).map((row) =>
        factsIn(row, 'value', ledgerCertificateSchema.omit({ v: true })),
      );
    },

    anchors(msp: string, fromHeight: number, limit: number): CommittedAnchor[] {
      return all(
        'SELECT value, block_number FROM anchor WHERE msp = ? AND last >= ? ORDER BY last LIMIT ?',
        msp,
        fromHeight,
        limit,
      ).map(anchorOf);
    },

    reports(msp: string, limit: number): CommittedReport[] {
      return all(
        'SELECT value, block_number FROM ledger_report WHERE msp = ? ORDER BY num DESC LIMIT ?',
        msp,
        limit,
      ).map((row) => ({ ...reportFacts(row), blockNumber: integerOf(row, 'block_number') }));
    },
  };
}

function anchorOf(row: Row): CommittedAnchor {
  const facts: AnchorFacts = factsIn(row, 'value', anchorSchema.omit({ v: true }));
  return { ...facts, blockNumber: integerOf(row, 'block_number') };
}

function reportFacts(row: Row): LedgerReportFacts {
  return factsIn(row, 'value', reportSchema.omit({ v: true }));
}
