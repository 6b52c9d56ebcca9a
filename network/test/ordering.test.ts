import { toleratedFaults } from '@waymark/fabric-nodes';
import fc from 'fast-check';
import {
  ordererCount,
  ordererHostNames,
  ordererOrganisation,
  orderingOrganisations,
  orderingProblem,
} from '../src/ordering.ts';
import { withOrganisation } from '../src/topology.ts';
import { exampleOrganisation, topologyOf } from './example-topology.ts';

describe('the number of orderers', () => {
  test.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 2],
    [6, 3],
    [7, 3],
    [8, 3],
    [9, 4],
    [10, 4],
    [11, 4],
    [12, 5],
  ])('is S2’s for Raft: %i organisations have %i', (organisations, expected) => {
    expect(ordererCount(topologyOf(organisations, { type: 'raft' }))).toBe(expected);
  });

  test.each([
    [1, 4],
    [8, 4],
    [9, 4],
    [12, 5],
    [30, 11],
  ])('is S2’s for BFT, and four at least: %i organisations have %i', (organisations, expected) => {
    expect(ordererCount(topologyOf(organisations, { type: 'bft' }))).toBe(expected);
  });

  test('is what the topology says, when it says one', () => {
    expect(ordererCount(topologyOf(2, { type: 'raft', orderers: 5 }))).toBe(5);
    expect(ordererCount(topologyOf(2, { type: 'bft', orderers: 7 }))).toBe(7);
  });

  test.each([
    ['raft', 1, 0],
    ['raft', 2, 0],
    ['raft', 3, 1],
    ['raft', 5, 2],
    ['bft', 4, 1],
    ['bft', 6, 1],
    ['bft', 7, 2],
    ['bft', 10, 3],
  ] as const)('buys this: %s with %i tolerates %i', (type, orderers, tolerated) => {
    expect(orderingProblem(topologyOf(2, { type, orderers }))).toBeUndefined();
    expect(toleratedFaults(type, orderers)).toBe(tolerated);
  });

  test.each([1, 2, 3])('BFT with %i is refused, and it is said how many are needed', (orderers) => {
    const { ordering, organisations } = topologyOf(2, { type: 'raft', orderers });
    expect(orderingProblem({ ordering: { ...ordering, type: 'bft' }, organisations })).toBe(
      `BFT tolerates f lying orderers with 3f + 1: ${orderers} tolerate none, 4 tolerate 1`,
    );
  });
});

describe('who runs the orderers', () => {
  test('for Raft an organisation of their own', () => {
    expect(orderingOrganisations(topologyOf(6, { type: 'raft' }))).toEqual([
      { ...ordererOrganisation, orderers: ['orderer0', 'orderer1', 'orderer2'] },
    ]);
  });

  test('for BFT the members in turn, so that nobody owns a third of them', () => {
    const owners = orderingOrganisations(topologyOf(3, { type: 'bft', orderers: 7 }));
    expect(owners.map(({ mspId, orderers }) => [mspId, orderers])).toEqual([
      ['Firm0MSP', ['orderer0', 'orderer3', 'orderer6']],
      ['Firm1MSP', ['orderer1', 'orderer4']],
      ['Firm2MSP', ['orderer2', 'orderer5']],
    ]);
  });

  test('those that are named, in the order in which they are', () => {
    const owners = orderingOrganisations(
      topologyOf(3, { type: 'raft', orderers: 3, operators: ['Firm2MSP', 'Firm0MSP'] }),
    );
    expect(owners.map(({ mspId, orderers }) => [mspId, orderers])).toEqual([
      ['Firm0MSP', ['orderer1']],
      ['Firm2MSP', ['orderer0', 'orderer2']],
    ]);
  });

  test('members that get none are no ordering organisations', () => {
    const owners = orderingOrganisations(topologyOf(6, { type: 'raft', operators: 'members' }));
    expect(owners.map(({ mspId }) => mspId)).toEqual(['Firm0MSP', 'Firm1MSP', 'Firm2MSP']);
  });

  test('every orderer has one owner and one host name, whoever operates', () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const names = orderingOrganisations(topology).flatMap(({ orderers }) => orderers);
        expect(names.toSorted()).toEqual(
          Array.from({ length: ordererCount(topology) }, (_, index) => `orderer${index}`).toSorted(),
        );
        expect(new Set(ordererHostNames(topology)).size).toBe(names.length);
      }),
      { numRuns: 60 },
    );
  });

  test('organisations that come change neither names nor owners of orderers', () => {
    fc.assert(
      fc.property(topologies, fc.integer({ min: 1, max: 4 }), (topology, more) => {
        let grown = topology;
        for (let index = 0; index < more; index += 1) grown = withOrganisation(grown, exampleOrganisation(100 + index));
        expect(grown.organisations).toHaveLength(topology.organisations.length + more);
        expect(orderingOrganisations(grown)).toEqual(orderingOrganisations(topology));
        expect(ordererHostNames(grown)).toEqual(ordererHostNames(topology));
      }),
      { numRuns: 60 },
    );
  });
});

const topologies = fc
  .record({
    organisations: fc.integer({ min: 1, max: 12 }),
    type: fc.constantFrom('raft' as const, 'bft' as const),
    orderers: fc.option(fc.integer({ min: 4, max: 12 }), { nil: undefined }),
    operators: fc.constantFrom(undefined, 'members' as const, 'own-organisation' as const, 'named' as const),
    named: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 12 }),
  })
  .map(({ organisations, type, orderers, operators, named }) =>
    topologyOf(organisations, {
      type,
      ...(orderers === undefined ? {} : { orderers }),
      ...(operators === undefined
        ? {}
        : { operators: operators === 'named' ? those(named, organisations) : operators }),
    }),
  );

function those(named: readonly number[], organisations: number): string[] {
  const there = named.filter((index) => index < organisations);
  return (there.length === 0 ? [0] : there).map((index) => `Firm${index}MSP`);
}
