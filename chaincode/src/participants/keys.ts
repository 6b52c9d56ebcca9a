import { Refusal } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { canonicalJson } from '../json/canonical.ts';
import type { Ledger } from '../state/ledger.ts';
import { requireNode, requireOrganisation } from './authority.ts';
import { readKeyStatement } from './key-statement.ts';
import { keyHeadKey, keyStatementKey, nodeKinds, type KeyStatement } from './model.ts';

/** What a publication did. */
export interface KeyOutcome {
  readonly seq: number;
  readonly kid: string;
  /** Whether this call changed nothing. */
  readonly repeated: boolean;
}

/**
 * Puts the caller's key statement into the register (vault, "Keys"). The caller is a registered node of an admitted organisation;
 * the statement is its own (`readKeyStatement`); `seq` follows the last one and `prevKid` links to it. Statements are
 * written once; the same claims again change nothing, though signed anew.
 *
 * @throws `role-not-permitted`, `certificate-revoked`, `certificate-untrusted`, `sequence-gap`, `conflict`, and as `readKeyStatement`
 */
export async function publish(ledger: Ledger, caller: Caller, channel: string, encoded: string): Promise<KeyOutcome> {
  await requireOrganisation(ledger, caller.mspId);
  await requireNode(ledger, caller, nodeKinds);
  const statement = readKeyStatement(caller, channel, encoded);
  const { seq, kid } = statement;
  const place = keyStatementKey(caller.mspId, caller.enrolmentId, seq);
  const existing = await ledger.get(place);
  if (existing !== undefined) {
    if (claimsOf(existing) === claimsOf(statement)) return { seq, kid, repeated: true };
    throw new Refusal('conflict', { reason: 'sequence-used', seq });
  }
  const head = await ledger.get(keyHeadKey(caller.mspId, caller.enrolmentId));
  const expected = (head?.seq ?? 0) + 1;
  if (seq !== expected) throw new Refusal('sequence-gap', { expected, reason: 'missing', seq });
  if (statement.prevKid !== (head?.kid ?? null)) throw new Refusal('sequence-gap', { reason: 'prev', seq });
  if (kid === head?.kid) throw new Refusal('conflict', { reason: 'same-key', seq });
  await ledger.put(place, statement);
  await ledger.put(keyHeadKey(caller.mspId, caller.enrolmentId), { v: 1, seq, kid });
  return { seq, kid, repeated: false };
}

/** What a statement says, without the signature, which differs each time it is made. */
function claimsOf(statement: KeyStatement): string {
  return canonicalJson({ ...statement, statement: undefined, certificate: undefined });
}
