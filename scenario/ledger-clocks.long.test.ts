import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from './support/ledger/killing.ts';
import { type LedgerConsortium, runLedgerConsortium } from './support/ledger/ledger-firm.ts';
import { judgeLedger } from './support/ledger/ledger-judgement.ts';
import { underLedgerLoad } from './support/ledger/ledger-load.ts';
import { logOf } from './support/ledger/logs.ts';
import { standbyOf, untilOffice, untilSettled } from './support/ledger/office.ts';
import { withPreload } from './support/ledger/restarting.ts';
import type { Acknowledged } from './support/load.ts';

let ledger: LedgerConsortium;
let folder: string;
/** By event id: what was acknowledged. */
const acknowledged = new Map<string, Acknowledged>();
const yearMs = 365 * 86_400_000;
const pollMs = 50;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-clocks-'));
  ledger = await withPreload('skewed-clock.ts', { folder }, () => runLedgerConsortium());
}, 120_000);
afterAll(async () => {
  await ledger.running.end();
  await rm(folder, { recursive: true });
}, 60_000);

/** Sets a running member's clock. @param offsetMs from the right time */
async function setClock(member: string, offsetMs: number): Promise<void> {
  const file = join(folder, String(ledger.service(member).process.pid));
  await writeFile(`${file}-new`, String(offsetMs));
  await rename(`${file}-new`, file);
}

test('a center whose clock jumps a year ahead gets no record any more, for a reason with a code; with the right time all goes on', async () => {
  await untilSettled(ledger);
  const center = await untilOffice(ledger);
  const outlet = ledger.firm.outletName;
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    const before = logOf(ledger, outlet).length;
    // At first the center has given up the keys of the right time; then it announces such as outlets do not take.
    const refusals = (code = '(key-unknown|message-stale)'): number =>
      logOf(ledger, outlet)
        .slice(before)
        .match(new RegExp(`"code":"${code}".*"msg":"the center is tried again"`, 'g'))?.length ?? 0;
    await setClock(center, yearMs);
    await within(
      30_000,
      'the center to refuse what is of another time',
      (async () => {
        while (refusals() < 1) await delay(pollMs);
        // No block is made of what is refused, and nobody says that it was taken.
        const taken = events.total('acknowledged');
        while (refusals('message-stale') < 2) await delay(pollMs);
        expect(events.total('acknowledged')).toBe(taken);
      })(),
    );
    await setClock(center, 0);
    await events.next('anchored', 8, 60_000);
  });
  await untilSettled(ledger);
}, 120_000);

test('a center whose clock jumps a year back is replaced: for it no certificate is valid yet', async () => {
  await untilSettled(ledger);
  const old = await untilOffice(ledger);
  const others = ledger.members.filter((member) => member !== old);
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    await setClock(old, -yearMs);
    await untilOffice(ledger, { members: others, wanted: standbyOf(old) });
    await events.next('anchored', 8, 60_000);
    await setClock(old, 0);
    await events.next('anchored', 4, 60_000);
  });
  await untilSettled(ledger);
}, 120_000);

test('after it every acknowledged record is anchored exactly once, and no block says a time at which it was not made', async () => {
  const { lost, double, broken, ...counts } = await judgeLedger(ledger, acknowledged);
  process.stderr.write(`clocks of centers: ${JSON.stringify(counts)}\n`);
  expect({ lost, double, broken }).toEqual({ lost: [], double: [], broken: [] });
}, 120_000);
