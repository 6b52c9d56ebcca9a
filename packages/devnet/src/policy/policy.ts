import type { common } from '@hyperledger/fabric-protos';
import type { Identity, MspRegistry } from '../msp/msp.ts';

/** A rule over who signed. */
export interface Policy {
  /** `identities` are distinct and have signed; see {@link validSigners}. */
  evaluate(identities: readonly Identity[]): boolean;
  /** Fabric's text for identities that do not satisfy it. */
  whyNot(identities: readonly Identity[]): string;
  /** The same rule as a signature policy, for those who look for signers; undefined or missing when there is none. */
  toSignaturePolicy?(): common.SignaturePolicyEnvelope | undefined;
}

/** Bytes and who is said to have signed them. */
export interface SignedData {
  readonly data: Uint8Array;
  /** `msp.SerializedIdentity` bytes. */
  readonly identity: Uint8Array;
  readonly signature: Uint8Array;
  /** What was found of the signature: the peers of a process share the work. */
  verdict?: { readonly fingerprint: string; readonly isRight: boolean };
}

/** The policy of a missing or broken definition: nobody satisfies it, as in Fabric. */
export const REJECT_POLICY: Policy = rejectPolicy('');

/** As {@link REJECT_POLICY}, for the name of a policy that is not there. */
export function rejectPolicy(name: string): Policy {
  return { evaluate: () => false, whyNot: () => `no such policy: '${name}'` };
}

/**
 * The distinct, valid identities whose signatures are right; the others are left out without an error
 * (common/policies/policy.go, SignatureSetToValidIdentities).
 */
export function validSigners(signatures: readonly SignedData[], msps: MspRegistry): Identity[] {
  const seen = new Set<string>();
  const identities: Identity[] = [];
  for (const signed of signatures) {
    const identity = deserialize(signed.identity, msps);
    if (identity === undefined) continue;
    const key = `${identity.mspId}\u0000${identity.fingerprint}`;
    if (seen.has(key) || !hasSigned(identity, signed)) continue;
    seen.add(key);
    identities.push(identity);
  }
  return identities;
}

/** Whether the identity, which is the one that the signed data names, made the signature. */
export function hasSigned(identity: Identity, signed: SignedData): boolean {
  const { fingerprint } = identity;
  if (signed.verdict?.fingerprint !== fingerprint) {
    signed.verdict = { fingerprint, isRight: identity.verify(signed.data, signed.signature) };
  }
  return signed.verdict.isRight;
}

/** Whether the signatures satisfy the policy. */
export function evaluateSignedData(policy: Policy, signatures: readonly SignedData[], msps: MspRegistry): boolean {
  return policy.evaluate(validSigners(signatures, msps));
}

function deserialize(serialized: Uint8Array, msps: MspRegistry): Identity | undefined {
  try {
    return msps.deserialize(serialized);
  } catch {
    return undefined;
  }
}
