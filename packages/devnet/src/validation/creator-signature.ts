import type { MspRegistry } from '../msp/msp.ts';
import { hasSigned, type SignedData } from '../policy/policy.ts';

/** Whether the creator is valid in its MSP and signed the payload (core/common/validation/msgvalidation.go). */
export function isSignedByCreator(creator: SignedData, msps: MspRegistry): boolean {
  try {
    return hasSigned(msps.deserialize(creator.identity), creator);
  } catch {
    return false;
  }
}
