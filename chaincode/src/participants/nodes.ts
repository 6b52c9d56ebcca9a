import { Refusal } from '../errors.ts';
import type { Ledger } from '../state/ledger.ts';
import { maximumCertificates } from './input.ts';
import { nodeKey, type Node, type NodeKind, type RevocationReason } from './model.ts';

/** A node of the caller's organisation and the transaction that changes it. */
export interface NodeChange {
  readonly ledger: Ledger;
  readonly mspId: string;
  readonly enrolmentId: string;
  readonly txId: string;
}

/** What a change did. */
export interface NodeOutcome {
  readonly node: Node;
  /** Whether this call changed nothing. */
  readonly repeated: boolean;
}

/** Registers a node. The same registration again changes nothing; another under the same id is a `conflict`. */
export async function register(change: NodeChange, kind: NodeKind, digests: readonly string[]): Promise<NodeOutcome> {
  const certificates = [...new Set(digests)].sort();
  const existing = await change.ledger.get(nodeKey(change.mspId, change.enrolmentId));
  if (existing !== undefined) {
    const held = existing.certificates.filter(({ state }) => state === 'valid').map(({ digest }) => digest);
    const same =
      existing.state === 'registered' &&
      existing.kind === kind &&
      certificates.every((digest) => held.includes(digest));
    if (same) return { node: existing, repeated: true };
    throw conflict(change, existing.state === 'revoked' ? 'node-revoked' : 'node-exists');
  }
  return write(change, {
    v: 1,
    mspId: change.mspId,
    enrolmentId: change.enrolmentId,
    kind,
    state: 'registered',
    certificates: certificates.map((digest) => ({ digest, state: 'valid', txId: change.txId })),
    txId: change.txId,
  });
}

/** Revokes a node for good. */
export async function revoke(change: NodeChange, reason: RevocationReason): Promise<NodeOutcome> {
  const node = await existingNode(change);
  if (node.state === 'revoked') return { node, repeated: true };
  return write(change, { ...node, state: 'revoked', reason, txId: change.txId });
}

/** Adds a certificate; `replaces` revokes another (as superseded) in the same transaction. */
export async function addCertificate(change: NodeChange, digest: string, replaces?: string): Promise<NodeOutcome> {
  const node = await existingNode(change);
  if (node.state === 'revoked') throw conflict(change, 'node-revoked');
  const held = node.certificates.find((certificate) => certificate.digest === digest);
  if (held?.state === 'revoked') throw conflict(change, 'certificate-revoked');
  const added: Node =
    held === undefined
      ? {
          ...node,
          certificates: [...node.certificates, { digest, state: 'valid', txId: change.txId }],
          txId: change.txId,
        }
      : node;
  if (added.certificates.length > maximumCertificates) {
    throw new Refusal('limit-exceeded', {
      enrolmentId: change.enrolmentId,
      limit: maximumCertificates,
      what: 'certificates',
    });
  }
  const result = replaces === undefined ? added : withoutCertificate(change, added, replaces, 'superseded');
  return result === node ? { node, repeated: true } : write(change, result);
}

/** Revokes one certificate of a node. */
export async function revokeCertificate(
  change: NodeChange,
  digest: string,
  reason: RevocationReason,
): Promise<NodeOutcome> {
  const node = await existingNode(change);
  const result = withoutCertificate(change, node, digest, reason);
  return result === node ? { node, repeated: true } : write(change, result);
}

function withoutCertificate(change: NodeChange, node: Node, digest: string, reason: RevocationReason): Node {
  const held = node.certificates.find((certificate) => certificate.digest === digest);
  if (held === undefined)
    throw new Refusal('refused', { enrolmentId: change.enrolmentId, reason: 'no-such-certificate' });
  if (held.state === 'revoked') return node;
  return {
    ...node,
    certificates: node.certificates.map((certificate) =>
      certificate === held ? { digest, state: 'revoked', reason, txId: change.txId } : certificate,
    ),
    txId: change.txId,
  };
}

async function existingNode(change: NodeChange): Promise<Node> {
  const node = await change.ledger.get(nodeKey(change.mspId, change.enrolmentId));
  if (node === undefined)
    throw new Refusal('refused', { enrolmentId: change.enrolmentId, mspId: change.mspId, reason: 'no-such-node' });
  return node;
}

async function write(change: NodeChange, node: Node): Promise<NodeOutcome> {
  await change.ledger.put(nodeKey(change.mspId, change.enrolmentId), node);
  return { node, repeated: false };
}

function conflict(change: NodeChange, reason: string): Refusal {
  return new Refusal('conflict', { enrolmentId: change.enrolmentId, mspId: change.mspId, reason });
}
