import { type BatchStatement, toHex } from '@waymark/protocol';
import type { Standing } from './facts.ts';

/** A node of the firm as the participant register has it. */
export interface RegisteredDepartment {
  readonly kind: string;
  readonly revoked: boolean;
  /** Digests (lower-case hex) of its certificates and whether each still counts. */
  readonly certificates: ReadonlyMap<string, 'valid' | 'revoked'>;
}

/** What may submit: the kinds of node that S4's checks let through. */
const kinds: ReadonlySet<string> = new Set(['outlet', 'department']);
const maxRemembered = 1_024;

/**
 * Standings by the participant register. Remembers when it first saw that a right was withdrawn.
 * @param nowMs clock of this member
 */
export function standingByRegister(
  register: { node(msp: string, enrolmentId: string): RegisteredDepartment | undefined },
  nowMs: () => number,
): (statement: BatchStatement) => Standing {
  const seen = new Map<string, number>();
  return ({ msp, outlet, certificateDigest }) => {
    const node = register.node(msp, outlet);
    if (node === undefined || !kinds.has(node.kind)) return { state: 'unknown' };
    const digest = toHex(certificateDigest);
    const state = node.revoked ? 'revoked' : node.certificates.get(digest);
    if (state === 'valid') return { state: 'in-order' };
    if (state === undefined) return { state: 'unknown' };
    const name = `${outlet} ${digest}`;
    const sinceMs = seen.get(name) ?? nowMs();
    if (!seen.has(name) && seen.size < maxRemembered) seen.set(name, sinceMs);
    return { state: 'withdrawn', sinceMs };
  };
}
