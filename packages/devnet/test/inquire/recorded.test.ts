import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { keyOf } from '../../src/inquire/comparable-principal.ts';
import { PrincipalSetMerger } from '../../src/inquire/merge.ts';
import { principalSetsOf, type PrincipalSet } from '../../src/inquire/principal-sets.ts';

/** What the functions of Fabric 3.1.5 (common/policies/inquire) made of random policies. */
interface Recorded {
  /** `SignaturePolicyEnvelope` bytes, base64. */
  readonly policies: readonly string[];
  /** The principal sets of each policy; principals with blanks between. */
  readonly sets: readonly (readonly string[])[];
  /** What all of them were merged into, sorted: more than one where Fabric lets chance decide, none where one has no sets. */
  readonly merged: readonly (readonly string[])[];
}

const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recordings/principal-sets.json'), 'utf8'),
) as readonly Recorded[];

const textOf = (set: PrincipalSet) => set.map(keyOf).join(' ');
const sortedTextOf = (set: PrincipalSet) => set.map(keyOf).sort().join(' ');
const policyOf = (base64: string) => common.SignaturePolicyEnvelope.deserializeBinary(Buffer.from(base64, 'base64'));

test('each policy has the principal sets that Fabric finds, in its order', () => {
  for (const { policies, sets } of RECORDED) {
    expect(policies.map((policy) => principalSetsOf(policyOf(policy)).map(textOf))).toEqual(sets);
  }
  expect(RECORDED.flatMap(({ policies }) => policies)).toHaveLength(377);
});

test('policies merge into what Fabric merges them into', () => {
  const mergeable = RECORDED.filter(({ merged }) => merged.length > 0);
  for (const { policies, merged } of mergeable) {
    const merger = new PrincipalSetMerger();
    const read = policies.map((policy) => principalSetsOf(policyOf(policy)).flatMap((set) => merger.read(set) ?? []));
    const ours = merger.merge(read).map((set) => sortedTextOf(merger.toPrincipalSet(set)));
    expect(merged).toContainEqual(ours.sort());
  }
  expect(mergeable).toHaveLength(122);
});
