import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ledgerMembers, serviceName } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';
import { type Alerts, alertsOf } from './alerts.ts';
import { untilLedger } from './failover.ts';
import type { LedgerPlace } from './ledger-place.ts';

/** How a rewritten chain was found out (D12). */
export interface RewriteFigures {
  /** Kind of the alert that the member raised. */
  readonly code: string;
  /** Its file, with what shows it to others. */
  readonly alertFile: string;
}

const foundWithinMs = 60_000;
const pollMs = 100;
const tamperScript = join(import.meta.dirname, '..', '..', 'tamper.ts');

/**
 * Rewrites the firm's chain on the disk of a member that does not hold office, from one block to the end and consistent in itself, starts the member on it,
 * waits until its comparison with the channel's anchors raises an alert, and puts the chain back.
 *
 * @throws WaymarkError unavailable: nobody noticed
 */
export async function rewriteAndWait(place: LedgerPlace, say: (text: string) => void): Promise<RewriteFigures> {
  const { firm } = place;
  const node = memberToRewrite(place, (await untilLedger(place, 'a center is in office', isInOffice)).center);
  const name = serviceName(firm, node);
  const alerts = await alertsOf(place, node);
  const known = new Set(await alerts.list());
  await place.halt(name);
  let found: RewriteFigures;
  try {
    const { height, above } = await tamper(place, node);
    say(`block ${height} is rewritten on the disk of ${name}, ${above} above it linked anew`);
    await place.resume(name);
    found = await untilAlert(alerts, known);
    say(`${name} compares its chain with the channel: ${found.code}`);
  } finally {
    await place.halt(name);
    await tamper(place, node, '--heal');
    await place.resume(name);
  }
  await untilLedger(place, `${node} follows`, ({ members }) => members.find(({ id }) => id === node)?.lag === 0);
  say(`${name} has its chain back and follows`);
  return found;
}

const isInOffice = ({ center }: { readonly center: string | null }): boolean => center !== null;

/** A verifier where there is one: nobody hands anything in there. */
function memberToRewrite({ topology, firm }: LedgerPlace, center: string | null): string {
  const order = ['verifier', 'standby', 'center', 'outlet'];
  const [member] = ledgerMembers(topology, firm)
    .filter(({ node }) => node !== center)
    .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  if (member === undefined) throw new WaymarkError('configuration-invalid', 'The ledger has one member only.');
  return member.node;
}

async function tamper(
  { layout, firm }: LedgerPlace,
  node: string,
  ...more: string[]
): Promise<{ readonly height: number; readonly above: number }> {
  const args = [tamperScript, '--data', layout.root, '--firm', firm.domain, '--ledger', node, ...more];
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', ...args]);
  return JSON.parse(stdout) as { height: number; above: number };
}

async function untilAlert(alerts: Alerts, known: ReadonlySet<string>): Promise<RewriteFigures> {
  for (const deadlineMs = Date.now() + foundWithinMs; ;) {
    const [alertFile] = (await alerts.list()).filter((file) => !known.has(file));
    if (alertFile !== undefined) {
      const { kind } = JSON.parse(await alerts.read(alertFile)) as { readonly kind: string };
      return { code: kind, alertFile };
    }
    if (Date.now() > deadlineMs) throw new WaymarkError('unavailable', 'nobody noticed that a chain was rewritten');
    await delay(pollMs);
  }
}
