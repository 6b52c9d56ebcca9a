import { toHex, WaymarkError } from '@waymark/protocol';
import type { Replica } from '../replica/replica.ts';

/** The kinds of node in the participant register. */
export type NodeKind = 'center' | 'outlet' | 'department' | 'reader' | 'client';

/** A node of the organisation as the participant register has it. */
export interface RegisteredNode {
  readonly kind: NodeKind;
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
  kinds: readonly NodeKind[],
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

const kinds: ReadonlySet<string> = new Set<NodeKind>(['center', 'outlet', 'department', 'reader', 'client']);

/** The register as a node's replica has it. A kind this version does not know may do nothing. */
export function replicaRegister(replica: Pick<Replica, 'node'>): Register {
  return {
    node(msp, enrolmentId) {
      const node = replica.node(msp, enrolmentId);
      if (node === undefined || !kinds.has(node.kind)) return undefined;
      return {
        kind: node.kind as NodeKind,
        revoked: node.state === 'revoked',
        certificates: new Map(node.certificates.map(({ digest, state }) => [digest, state])),
      };
    },
  };
}
