import type { LedgerConsortium } from './ledger-firm.ts';

/** How many submissions a member has looked at before it acknowledged their block, by what came of it. */
export async function looksOf(
  { running, firm }: LedgerConsortium,
  member: string,
  outcome: 'absent' | 'malformed' | 'read' | 'unreachable',
): Promise<number> {
  const { operationsPort } = running.consortium.ports.services[`${firm.organisation.domain}-${member}`] ?? {
    operationsPort: 0,
  };
  const answer = await fetch(`http://127.0.0.1:${String(operationsPort)}/metrics`);
  const line = new RegExp(`^waymark_ledger_envelope_samples_total\\{.*outcome="${outcome}".*\\} (\\d+)$`, 'm');
  return Number(line.exec(await answer.text())?.[1] ?? 0);
}
