import { common, msp } from '@hyperledger/fabric-protos';
import type { InquiredCall } from '../../src/inquire/index.ts';
import { EMPTY_POLICY, callOf, describeCalls, policyOf } from './endorsement.ts';

/** Each layout as the peers that it takes its endorsers from: `a0|a1` is one of the two, `2 of a0|a1` both. */
function layoutsOf(calls: readonly InquiredCall[], peers = ['a0', 'b0'], withoutChaincode: string[] = []): string[] {
  const { layouts, endorsersByGroup } = describeCalls(calls, peers, withoutChaincode);
  return layouts.map((layout) =>
    [...layout]
      .map(([group, quantity]) => `${quantity > 1 ? `${quantity} of ` : ''}${endorsersByGroup.get(group)?.join('|')}`)
      .join(' + '),
  );
}

const ANY = "OR('A.peer', 'B.peer')";
const BOTH = "AND('A.peer', 'B.peer')";

describe('layouts', () => {
  test.each<[string, readonly InquiredCall[], readonly string[]]>([
    ['a policy with a choice has a layout for each', [callOf(ANY)], ['a0', 'b0']],
    ['two chaincodes need what both need', [callOf(ANY), callOf(BOTH)], ['a0 + b0']],
    ['a key needs its own policy and that of the chaincode', [callOf(ANY, ["AND('B.peer')"])], ['b0']],
    ['a key with a policy may stand alone', [callOf(BOTH, ["AND('B.peer')"], true)], ['b0']],
    ['a peer of an organisation is a member of it', [callOf(BOTH, ["AND('A.member')"])], ['a0 + b0']],
    ['of one organisation, the narrower principal counts', [callOf(ANY, ["AND('A.member')"])], ['a0']],
    ['a principal that nobody satisfies takes its layouts with it', [callOf("OR('A.admin', 'B.peer')")], ['b0']],
  ])('%s', (_rule, calls, expected) => {
    expect(layoutsOf(calls)).toEqual(expected);
  });

  test('a policy that asks twice for one principal takes two peers', () => {
    expect(layoutsOf([callOf("AND('A.peer', 'A.peer')")], ['a0', 'a1', 'b0'])).toEqual(['2 of a0|a1']);
    expect(() => layoutsOf([callOf("AND('A.peer', 'A.peer')")])).toThrow(
      'no peer combination can satisfy the endorsement policy',
    );
  });

  test('a principal is a group: a peer that is in two is listed in both', () => {
    const { layouts, endorsersByGroup } = describeCalls(
      [callOf(ANY, ["AND('A.peer')", "AND('A.member', 'B.member')"], true)],
      ['a0', 'b0'],
    );
    expect(layouts.map((layout) => Object.fromEntries(layout))).toEqual([{ G0: 1, G1: 1, G2: 1 }]);
    expect(Object.fromEntries(endorsersByGroup)).toEqual({ G0: ['a0'], G1: ['b0'], G2: ['a0'] });
  });

  test('whether a narrower principal takes the place of a wider one depends on which policy comes first', () => {
    const narrowLast = callOf(ANY, ["AND('A.member', 'B.member')", "AND('A.peer')"], true);
    const narrowFirst = callOf(ANY, ["AND('A.peer')", "AND('A.member', 'B.member')"], true);
    expect(layoutsOf([narrowFirst])).toEqual(['a0 + b0 + a0']);
    expect(layoutsOf([narrowLast])).toEqual(['a0 + b0']);
  });

  test('members that two keys ask for stand for no peer that the chaincode asks for', () => {
    expect(layoutsOf([callOf(ANY, ["AND('A.member')", "AND('B.member')"])])).toEqual(['b0 + a0 + a0', 'b0 + a0 + b0']);
  });

  test('as in Fabric, sets that contain one another are joined with no others: a and b would do, and are not found', () => {
    const calls = [callOf("OR('A.peer', AND('B.peer', 'C.peer'))"), callOf("OR('B.peer', AND('A.peer', 'C.peer'))")];
    expect(layoutsOf(calls, ['a0', 'b0', 'c0'])).toEqual(['a0 + c0', 'b0 + c0']);
  });

  test('peers without the chaincode are in no group, and layouts that need them fall out', () => {
    expect(layoutsOf([callOf(ANY)], ['a0', 'a1', 'b0'], ['a0', 'b0'])).toEqual(['a1']);
  });
});

describe('refusals', () => {
  const combined = new msp.MSPPrincipal();
  combined.setPrincipalClassification(msp.MSPPrincipal.Classification.COMBINED);
  const ofCombined = policyOf(ANY).clone();
  ofCombined.setIdentitiesList([combined, combined]);
  const tooMuch = policyOf("OutOf(2, 'A.peer')");
  const noRule = policyOf(ANY).clone();
  noRule.clearRule();
  const noSigner = policyOf(ANY).clone();
  noSigner.getRule()?.getNOutOf()?.setN(0);
  const wrongIndex = policyOf(BOTH).clone();
  wrongIndex.setIdentitiesList(wrongIndex.getIdentitiesList().slice(0, 1));

  test.each<[string, InquiredCall, string]>([
    ['no policy', callOf(undefined), 'policy not found'],
    ['an empty policy', callOf(EMPTY_POLICY), 'policy not found'],
    ['a policy without a rule', callOf(noRule), 'policy not found'],
    ['a rule that needs more than it has', callOf(tooMuch), 'endorsement policy cannot be satisfied'],
    ['a rule that needs nothing', callOf(noSigner), 'endorsement policy cannot be satisfied'],
    ['a rule that names nobody', callOf(wrongIndex), 'endorsement policy cannot be satisfied'],
    [
      'a key with an empty policy',
      callOf(ANY, [EMPTY_POLICY], true),
      'state based endorsement policy cannot be satisfied',
    ],
    ['a key that nobody can sign for', callOf(ANY, [noSigner]), 'state based endorsement policy cannot be satisfied'],
    ['principals of many parts', callOf(ofCombined), 'failed creating a comparable principal set'],
    [
      'principals of many parts for a key',
      callOf(ANY, [ofCombined]),
      'failed creating a comparable principal set for state based endorsement',
    ],
    [
      'no policy that counts',
      callOf(ANY, [], true),
      "requested to disregard chaincode contract's policy but key and collection policies are missing, either disable DisregardNamespacePolicy or specify at least one key policy or at least one collection policy",
    ],
    [
      'an organisation without peers',
      callOf("AND('A.peer', 'C.peer')"),
      'no peer combination can satisfy the endorsement policy',
    ],
  ])('%s', (_what, call, text) => {
    expect(() => layoutsOf([call])).toThrow(new Error(text));
  });

  test('peers without the chaincode', () => {
    expect(() => layoutsOf([callOf(BOTH)], ['a0', 'b0'], ['b0'])).toThrow(
      new Error('required chaincodes are not installed on sufficient peers'),
    );
  });

  test('policies too large to be looked into are refused, not worked on for ever', () => {
    const rule = (n: number, rules: readonly common.SignaturePolicy[]) => {
      const nOutOf = new common.SignaturePolicy.NOutOf();
      nOutOf.setN(n);
      nOutOf.setRulesList([...rules]);
      const result = new common.SignaturePolicy();
      result.setNOutOf(nOutOf);
      return result;
    };
    const signedBy = (index: number) => {
      const leaf = new common.SignaturePolicy();
      leaf.setSignedBy(index);
      return leaf;
    };
    const names = Array.from({ length: 16 }, (_, index) => `'Org${index}.peer'`);
    const wide = policyOf(`AND(${names.join()})`).clone();
    const half = rule(
      8,
      names.map((_, index) => signedBy(index)),
    );
    wide.setRule(rule(3, [half, half, half]));
    expect(() => layoutsOf([callOf(wide)])).toThrow('the endorsement policy has too many combinations');
    wide.setRule(half);
    expect(() => layoutsOf([callOf(wide), callOf(wide)])).toThrow(
      'the endorsement policies have too many combinations',
    );
    const many = policyOf(`AND(${Array.from({ length: 1001 }, (_, index) => `'Org${index}.peer'`).join()})`);
    expect(() => layoutsOf([callOf(many)])).toThrow('the endorsement policies name too many principals');
  });
});
