import type { LedgerStatus, NetworkStatus } from '@waymark/network';
import { statusText } from '../network/status-text.ts';

const nowMs = Date.parse('2026-06-01T00:00:00.000Z');
const well: NetworkStatus = {
  runtime: 'native',
  fabricVersion: '3.1.5',
  channel: 'waymark',
  chaincode: { name: 'waymark', version: '0.1.0', sequence: 1 },
  ordering: 'raft',
  orderers: 3,
  toleratedFaults: 1,
  leader: 'orderer1.northline.example',
  organisations: [
    {
      mspId: 'NorthlineMSP',
      name: 'Northline Freight',
      role: 'carrier',
      peers: [
        { name: 'leader', height: 42, anchor: true },
        { name: 'harbour-depot', height: 42, anchor: false },
      ],
      services: [
        { name: 'northline.example-center', kind: 'center', state: 'ready' },
        { name: 'northline.example-harbour-depot', kind: 'outlet', state: 'ready' },
      ],
    },
  ],
  pins: { anchored: 5, replicated: 5, missing: 0, silentCenters: 0 },
  ledgers: [
    {
      mspId: 'NorthlineMSP',
      center: 'center',
      term: 3,
      height: 7,
      confirmed: 7,
      anchored: 5,
      members: [
        { id: 'center', role: 'center', height: 7, lag: 0 },
        { id: 'standby', role: 'standby', height: 6, lag: 1 },
      ],
    },
  ],
  certificates: [{ subject: 'CN=leader', notAfter: '2026-08-01T00:00:00.000Z' }],
  away: [],
};
const [northline] = well.organisations;
const [ledger] = well.ledgers as [LedgerStatus];
const withFirm = (change: object): NetworkStatus => ({
  ...well,
  organisations: well.organisations.map((organisation) => ({ ...organisation, ...change })),
});
const alarms = (status: NetworkStatus): string[] =>
  statusText(status, nowMs)
    .split('\n')
    .filter((line) => line.startsWith('!'));

test('a network that is well has no line that wants attention', () => {
  expect(alarms(well)).toEqual([]);
});

test('one screen says runtime, version, heights, anchor, leader, pins, services and the certificate that ends first', () => {
  expect(statusText(well, nowMs).split('\n')).toEqual([
    '  runtime       native, Fabric 3.1.5',
    '  channel       waymark, chaincode waymark 0.1.0 (sequence 1)',
    '  ordering      raft, 3 orderers, tolerates 1 failing, led by orderer1.northline.example',
    '  Northline Freight (NorthlineMSP, carrier)',
    '    peer leader           height     42  up to date, anchor',
    '    peer harbour-depot    height     42  up to date',
    '    center northline.example-center: ready',
    '    outlet northline.example-harbour-depot: ready',
    '  ledger        NorthlineMSP, center in office, term 3, height 7, 7 confirmed, 5 anchored',
    '    center     center           height      7  up to date',
    '    standby    standby          height      6  1 behind',
    '  pins          5 batches and ranges of blocks anchored, 5 held by enough organisations, 0 not',
    '  certificates  1, 0 of them end within 30 days; next 2026-08-01 (CN=leader)',
    '',
  ]);
});

test('devnet has no leader and no version, and is well without', () => {
  const devnet: NetworkStatus = {
    ...well,
    runtime: 'embedded',
    fabricVersion: null,
    ordering: 'devnet',
    orderers: 1,
    toleratedFaults: 0,
    leader: null,
  };
  expect(alarms(devnet)).toEqual([]);
  expect(statusText(devnet, nowMs)).toContain('devnet, 1 orderer, tolerates 0 failing\n');
});

test('BFT says how many may lie', () => {
  expect(statusText({ ...well, ordering: 'bft', orderers: 4 }, nowMs)).toContain('bft, 4 orderers, tolerates 1 lying');
});

test.each<[string, NetworkStatus, RegExp]>([
  ['an ordering that nobody leads', { ...well, leader: null }, /^! ordering /],
  [
    'a peer that does not answer',
    withFirm({ peers: [northline?.peers[0], { name: 'harbour-depot', height: null, anchor: false }] }),
    /^! {3}peer harbour-depot.*does not answer/,
  ],
  [
    'a peer that is behind',
    withFirm({ peers: [northline?.peers[0], { name: 'harbour-depot', height: 40, anchor: false }] }),
    /^! {3}peer harbour-depot.*2 behind/,
  ],
  [
    'a service that is away',
    withFirm({ services: [{ name: 'northline.example-center', kind: 'center', state: 'away' }] }),
    /^! {3}center northline.example-center: away/,
  ],
  [
    'a service that is not ready',
    withFirm({ services: [{ name: 'x', kind: 'outlet', state: 'not-ready' }] }),
    /^! {3}outlet x: not-ready/,
  ],
  [
    'a private ledger without a center',
    { ...well, ledgers: [{ ...ledger, center: null }] },
    /^! ledger +NorthlineMSP, nobody in office, term 3/,
  ],
  [
    'a member of a private ledger that does not answer',
    { ...well, ledgers: [{ ...ledger, members: [{ id: 'archive', role: 'department', height: null, lag: null }] }] },
    /^! {3}department archive .*does not answer/,
  ],
  ['a batch that too few hold', { ...well, pins: { ...well.pins, replicated: 4, missing: 1 } }, /^! pins .*1 not/],
  [
    'a center that says nothing of pins',
    { ...well, pins: { ...well.pins, silentCenters: 1 } },
    /^! pins .*1 centers do not say/,
  ],
  [
    'a certificate that ends within 30 days',
    { ...well, certificates: [{ subject: 'CN=leader', notAfter: '2026-06-30T23:59:59.000Z' }] },
    /^! certificates .*1 of them.*2026-06-30 \(CN=leader\)/,
  ],
  ['a process that is away', { ...well, away: ['northline.example-center'] }, /^! away +northline.example-center/],
])('%s wants attention', (_name, status, expected) => {
  const found = alarms(status);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('when no peer answers each of them wants attention', () => {
  const silent = withFirm({
    peers: northline?.peers.map((peer) => ({ ...peer, height: null })),
  });
  expect(alarms(silent)).toHaveLength(2);
});
