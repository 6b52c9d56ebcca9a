import { mkdir, rm } from 'node:fs/promises';
import { untilAlert } from './support/ledger/alerts.ts';
import { administratorProfile, waymark } from './support/ledger/command-line.ts';
import { type LedgerConsortium, runLedgerConsortium, untilViews } from './support/ledger/ledger-firm.ts';
import { judgeLedger } from './support/ledger/ledger-judgement.ts';
import { underLedgerLoad } from './support/ledger/ledger-load.ts';
import { standbyOf, untilOffice, untilSettled } from './support/ledger/office.ts';
import { tellMembers } from './support/ledger/telling-members.ts';
import type { Acknowledged } from './support/load.ts';

let ledger: LedgerConsortium;
let profile: string;
/** By event id: what was acknowledged. */
const acknowledged = new Map<string, Acknowledged>();
/** The department whose disk is wiped, and the identity under which it comes back. */
const wiped = 'branch';
const newcomer = 'branch-anew';

beforeAll(async () => {
  ledger = await runLedgerConsortium({ departments: [wiped, newcomer] });
  profile = await administratorProfile(ledger.running, ledger.firm);
}, 120_000);
afterAll(() => ledger.running.end(), 60_000);

const filesOf = (node: string) => ledger.running.consortium.layout.node(ledger.firm.organisation, node);

test('a department whose disk is wiped is barred, and comes back under a new id: it is removed, admitted, catches up and acknowledges, while records flow (R2, D2)', async () => {
  const { members } = ledger;
  expect(members).toHaveLength(4);
  expect(members).toContain(wiped);
  const left = members.filter((member) => member !== wiped);
  const grown = [...left, newcomer];
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    await events.next('anchored', 8, 60_000);
  });
  await untilSettled(ledger);
  const before = acknowledged.size;
  const center = await untilOffice(ledger);
  const at = ['--api', ledger.service(center).apiUrl];

  await underLedgerLoad(ledger, acknowledged, async (events) => {
    const { data } = filesOf(wiped);
    await ledger.kill(wiped);
    await rm(data, { recursive: true });
    await mkdir(data, { mode: 0o700 });
    await ledger.restart(wiped);
    await untilViews(ledger, 'the wiped member to be barred', (views) => views.get(wiped)?.isBarred === true, {
      members: [wiped],
    });
    await untilAlert(ledger, wiped, ({ kind }) => kind === 'forgotten');
    // The others do without it.
    await events.next('anchored', 4, 60_000);

    expect(await waymark(profile, 'ledger', 'remove-member', wiped, ...at)).toMatchObject({
      code: 0,
      result: { epoch: 2, members: [...left].sort() },
    });
    await ledger.service(wiped).process.stop();
    await ledger.kill(newcomer);
    await tellMembers(ledger.running, ledger.firm, newcomer, left);
    await ledger.restart(newcomer);
    const certificate = ['--certificate', filesOf(newcomer).certificate];
    const added = await waymark(profile, 'ledger', 'add-member', newcomer, ...at, ...certificate);
    // The first epoch makes a learner of it, the second a member.
    expect(added).toMatchObject({ code: 0, result: { epoch: 4, members: [...grown].sort(), learners: [] } });
    await events.next('anchored', 4, 60_000);
  });

  // With one department less every block needs the newcomer's acknowledgement.
  const away = standbyOf(center);
  await ledger.kill(away);
  await underLedgerLoad(ledger, acknowledged, async (events) => {
    await events.next('anchored', 8, 60_000);
  });
  await ledger.restart(away);
  expect(acknowledged.size).toBeGreaterThan(before);

  const after = { ...ledger, members: grown };
  const { lost, double, broken, ...counts } = await judgeLedger(after, acknowledged);
  process.stderr.write(`new member: ${JSON.stringify({ acknowledgedBefore: before, ...counts })}\n`);
  expect({ lost, double, broken }).toEqual({ lost: [], double: [], broken: [] });
}, 180_000);
