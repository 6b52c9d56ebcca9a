import { checkPlan, checkVersion } from '../../src/ordering/check-plan.ts';
import { metricOf } from '../../src/ordering/leader.ts';
import { toleratedFaults, type FabricNetworkPlan } from '../../src/index.ts';
import { ordererAt, peerAt, planWith } from '../support/plans.ts';
import { thrownBy } from '../support/thrown-by.ts';

test('Raft tolerates ⌊(n−1)/2⌋ orderers that stop, BFT ⌊(n−1)/3⌋ that do anything', () => {
  const counts = [0, 1, 2, 3, 4, 5, 7, 10];
  expect(counts.map((count) => toleratedFaults('raft', count))).toEqual([0, 0, 0, 1, 1, 2, 3, 4]);
  expect(counts.map((count) => toleratedFaults('bft', count))).toEqual([0, 0, 0, 0, 1, 1, 2, 3]);
});

describe('a plan', () => {
  const [organisation] = planWith(1).organisations;
  if (organisation === undefined) throw new Error('the plan has an organisation');
  const orderedBy = (organisations: FabricNetworkPlan['ordering']['organisations']): FabricNetworkPlan => ({
    ...planWith(1),
    ordering: { type: 'raft', organisations },
  });

  test('that makes a network is accepted; an organisation may both order and have peers', () => {
    checkPlan(planWith(3));
    checkPlan(planWith(4, 'bft'));
    checkPlan(orderedBy([{ ...organisation, orderers: [ordererAt('orderer0', 8050)] }]));
  });

  test.each<[string, RegExp, FabricNetworkPlan]>([
    [
      'with BFT of three',
      /tolerates 0 that fail or lie: f of them need 3f \+ 1, so 4 are the fewest/,
      planWith(3, 'bft'),
    ],
    ['that nobody orders', /nobody orders/, orderedBy([])],
    ['with an ordering organisation without orderers', /OrdererMSP is to order and has no orderer/, planWith(0)],
    [
      'with an organisation without peers',
      /Org1MSP has no peer/,
      { ...planWith(1), organisations: [{ ...organisation, peers: [] }] },
    ],
    [
      'with an organisation twice',
      /MSP id Org1MSP is planned twice/,
      { ...planWith(1), organisations: [organisation, organisation] },
    ],
    [
      'with a port twice',
      /port 8050 is planned twice/,
      { ...planWith(1), organisations: [{ ...organisation, peers: [peerAt('peer0', 8050)] }] },
    ],
    [
      'with a node twice',
      /host name peer0\.org1\.example\.com is planned twice/,
      orderedBy([{ ...organisation, orderers: [ordererAt('peer0', 8050)] }]),
    ],
    [
      'with two organisations in one domain',
      /Org1MSP and OtherMSP share a domain or an MSP id, but not both/,
      orderedBy([{ mspId: 'OtherMSP', domain: organisation.domain, orderers: [ordererAt('orderer0', 8050)] }]),
    ],
  ])('%s is refused', (_what, message, plan) => {
    expect(
      thrownBy(() => {
        checkPlan(plan);
      }),
    ).toMatchObject({ code: 'configuration-invalid', message: expect.stringMatching(message) as string });
  });

  test('of BFT is refused before Fabric 3', () => {
    expect(
      thrownBy(() => {
        checkVersion(planWith(4, 'bft'), '2.5.16');
      }),
    ).toMatchObject({ code: 'unsupported', details: { fabricVersion: '2.5.16' } });
    checkVersion(planWith(4, 'bft'), '3.1.5');
    checkVersion(planWith(3), '2.5.16');
  });
});

test('a metric is read by its name and channel', () => {
  const text = [
    '# TYPE consensus_etcdraft_is_leader gauge',
    'consensus_etcdraft_is_leader{channel="other"} 1',
    'consensus_etcdraft_is_leader{channel="mine"} 0',
  ].join('\n');
  expect(['other', 'mine', 'none'].map((channel) => metricOf(text, 'consensus_etcdraft_is_leader', channel))).toEqual([
    1,
    0,
    undefined,
  ]);
});
