import type { MemberStatus } from '@waymark/ledger-member';
import type { LookOutcome } from './audit/envelope-samples.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What an operator watches on a member of a private ledger. */
export interface LedgerMetrics {
  /** From the submission's receipt to its confirmed block, at the center. */
  confirmedAfter(durationMs: number): void;
  rejected(reason: string, count: number): void;
  dropped(count: number): void;
  /** A submission's envelopes were looked at before its block was acknowledged. */
  looked(outcome: LookOutcome): void;
}

export function registerLedgerMetrics(
  registry: Registry,
  source: { readonly status: () => MemberStatus; readonly connected: () => number; readonly anchored: () => number },
): LedgerMetrics {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `waymark_ledger_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('height', 'Last block in the log, sealed or not', () => source.status().height);
  gauge('confirmed_height', 'Last confirmed block', () => source.status().confirmed.height);
  gauge('applied_height', 'Last block that is applied and durable', () => source.status().applied);
  gauge('anchored_height', 'Last block that the channel has an anchor of', () => source.anchored());
  gauge('unanchored_blocks', 'Confirmed blocks without an anchor', () =>
    Math.max(0, source.status().confirmed.height - source.anchored()),
  );
  gauge('term', 'Term of the member', () => source.status().term);
  gauge('in_office', '1 when this member is the center in office', () => (source.status().role === 'center' ? 1 : 0));
  gauge('pending_records', 'Records that are accepted and in no block yet', () => source.status().pendingRecords);
  gauge('connected_members', 'Members that this one can send to', () => source.connected());
  gauge('lag_blocks', 'Blocks that the member furthest behind lacks, at the center', () => {
    const { progress, height } = source.status();
    return Math.max(0, ...progress.map(({ match }) => height - match));
  });
  const confirmed = new Histogram({
    name: 'waymark_ledger_confirmed_seconds',
    help: 'From a receipt to the confirmed block, at the center',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const rejected = new Counter({
    name: 'waymark_ledger_rejected_records_total',
    help: 'Records in confirmed blocks that the audit rejected',
    labelNames: ['reason'],
    registers: [registry],
  });
  const dropped = new Counter({
    name: 'waymark_ledger_dropped_messages_total',
    help: 'Messages to members that found no room, and are said again',
    registers: [registry],
  });
  const looked = new Counter({
    name: 'waymark_ledger_envelope_samples_total',
    help: 'Submissions whose envelopes this member looked at before it acknowledged their block',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return {
    confirmedAfter: (durationMs) => confirmed.observe(durationMs / 1_000),
    rejected: (reason, count) => rejected.inc({ reason }, count),
    dropped: (count) => dropped.inc(count),
    looked: (outcome) => looked.inc({ outcome }),
  };
}
