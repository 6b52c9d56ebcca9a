import { toHex, WaymarkError } from '@waymark/protocol';

/** A node of the organisation as the participant register has it. */
export interface RegisteredNode {
  readonly kind: 'center' | 'outlet' | 'department' | 'reader' | 'client';
  readonly revoked: boolean;
  /** Digests (lower-case hex) of its certificates and whether each still counts. */
  readonly certificates: ReadonlyMap<string, 'valid' | 'revoked'>;
}

/** The register's view on one organisation's nodes. */
export interface Register {
  node(msp: string, enrolmentId: string): RegisteredNode | undefined;
}

/**
 * Checks that a certificate belongs to a current node of one of these kinds (S4: "a current outlet of its own organisation").
 * @throws WaymarkError certificate-revoked, role-not-permitted
 */
export function requireRegistered(
  register: Register,
  certificate: { msp: string; enrolmentId: string; digest: Uint8Array },
  kinds: readonly RegisteredNode['kind'][],
): RegisteredNode {
  const node = register.node(certificate.msp, certificate.enrolmentId);
  const notPermitted = (reason: string): WaymarkError =>
    new WaymarkError('role-not-permitted', `The certificate's holder ${reason}.`, { details: { permitted: kinds } });
  if (node === undefined) throw notPermitted('is not registered');
  if (node.revoked) throw new WaymarkError('certificate-revoked', 'The node was revoked.');
  if (!kinds.includes(node.kind)) throw notPermitted(`is registered as ${node.kind}`);
  const state = node.certificates.get(toHex(certificate.digest));
  if (state === 'revoked') throw new WaymarkError('certificate-revoked', 'The certificate was revoked.');
  if (state === undefined) throw notPermitted('is registered with other certificates');
  return node;
}
