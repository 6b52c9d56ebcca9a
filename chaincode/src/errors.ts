import type { ErrorCode } from '@waymark/protocol';
import { canonicalJson } from './json/canonical.ts';

/** Facts about a refusal: ids, places, limits and reasons; never what was submitted. */
export type RefusalDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * A refusal of the contract. Only the message text of an error survives peer and gateway, so the message carries everything:
 * `WAYMARK_<CODE>: {json}`, the code in upper snake case, the JSON with sorted keys.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, details: RefusalDetails) {
    super(`WAYMARK_${code.toUpperCase().replaceAll('-', '_')}: ${canonicalJson(details)}`);
    this.code = code;
  }
}

/** Refuses input that does not have its form; `place` is a path such as `batches[3].cid`. */
export function refuseInput(place: string, reason: string): never {
  throw new Refusal('input-invalid', { place, reason });
}
