import { X509Certificate } from 'node:crypto';
import { loadOrganisationCa } from '@waymark/devnet/ca';
import type { Ledger } from '@waymark/fabric';
import type { Consortium } from '@waymark/network';
import { sha256, toHex } from '@waymark/protocol';
import type { Firm, Identity } from '../support/running-consortium.ts';

/** Kinds of node that the register knows. */
export type NodeKind = 'center' | 'outlet' | 'department' | 'reader' | 'client';

/** An identity that the firm's CA issued. */
export interface IssuedNode extends Identity {
  readonly enrolmentId: string;
  readonly mspId: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly digest: string;
}

/** An identity that the register knows as well. */
export interface EnrolledNode extends IssuedNode {
  /** Takes the node out of the register, for good. */
  revoke(): Promise<void>;
}

/** Issues an identity without telling the register. */
export async function issue(consortium: Consortium, firm: Firm, enrolmentId: string): Promise<IssuedNode> {
  const ca = await loadOrganisationCa(consortium.layout.organisationCa(firm.organisation));
  const { certificatePem, privateKeyPem } = await ca.issue({ enrolmentId, role: 'client' });
  const digest = toHex(sha256(new X509Certificate(certificatePem).raw));
  return { enrolmentId, mspId: firm.mspId, certificatePem, privateKeyPem, digest };
}

/** Issues an identity and registers it as a node of its firm. */
export async function enrol(
  consortium: Consortium,
  firm: Firm,
  admin: Ledger,
  { enrolmentId, kind }: { enrolmentId: string; kind: NodeKind },
): Promise<EnrolledNode> {
  const node = await issue(consortium, firm, enrolmentId);
  await changeRegister(admin, 'registerNode', { enrolmentId, kind, certificates: [node.digest] });
  return { ...node, revoke: () => changeRegister(admin, 'revokeNode', { enrolmentId, reason: 'ceased' }) };
}

/** Submits a change of the register and waits until it is committed. */
export async function changeRegister(admin: Ledger, fn: string, argument: object): Promise<void> {
  const submitted = await admin.submit('participants', fn, [JSON.stringify(argument)], { retryable: true });
  await submitted.commit();
}
