import type { MspRegistry } from '../msp/msp.ts';
import type { SignedData } from '../policy/policy.ts';

/** Verdicts by signed data and by the MSPs that judged it: the peers of a process share the work. */
const verdicts = new WeakMap<SignedData, WeakMap<MspRegistry, boolean>>();

/** Whether the creator is valid in its MSP and signed the payload (core/common/validation/msgvalidation.go). */
export function isSignedByCreator(creator: SignedData, msps: MspRegistry): boolean {
  let byRegistry = verdicts.get(creator);
  if (byRegistry === undefined) {
    byRegistry = new WeakMap();
    verdicts.set(creator, byRegistry);
  }
  let verdict = byRegistry.get(msps);
  if (verdict === undefined) {
    verdict = judge(creator, msps);
    byRegistry.set(msps, verdict);
  }
  return verdict;
}

function judge(creator: SignedData, msps: MspRegistry): boolean {
  try {
    return msps.deserialize(creator.identity).verify(creator.data, creator.signature);
  } catch {
    return false;
  }
}
