import { peer } from '@hyperledger/fabric-protos';
import { EndorsementPlan } from '../../src/gateway/endorsement-plan.ts';
import type { GatewayEndorser } from '../../src/gateway/gateway-context.ts';
import { identityOf } from '../inquire/endorsement.ts';

const endorserOf = (name: string): GatewayEndorser => ({
  address: name,
  mspId: identityOf(name).mspId,
  isLocal: false,
  identity: identityOf(name),
  height: () => 1n,
  hasChaincode: () => true,
  processProposal: () => Promise.reject(new Error('nobody is asked here')),
});
const [a0, a1, b0] = ['a0', 'a1', 'b0'].map(endorserOf) as [GatewayEndorser, GatewayEndorser, GatewayEndorser];

function responseOf({ address }: GatewayEndorser, payload = 'same'): peer.ProposalResponse {
  const endorsement = new peer.Endorsement();
  endorsement.setEndorser(Buffer.from(address));
  const response = new peer.ProposalResponse();
  response.setPayload(Buffer.from(payload));
  response.setEndorsement(endorsement);
  return response;
}

const planOf = (layouts: Record<string, number>[], groups: Record<string, GatewayEndorser[]>) =>
  new EndorsementPlan(
    layouts.map((layout) => new Map(Object.entries(layout))),
    new Map(Object.entries(groups)),
  );
const endorsersOf = (plan: EndorsementPlan) =>
  plan.result?.endorsements.map((endorsement) => Buffer.from(endorsement.getEndorser_asU8()).toString());

test('a layout takes its peers out of their groups and is complete when all have endorsed', () => {
  const plan = planOf([{ G0: 2, G1: 1 }], { G0: [a0, a1], G1: [b0] });
  expect(plan.endorsers()).toEqual([a0, a1, b0]);
  for (const endorser of [b0, a0]) plan.addEndorsement(endorser, responseOf(endorser));
  expect(plan.isComplete).toBe(false);
  plan.addEndorsement(a1, responseOf(a1));
  expect(endorsersOf(plan)).toEqual(['b0', 'a0', 'a1']);
});

test('a peer in two groups counts in the last: a layout that needs it in both is asked for, and never complete', () => {
  const plan = planOf([{ MEMBER: 1, PEER: 1 }], { MEMBER: [a0], PEER: [a0] });
  plan.addEndorsement(a0, responseOf(a0));
  expect(plan.endorsers()).toEqual([a0]);
  plan.addEndorsement(a0, responseOf(a0));
  plan.abandonGroups([]);
  expect([plan.isComplete, plan.endorsers(), plan.errors]).toEqual([false, undefined, []]);
});

test('a peer that has endorsed before the plan was made is not asked again', () => {
  const plan = planOf([{ G0: 1, G1: 1 }], { G0: [a0, a1], G1: [b0] });
  plan.addEndorsement(a0, responseOf(a0));
  expect(plan.endorsers()).toEqual([b0]);
  plan.addEndorsement(b0, responseOf(b0));
  expect(endorsersOf(plan)).toEqual(['a0', 'b0']);
});

test('an endorsement by a peer in no group counts for nothing, but its payload is what the others must have', () => {
  const plan = planOf([{ G1: 1 }], { G1: [b0] });
  expect(plan.addEndorsement(a0, responseOf(a0, 'first'))).toBe(true);
  expect(plan.endorsers()).toEqual([b0]);
  expect(plan.addEndorsement(b0, responseOf(b0, 'other'))).toBe(false);
  expect(plan.errors).toEqual([{ address: 'b0', mspId: 'B', message: 'ProposalResponsePayloads do not match' }]);
});

test('when a group has no more peers, the next layout without it is tried', () => {
  const plan = planOf([{ G0: 1 }, { G0: 1, G1: 1 }, { G1: 1 }], { G0: [a0, a1], G1: [b0] });
  expect(plan.endorsers()).toEqual([a0]);
  expect(plan.nextInGroup(a0)).toBe(a1);
  expect(plan.nextInGroup(a1)).toBeUndefined();
  plan.abandonGroups(['G0']);
  expect(plan.endorsers()).toEqual([b0]);
});
