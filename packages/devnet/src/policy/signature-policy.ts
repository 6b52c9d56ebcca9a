import { common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import type { Identity } from '../msp/msp.ts';
import { compilePrincipal, type PrincipalMatcher } from '../msp/principal.ts';
import type { Policy } from './policy.ts';

/** Evaluates one rule, marking the signatures it takes in `used`: a signature counts for one principal only. */
type Evaluator = (identities: readonly Identity[], used: boolean[]) => boolean;

const MAX_DEPTH = 64;

/**
 * Compiles a signature policy (common/cauthdsl/cauthdsl.go). Branches are tried in order and greedily, without going back,
 * which is Fabric's way. Throws DevnetError POLICY_INVALID.
 */
export function compileSignaturePolicy(envelope: common.SignaturePolicyEnvelope): Policy {
  if (envelope.getVersion() !== 0) throw new DevnetError('POLICY_INVALID', 'only version 0 policies are understood');
  const matchers = envelope.getIdentitiesList().map(compilePrincipal);
  const evaluator = compileRule(envelope.getRule(), matchers, 0);
  return {
    evaluate: (identities) => evaluator(identities, new Array<boolean>(identities.length).fill(false)),
    whyNot: () => 'signature set did not satisfy policy',
    toSignaturePolicy: () => envelope,
  };
}

/** As {@link compileSignaturePolicy}, of bytes. */
export function parseSignaturePolicy(bytes: Uint8Array): Policy {
  let envelope: common.SignaturePolicyEnvelope;
  try {
    envelope = common.SignaturePolicyEnvelope.deserializeBinary(bytes);
  } catch (cause) {
    throw new DevnetError('POLICY_INVALID', 'a signature policy cannot be read', { cause });
  }
  return compileSignaturePolicy(envelope);
}

function compileRule(
  rule: common.SignaturePolicy | undefined,
  matchers: readonly PrincipalMatcher[],
  depth: number,
): Evaluator {
  if (rule === undefined || depth > MAX_DEPTH) throw new DevnetError('POLICY_INVALID', 'Empty policy element');
  const nOutOf = rule.getNOutOf();
  if (nOutOf !== undefined) {
    const branches = nOutOf.getRulesList().map((branch) => compileRule(branch, matchers, depth + 1));
    return evaluateNOutOf(nOutOf.getN(), branches);
  }
  if (!rule.hasSignedBy()) throw new DevnetError('POLICY_INVALID', 'Unknown type');
  const matches = matchers[rule.getSignedBy()];
  if (matches === undefined) {
    throw new DevnetError('POLICY_INVALID', 'identity index out of range', {
      details: { index: rule.getSignedBy(), identities: matchers.length },
    });
  }
  return (identities, used) => {
    const index = identities.findIndex((identity, i) => used[i] !== true && matches(identity));
    if (index < 0) return false;
    used[index] = true;
    return true;
  };
}

function evaluateNOutOf(n: number, branches: readonly Evaluator[]): Evaluator {
  return (identities, used) => {
    let satisfied = 0;
    for (const branch of branches) {
      const attempt = [...used];
      if (!branch(identities, attempt)) continue;
      satisfied++;
      attempt.forEach((taken, i) => (used[i] = taken));
    }
    return satisfied >= n;
  };
}
