import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyChain } from '@waymark/ledger-chain';
import { alertsOf, untilAlert } from './support/ledger/alerts.ts';
import { callCenter } from './support/ledger/center-caller.ts';
import { mayMount, mountSmallDisk } from './support/ledger/disks.ts';
import { within } from './support/ledger/killing.ts';
import { type LedgerConsortium, runLedgerConsortium, untilViews } from './support/ledger/ledger-firm.ts';
import { judgeLedger, listAnchors } from './support/ledger/ledger-judgement.ts';
import { underLedgerLoad } from './support/ledger/ledger-load.ts';
import { placeLinks } from './support/ledger/links.ts';
import { ledgerFolderOf, openMemberDisk } from './support/ledger/member-disk.ts';
import { logOf } from './support/ledger/logs.ts';
import { officeOf, standbyOf, untilOffice, untilSettled } from './support/ledger/office.ts';
import { restartWith } from './support/ledger/restarting.ts';
import { rewriteChain } from './support/ledger/rewriting.ts';
import { anchorMarker } from './support/judgement.ts';
import type { Acknowledged } from './support/load.ts';

let ledger: LedgerConsortium;
/** By event id: what was acknowledged in all tests. */
const acknowledged = new Map<string, Acknowledged>();
const verifier = 'audit-office';
const pollMs = 50;
/** The others take a machine some minutes more: WAYMARK_FAULTS=all runs them, too (docs/rsl.md, "Faults tried on real processes"). */
const runsAll = process.env['WAYMARK_FAULTS'] === 'all';
const byHand = runsAll ? test : test.skip;
const whyNot = runsAll ? '' : ' (skipped: WAYMARK_FAULTS is not "all")';

beforeAll(async () => {
  ledger = await runLedgerConsortium();
}, 120_000);
afterAll(() => ledger.running.end(), 60_000);

const inOffice = () => untilOffice(ledger);
const settled = (members = ledger.members) => untilSettled(ledger, members);

test('a center that stands still past the election time-out is replaced, and answers as no center when it goes on', async () => {
  await settled();
  const old = await inOffice();
  const others = ledger.members.filter((member) => member !== old);
  const { process } = ledger.service(old);
  const caller = await callCenter(ledger, old);
  await caller.ready();
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    process.kill('SIGSTOP');
    try {
      // Sent while it stands still: the first that it answers.
      const asked = caller.ask();
      const status = ledger.view(old, 60_000);
      await untilViews(ledger, 'the standby to be in office', (views) => officeOf(views) === standbyOf(old), {
        members: others,
      });
      // What only the old center has of the envelopes is anchored when it goes on; what comes in now is taken all the same.
      await events.next('acknowledged', 4, 60_000);
      process.kill('SIGCONT');
      expect(await asked).toEqual({ key: 'unavailable', position: 'unavailable', upload: 'unavailable' });
      const view = await status;
      expect(view).toMatchObject({ member: old });
      expect(view?.center).not.toBe(old);
      expect(view?.role).not.toBe('center');
    } finally {
      process.kill('SIGCONT');
    }
  });
  caller.close();
  expect(await inOffice()).toBe(standbyOf(old));
}, 120_000);

test('what does not arrive in one direction, and links that break, stop nothing, and nobody is in office twice', async () => {
  await settled();
  const center = await inOffice();
  const standby = standbyOf(center);
  const links = await placeLinks(ledger);
  const pairs = ledger.members.length * (ledger.members.length - 1);
  await untilConnected(links, pairs);
  try {
    const before = (await settled()).get(verifier)?.term ?? 0;
    await underLedgerLoad(ledger, acknowledged, async (events) => {
      for (const [from, to] of [
        [center, verifier],
        [verifier, center],
        [center, standby],
        [standby, center],
      ] as const) {
        links.set(from, to, 'deaf');
        await events.next('acknowledged', 4, 60_000);
        await events.next('anchored', 1, 60_000);
        links.set(from, to, 'open');
      }
      const others = ledger.members.filter((member) => member !== center);
      for (let round = 0; round < 12; round += 1) {
        const other = others[round % others.length] ?? verifier;
        links.set(center, other, 'cut');
        await events.next('submitted', 1, 60_000);
        links.set(center, other, 'open');
      }
    });
    const after = (await settled()).get(verifier);
    process.stderr.write(`partition: term ${String(before)} before, ${String(after?.term)} after\n`);
    expect(await inOffice()).toBe(center);
  } finally {
    await links.close();
  }
}, 180_000);

async function untilConnected(links: { connected(): number }, count: number): Promise<void> {
  await within(
    30_000,
    `${String(count)} links to carry connections`,
    (async () => {
      while (links.connected() < count) await delay(pollMs);
    })(),
  );
}

const yearMs = 365 * 86_400_000;

test.each([
  ['ahead', yearMs],
  ['behind', -yearMs],
])(
  'a department whose clock is a year %s stops nothing',
  async (_name, offsetMs) => {
    await settled();
    await ledger.kill(verifier);
    await restartWith(ledger, verifier, 'skewed-clock.ts', { offsetMs: String(offsetMs) });
    await underLedgerLoad(ledger, acknowledged, async (events) => {
      await events.next('anchored', 40, 60_000);
    });
    process.stderr.write(`clock ${String(offsetMs)}: ${JSON.stringify(await ledger.view(verifier))}\n`);
    await ledger.kill(verifier);
    await ledger.restart(verifier);
    await settled();
  },
  120_000,
);

test('a sync that fails ends the member, and not the others; it catches up when the disk is well again', async () => {
  await settled();
  const trigger = join(ledger.running.folder, 'sync-fails');
  await ledger.kill(verifier);
  await restartWith(ledger, verifier, 'failing-sync.ts', { trigger });
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    const { process } = ledger.service(verifier);
    await writeFile(trigger, '');
    const { code } = await within(30_000, 'the member to end', process.exited);
    expect(code).toBe(70);
    expect(logOf(ledger, verifier)).toContain('io-fault');
    await events.next('anchored', 8, 60_000);
    await rm(trigger);
    await ledger.restart(verifier);
  });
  await settled();
}, 120_000);

const withMount = runsAll && mayMount() ? test : test.skip;
const why = runsAll && !mayMount() ? ' (skipped: this machine does not let us mount)' : whyNot;

withMount(
  `a full disk ends a member, and not the others; it catches up when there is room${why}`,
  async () => {
    await settled();
    await ledger.kill(verifier);
    const disk = await mountSmallDisk(dataOf(verifier), 64);
    try {
      await ledger.restart(verifier);
      await underLedgerLoad(ledger, acknowledged, async (events) => {
        const { process } = ledger.service(verifier);
        await disk.fill();
        const { code } = await within(60_000, 'the member to end', process.exited);
        expect(code).toBe(70);
        await events.next('anchored', 8, 60_000);
        await disk.clear();
        await ledger.restart(verifier);
      });
      await settled();
      await ledger.kill(verifier);
    } finally {
      await disk.unmount();
    }
    await ledger.restart(verifier);
    await settled();
  },
  120_000,
);

withMount(
  `a center whose disk is full is replaced${why}`,
  async () => {
    await settled();
    const old = await inOffice();
    await ledger.kill(old);
    const disk = await mountSmallDisk(dataOf(old), 64);
    try {
      await ledger.restart(old);
      await settled();
      const center = await inOffice();
      if (center !== old) {
        // The one whose disk fills up is to be the center.
        await ledger.kill(center);
        await untilViews(ledger, 'the other to be in office', (views) => officeOf(views) === old, {
          members: ledger.members.filter((member) => member !== center),
        });
        await ledger.restart(center);
        await settled();
      }
      await underLedgerLoad(ledger, acknowledged, async (events) => {
        const { process } = ledger.service(old);
        await disk.fill();
        const { code } = await within(60_000, 'the center to end', process.exited);
        expect(code).toBe(70);
        await events.next('anchored', 8, 60_000);
        await disk.clear();
        await ledger.restart(old);
      });
      await settled();
      await ledger.kill(old);
    } finally {
      await disk.unmount();
    }
    await ledger.restart(old);
    await settled();
  },
  180_000,
);

const dataOf = (member: string): string => ledger.running.consortium.layout.node(ledger.firm.organisation, member).data;

test('after all of it every acknowledged record is anchored exactly once, and all members have one valid chain', async () => {
  const { lost, double, broken, ...counts } = await judgeLedger(ledger, acknowledged);
  process.stderr.write(`ledger-faults: ${JSON.stringify(counts)}\n`);
  expect({ lost, double, broken }).toEqual({ lost: [], double: [], broken: [] });
  await Promise.all(ledger.members.map((member) => ledger.restart(member)));
}, 180_000);

/** Lets a member whose memory is not what the others remember of it start, and waits until it says that it is barred. */
async function expectBarred(member: string): Promise<void> {
  const before = alertsOf(ledger, member).length;
  await ledger.restart(member);
  await untilViews(ledger, 'the member to be barred', (views) => views.get(member)?.isBarred === true, {
    members: [member],
  });
  const view = await ledger.view(member);
  expect(view).toMatchObject({ isCleared: false, isBarred: true });
  expect(view?.alerts).toBeGreaterThan(before);
  expect(alertsOf(ledger, member).some(({ kind }) => kind === 'forgotten')).toBe(true);
  // The others do without it.
  await anchorMarker(ledger.firm, `urn:scenario:${ledger.firm.mspId}:barred-${String(Date.now())}`);
}

test('a member whose ledger folder was wiped is barred and says so, and is let in again with what it had', async () => {
  await settled();
  const folder = ledgerFolderOf(ledger.running.consortium, ledger.firm, verifier);
  await ledger.service(verifier).process.stop();
  await rename(folder, `${folder}-aside`);
  await expectBarred(verifier);
  await ledger.service(verifier).process.stop();
  await rm(folder, { recursive: true });
  await rename(`${folder}-aside`, folder);
  await rename(join(folder, 'log'), join(folder, 'log-aside'));
  // A member without its log is no new member.
  await expect(ledger.restart(verifier)).rejects.toMatchObject({ code: 'unavailable' });
  expect(logOf(ledger, verifier)).toContain('no-log');
  await rm(join(folder, 'log'), { recursive: true, force: true });
  await rename(join(folder, 'log-aside'), join(folder, 'log'));
  await ledger.restart(verifier);
  await settled();
}, 120_000);

byHand(
  `a member that is put back to an old copy of its whole data folder is barred, as center no less${whyNot}`,
  async () => {
    await settled();
    const center = await inOffice();
    for (const member of [verifier, center]) {
      const folder = dataOf(member);
      await ledger.service(member).process.stop();
      await cp(folder, `${folder}-old`, { recursive: true });
      await ledger.restart(member);
      await anchorMarker(ledger.firm, `urn:scenario:${ledger.firm.mspId}:copied-${member}`);
      await settled();
      await ledger.service(member).process.stop();
      await rename(folder, `${folder}-aside`);
      await rename(`${folder}-old`, folder);
      await expectBarred(member);
      await ledger.service(member).process.stop();
      await rm(folder, { recursive: true });
      await rename(`${folder}-aside`, folder);
      await ledger.restart(member);
      await settled();
    }
  },
  120_000,
);

test('a center that rewrites a private block on its disk, with all keys of the firm, is found out by the channel', async () => {
  await settled();
  const member = await inOffice();
  const { consortium } = ledger.running;
  const anchors = await listAnchors(ledger);
  await ledger.service(member).process.stop();
  const height = await rewriteChain(ledger, member);
  const { chain, crypto, configuration } = await openMemberDisk(consortium, ledger.firm, member);
  const problemsWith = async (known: typeof anchors) =>
    (await verifyChain(chain, { configuration, crypto, anchors: known })).problems.map(({ code }) => code);
  const [alone, compared] = [await problemsWith([]), await problemsWith(anchors)];
  await chain.close();
  expect(alone).toEqual([]);
  expect([...new Set(compared)]).toEqual(['anchor-mismatch']);
  const before = alertsOf(ledger, member).length;
  await ledger.restart(member);
  const alert = await untilAlert(ledger, member, ({ kind }) => kind === 'anchor-mismatch', 30_000);
  expect(alertsOf(ledger, member).length).toBeGreaterThan(before);
  expect(alert.facts['height']).toBeGreaterThanOrEqual(height);
  // The others have the true chain, and go on.
  await anchorMarker(ledger.firm, `urn:scenario:${ledger.firm.mspId}:rewritten`);
  const others = ledger.members.filter((name) => name !== member);
  const views = await settled(others);
  for (const [, view] of views) expect(view).toMatchObject({ mismatches: 0 });
}, 120_000);
