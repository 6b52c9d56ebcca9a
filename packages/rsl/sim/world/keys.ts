import { hash } from 'node:crypto';
import { Buffer } from 'node:buffer';

/** Anything that has one JSON form: nested lists of texts, whole numbers, booleans and nulls. */
export type Plain = readonly (string | number | boolean | null | Plain)[];

/**
 * Signatures for a simulated world: SHA-256 over a secret per signer. Nobody in the world holds another's secret, so a
 * signature is as unforgeable as ES256 and a hundred times cheaper; the core is given them through its own port.
 */
export interface SimKeys {
  sign(signer: string, statement: Plain): string;
  verify(signer: string, statement: Plain, signature: string): boolean;
}

/** @param seed makes the secrets of one world different from another's */
export function createKeys(seed: number): SimKeys {
  const sign = (signer: string, statement: Plain): string =>
    hash('sha256', `secret/${seed}/${signer}/${JSON.stringify(statement)}`, 'hex');
  return { sign, verify: (signer, statement, signature) => sign(signer, statement) === signature };
}

/** SHA-256 of a statement's JSON form, hex. */
export function digestOf(statement: Plain): string {
  return hash('sha256', JSON.stringify(statement), 'hex');
}

/** Leaf hash of RFC 6962 section 2.1 over a statement's JSON form. */
export function leafHashOf(statement: Plain): Uint8Array {
  return hash('sha256', Buffer.from(`\u0000${JSON.stringify(statement)}`), 'buffer');
}

/** Merkle tree hash of RFC 6962 section 2.1 over leaf hashes, hex. */
export function merkleRootOf(leaves: readonly Uint8Array[]): string {
  return Buffer.from(treeHash(leaves)).toString('hex');
}

function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const inner = [Buffer.from([1]), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split))];
  return hash('sha256', Buffer.concat(inner), 'buffer');
}
