import { Refusal } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { Ledger } from '../state/ledger.ts';
import { membersKey, nodeKey, organisationKey, type Node, type NodeKind, type Organisation } from './model.ts';

/**
 * Refuses a caller whose certificate does not carry Fabric's admin role (NodeOU `admin`), which only the organisation's own CA gives.
 *
 * @throws `role-not-permitted`
 */
export function requireAdmin(caller: Caller): void {
  if (!caller.units.includes('admin')) throw new Refusal('role-not-permitted', { reason: 'not-an-admin' });
}

/**
 * The organisation, when it is admitted. Before the founding nobody is.
 *
 * @throws `role-not-permitted` (`not-founded`, `organisation-not-admitted`)
 */
export async function requireOrganisation(ledger: Ledger, mspId: string): Promise<Organisation> {
  const organisation = await ledger.get(organisationKey(mspId));
  if (organisation !== undefined) return organisation;
  const members = await ledger.get(membersKey);
  throw new Refusal('role-not-permitted', {
    mspId,
    reason: members === undefined ? 'not-founded' : 'organisation-not-admitted',
  });
}

/**
 * The node, when it is registered for one of these kinds, not revoked, and the certificate is one of its own and not revoked.
 *
 * @param certificate SHA-256 of the DER, lower-case hex
 * @throws `role-not-permitted` (`node-not-registered`, `node-kind`), `certificate-revoked`, `certificate-untrusted`
 */
export async function requireNode(
  ledger: Ledger,
  id: { readonly mspId: string; readonly enrolmentId: string; readonly certificate: string },
  kinds: readonly NodeKind[],
): Promise<Node> {
  const facts = { enrolmentId: id.enrolmentId, mspId: id.mspId };
  const node = await ledger.get(nodeKey(id.mspId, id.enrolmentId));
  if (node === undefined) throw new Refusal('role-not-permitted', { ...facts, reason: 'node-not-registered' });
  if (!kinds.includes(node.kind))
    throw new Refusal('role-not-permitted', { ...facts, kind: node.kind, reason: 'node-kind' });
  if (node.state === 'revoked') throw new Refusal('certificate-revoked', { ...facts, reason: 'node-revoked' });
  const certificate = node.certificates.find((candidate) => candidate.digest === id.certificate);
  if (certificate === undefined)
    throw new Refusal('certificate-untrusted', { ...facts, reason: 'certificate-not-registered' });
  if (certificate.state === 'revoked')
    throw new Refusal('certificate-revoked', { ...facts, reason: 'certificate-revoked' });
  return node;
}
