import type { MembershipChange } from '@waymark/rsl';
import type { NodeKind } from '@waymark/service-kit';
import { changeMembership, handOver, type MembershipParts, type MembershipStep } from '../src/rest/membership.ts';

const digest = 'd'.repeat(64);

/** A center in office of a ledger with members a (in office), b and learner c; d is registered only. */
function ledger(state: { match?: number; isHere?: boolean; kind?: NodeKind; isCertified?: boolean } = {}) {
  const { match = 100, isHere = true, kind = 'department', isCertified = true } = state;
  const changes: MembershipChange[] = [];
  const handed: string[] = [];
  const parts = {
    mspId: 'NorthlineMSP',
    privateLedger: {
      member: {
        office: () => ({ center: 'a', term: 3, isHere }),
        status: () => ({
          configuration: { epoch: 4, members: ['a', 'b'], learners: ['c'], eligible: ['a'] },
          pendingConfiguration: null,
          height: 100,
          progress: [{ member: 'c', match }],
        }),
        changeMembership: (change: MembershipChange) => void changes.push(change),
        handOver: (to: string) => void handed.push(to),
      },
    },
    register: {
      node: (_msp: string, id: string) =>
        id === 'stranger' ? undefined : { kind, revoked: id === 'revoked', certificates: new Map([[digest, 'valid']]) },
    },
    replica: {
      ledgerCertificates: () => (isCertified ? ['d', 'c', 'revoked'].map((member) => ({ member, digest })) : []),
    },
  } as unknown as MembershipParts;
  return { parts, changes, handed };
}

test.each<[MembershipStep, string, MembershipChange]>([
  ['add-learner', 'd', { type: 'add-learner', member: 'd' }],
  ['promote', 'c', { type: 'promote', member: 'c' }],
  ['remove', 'b', { type: 'remove', member: 'b' }],
  ['remove', 'c', { type: 'remove', member: 'c' }],
])('%s of %s is put on its way', (step, member, change) => {
  const { parts, changes } = ledger();
  expect(changeMembership(parts, step, member)).toEqual({ changed: true });
  expect(changes).toEqual([change]);
});

test('only a registered center may become center', () => {
  const department = ledger();
  expect(() => changeMembership(department.parts, 'make-eligible', 'b')).toThrow(
    expect.objectContaining({ code: 'refused', details: { reason: 'not-a-center' } }) as Error,
  );
  const center = ledger({ kind: 'center' });
  expect(changeMembership(center.parts, 'make-eligible', 'b')).toEqual({ changed: true });
  expect(center.changes).toEqual([{ type: 'eligible', members: ['a', 'b'] }]);
});

test.each<[MembershipStep, string]>([
  ['add-learner', 'c'],
  ['promote', 'b'],
  ['remove', 'd'],
  ['make-eligible', 'a'],
])('%s of %s, which is so already, changes nothing', (step, member) => {
  const { parts, changes } = ledger();
  expect(changeMembership(parts, step, member)).toEqual({ changed: false });
  expect(changes).toEqual([]);
});

test.each<[string, Parameters<typeof ledger>[0], MembershipStep, string, object]>([
  ['a node that is not registered', {}, 'add-learner', 'stranger', { code: 'refused', details: { reason: 'not-registered' } }], // prettier-ignore
  ['a revoked node', {}, 'add-learner', 'revoked', { code: 'refused', details: { reason: 'not-registered' } }],
  ['a reader', { kind: 'reader' }, 'add-learner', 'd', { code: 'refused', details: { reason: 'not-registered' } }],
  ['a node whose certificate the channel does not know as a member\'s', { isCertified: false }, 'add-learner', 'd', { code: 'refused', details: { reason: 'certificates-missing' } }], // prettier-ignore
  ['a learner that lacks blocks', { match: 10 }, 'promote', 'c', { code: 'conflict', details: { reason: 'behind' } }],
  ['the member in office', {}, 'remove', 'a', { code: 'conflict', details: { reason: 'in-office' } }],
  ['anything at a member that is not in office', { isHere: false }, 'remove', 'b', { code: 'unavailable', details: { center: 'a' } }], // prettier-ignore
])('%s is not taken', (_what, state, step, member, error) => {
  const { parts, changes } = ledger(state);
  expect(() => changeMembership(parts, step, member)).toThrow(expect.objectContaining(error) as Error);
  expect(changes).toEqual([]);
});

test('the office goes only to whom may have it; to who has it, it need not', () => {
  const { parts, handed } = ledger();
  expect(handOver(parts.privateLedger, 'a')).toEqual({ changed: false });
  expect(() => handOver(parts.privateLedger, 'b')).toThrow(expect.objectContaining({ code: 'input-invalid' }) as Error);
  expect(handed).toEqual([]);
});
