import fc from 'fast-check';
import type { InquiredCall } from '../../src/inquire/index.ts';
import { compileSignaturePolicy } from '../../src/policy/index.ts';
import { callOf, describeCalls, identityOf, policyOf, type PeerName } from './endorsement.ts';

const ORGANISATIONS = ['A', 'B', 'C', 'D', 'E'] as const;

/** A tree of rules over these organisations, each named once; as text. */
function rulesOver(organisations: readonly string[]): fc.Arbitrary<string> {
  const [first, ...others] = organisations;
  if (first === undefined) throw new Error('a rule names somebody');
  if (others.length === 0) return fc.constant(`'${first}.peer'`);
  return fc
    .integer({ min: 1, max: others.length })
    .chain((cut) =>
      fc
        .tuple(
          rulesOver(organisations.slice(0, cut)),
          rulesOver(organisations.slice(cut)),
          fc.constantFrom('AND', 'OR'),
        )
        .map(([left, right, gate]) => `${gate}(${left}, ${right})`),
    );
}

const someOrganisations = (minLength = 1) => fc.shuffledSubarray([...ORGANISATIONS], { minLength });
const threshold = someOrganisations().chain((names) =>
  fc.integer({ min: 1, max: names.length }).map((n) => `OutOf(${n}, ${names.map((name) => `'${name}.peer'`).join()})`),
);
const allOf = someOrganisations().map((names) => `AND(${names.map((name) => `'${name}.peer'`).join()})`);
const anyPolicy = fc.oneof(someOrganisations(2).chain(rulesOver), threshold, allOf);
const onePeerEach = ORGANISATIONS.map((name) => `${name.toLowerCase()}0`);

/** Every combination of these. */
function subsetsOf<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((subsets, item) => [...subsets, ...subsets.map((subset) => [...subset, item])], [[]]);
}

const satisfyAll = (policies: readonly string[], peers: readonly PeerName[]) =>
  policies.every((policy) => compileSignaturePolicy(policyOf(policy)).evaluate(peers.map(identityOf)));

/** The peers that each layout takes, the first of each group. */
function combinationsOf(calls: readonly InquiredCall[], peers: readonly PeerName[]): PeerName[][] {
  const { layouts, endorsersByGroup } = describeCalls(calls, peers);
  return layouts.map((layout) =>
    [...layout].flatMap(([group, quantity]) => (endorsersByGroup.get(group) ?? []).slice(0, quantity)),
  );
}

/** Each combination that is enough has all peers of one that was found. */
function missing(policies: readonly string[], found: readonly PeerName[][]): PeerName[][] {
  return subsetsOf(onePeerEach).filter(
    (peers) =>
      satisfyAll(policies, peers) && !found.some((combination) => combination.every((peer) => peers.includes(peer))),
  );
}

test('what a layout names satisfies all policies of the chaincodes and of the keys', () => {
  fc.assert(
    fc.property(
      fc.array(anyPolicy, { minLength: 1, maxLength: 3 }),
      fc.array(anyPolicy, { maxLength: 3 }),
      (namespaces, keys) => {
        const calls = namespaces.map((policy, index) => callOf(policy, index === 0 ? keys : []));
        for (const peers of combinationsOf(calls, [...onePeerEach, 'a1', 'c1'])) {
          expect({ peers, enough: satisfyAll([...namespaces, ...keys], peers) }).toEqual({ peers, enough: true });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('every combination that satisfies a policy is covered by a layout', () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      expect(missing([policy], combinationsOf([callOf(policy)], onePeerEach))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('so is every combination for a threshold of organisations and keys that need all of theirs', () => {
  fc.assert(
    fc.property(threshold, fc.array(allOf, { minLength: 1, maxLength: 4 }), fc.boolean(), (policy, keys, keysOnly) => {
      const found = combinationsOf([callOf(policy, keys, keysOnly)], onePeerEach);
      expect(missing(keysOnly ? keys : [policy, ...keys], found)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
