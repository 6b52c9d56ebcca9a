import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AlertFile } from '@waymark/service-kit';
import { untilAlert } from './support/ledger/alerts.ts';
import { forgeAnchor } from './support/ledger/forking.ts';
import { within } from './support/ledger/killing.ts';
import { type LedgerConsortium, runLedgerConsortium } from './support/ledger/ledger-firm.ts';
import { judgeLedger } from './support/ledger/ledger-judgement.ts';
import { underLedgerLoad } from './support/ledger/ledger-load.ts';
import { looksOf } from './support/ledger/metrics.ts';
import { standbyOf, untilOffice, untilSettled } from './support/ledger/office.ts';
import { asNode, listReports } from './support/ledger/reports.ts';
import { restartWith, withPreload } from './support/ledger/restarting.ts';
import { anchorMarker } from './support/judgement.ts';
import type { Acknowledged } from './support/load.ts';
import { connectOutlet, recordMessage } from './support/outlet-client.ts';

let ledger: LedgerConsortium;
/** By event id: what was acknowledged. */
const acknowledged = new Map<string, Acknowledged>();
const victim = 'audit-office';
const pollMs = 50;

/** Named after its process, a file in it makes a center seem to have lost all envelopes. */
let losses: string;

beforeAll(async () => {
  losses = await mkdtemp(join(tmpdir(), 'waymark-losses-'));
  ledger = await withPreload('losing-center.ts', { folder: losses }, () => runLedgerConsortium());
}, 120_000);
afterAll(async () => {
  await ledger.running.end();
  await rm(losses, { recursive: true });
}, 60_000);

test('what a center proposes without having its envelopes is refused by a department that looks; what was taken in is anchored all the same (D6)', async () => {
  await untilSettled(ledger);
  const center = await untilOffice(ledger);
  const departments = ledger.members.filter((member) => member !== center);
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    const looks = async (): Promise<number[]> =>
      Promise.all(departments.map((member) => looksOf(ledger, member, 'read')));
    await within(
      60_000,
      'departments to look at envelopes',
      (async () => {
        while ((await looks()).includes(0)) await delay(pollMs);
      })(),
    );
    const file = join(losses, String(ledger.service(center).process.pid));
    await writeFile(file, '');
    const refused = departments.map((member) => untilAlert(ledger, member, ({ kind }) => kind === 'refused'));
    // They look at random, and not when that would take long.
    const alert = await Promise.any(refused);
    expect(alert.facts).toMatchObject({ center, reason: 'acceptance-not-followed' });
    await events.next('anchored', 8, 60_000);
    await rm(file);
  });
  await untilSettled(ledger);
}, 150_000);

/** Lets the one that stands by run a center's program that lies when it is told to, and puts it into office. */
async function putLiarIntoOffice(): Promise<{ liar: string; heir: string; folder: string }> {
  await untilSettled(ledger);
  const heir = await untilOffice(ledger);
  const liar = standbyOf(heir);
  const folder = await mkdtemp(join(ledger.running.folder, 'lies-'));
  await ledger.kill(liar);
  await restartWith(ledger, liar, 'lying-center.ts', { folder, victim });
  await untilSettled(ledger);
  await ledger.kill(heir);
  await untilOffice(ledger, { members: ledger.members.filter((member) => member !== heir), wanted: liar });
  await ledger.restart(heir);
  await untilSettled(ledger);
  return { liar, heir, folder };
}

async function untilTold(folder: string): Promise<{ readonly height: number; readonly term: number }> {
  const file = join(folder, 'told');
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await delay(pollMs);
  return JSON.parse(readFileSync(file, 'utf8')) as { height: number; term: number };
}

function proofOf({ proof }: AlertFile) {
  if (proof === null) throw new Error('the alert has no proof');
  return { type: proof.type, bytes: Buffer.from(proof.bytes, 'base64url') };
}

test('a center that shows a department another candidate than the others is found out by all, proven on the channel, and replaced; nothing is lost (R4, D6)', async () => {
  const { liar, heir, folder } = await putLiarIntoOffice();
  const others = ledger.members.filter((member) => member !== victim);
  let told = { height: 0, term: 0 };
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    await writeFile(join(folder, 'lie'), '');
    told = await within(30_000, 'the lie', untilTold(folder));
    // A quorum goes on without the one that was lied to, which holds a candidate that never gets a certificate, until the others tell it of theirs.
    await events.next('anchored', 12, 60_000);
    const isBehind = ((await ledger.view(victim))?.confirmed ?? 0) < told.height;
    if (isBehind) expect(await untilOffice(ledger, { members: others })).toBe(liar);
    else await untilAlert(ledger, victim, ({ kind }) => kind === 'equivocation');
    await writeFile(join(folder, 'show'), '');
    for (const member of ledger.members) {
      const alert = await untilAlert(ledger, member, ({ kind }) => kind === 'equivocation');
      expect(alert.facts).toMatchObject({ ...told, center: liar });
      expect(alert.proof?.type).toBe('ledger-equivocation');
    }
    await untilOffice(ledger, { wanted: heir });
  });
  // Nobody follows it any more, whatever its program does now.
  await ledger.kill(liar);
  await ledger.restart(liar);
  await untilSettled(ledger);
  expect(await untilOffice(ledger)).toBe(heir);

  const [, other] = ledger.running.firms;
  const proof = proofOf(await untilAlert(ledger, victim, ({ kind }) => kind === 'equivocation'));
  const reported = await asNode(other, 'center', (contract) => contract.report(ledger.firm.mspId, proof));
  expect(reported).toMatchObject({ proven: true });
  const altered = { ...proof, bytes: Buffer.from(proof.bytes) };
  altered.bytes[altered.bytes.length - 1] = (altered.bytes.at(-1) ?? 0) ^ 1;
  const refused = asNode(other, 'center', (contract) => contract.report(ledger.firm.mspId, altered));
  await expect(refused).rejects.toMatchObject({ code: 'signature-invalid' });
  expect(await listReports(ledger)).toMatchObject([{ kind: 'equivocation', ...told, center: liar, proven: true }]);

  const { lost, double, broken, ...counts } = await judgeLedger(ledger, acknowledged);
  process.stderr.write(`lying center: ${JSON.stringify({ ...told, ...counts })}\n`);
  expect({ lost, double, broken }).toEqual({ lost: [], double: [], broken: [] });
  await Promise.all(ledger.members.map((member) => ledger.restart(member)));
}, 180_000);

test('a confirmed block on the channel that no member holds, signed with the keys of more members than may lie, is found out by every member, and each proves the fork (D12)', async () => {
  await anchorMarker(ledger.firm, `urn:scenario:${ledger.firm.mspId}:before-the-fork`);
  await untilSettled(ledger);
  await ledger.service(victim).process.stop();
  const forged = await forgeAnchor(ledger, victim);
  await ledger.restart(victim);
  await untilSettled(ledger);
  const { anchor } = await asNode(ledger.firm, forged.center, (contract) => contract.anchor(forged.bytes));
  expect(anchor).toMatchObject({ last: forged.height, hash: forged.hash });
  // Nobody has a block there: the next record makes one.
  await confirmOne(`urn:scenario:${ledger.firm.mspId}:after-the-fork`);
  for (const member of ledger.members) {
    const alert = await untilAlert(
      ledger,
      member,
      ({ kind, proof }) => kind === 'anchor-mismatch' && proof?.type === 'ledger-fork',
    );
    expect(alert.facts).toMatchObject({ height: forged.height, anchored: forged.hash });
    expect(alert.facts['held']).not.toBe(forged.hash);
    const [, other] = ledger.running.firms;
    const report = asNode(other, 'center', (contract) => contract.report(ledger.firm.mspId, proofOf(alert)));
    expect(await report).toMatchObject({ proven: true });
  }
  expect(await listReports(ledger)).toContainEqual(
    expect.objectContaining({ kind: 'fork', height: forged.height, proven: true }),
  );
  for (const member of ledger.members) expect((await ledger.view(member))?.mismatches).toBeGreaterThan(0);
}, 120_000);

/** Hands one record in and waits until the ledger has confirmed it: the channel does not take it any more. */
async function confirmOne(eventId: string): Promise<void> {
  const outlet = connectOutlet(ledger.firm, await ledger.firm.identity('client'));
  try {
    const stream = outlet.open();
    await stream.write({
      records: [recordMessage({ eventId, consignment: 'last', payload: { step: 'last' } }, 0)],
      flush: true,
    });
    const confirmed = async (): Promise<void> => {
      for await (const { receipts } of stream.responses)
        if (receipts.some(({ state }) => state === 'confirmed')) return;
      throw new Error('the stream ended before the record was confirmed');
    };
    await within(30_000, 'the record to be confirmed', confirmed());
    stream.cancel();
  } finally {
    outlet.close();
  }
}
