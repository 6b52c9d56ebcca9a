import { Refusal, refuseInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { requireNode, requireOrganisation } from '../participants/authority.ts';
import { requireConfirmed, requireLedger } from './confirmation.ts';
import { requireElected } from './election.ts';
import { noBlock, type AnchorInput, type Header } from './input.ts';
import { memberKinds, requireSigned, type LedgerContext } from './members.ts';
import { isIncluded, leafHash } from './merkle.ts';
import { anchorKey, headKey, type LedgerHead, type StoredAnchor } from './model.ts';
import { anchoring, anchorLeaf } from './statements.ts';

/** What became of an anchor. */
export interface AnchorOutcome {
  readonly anchor: StoredAnchor;
  /** Whether the chain already had exactly this range. */
  readonly repeated: boolean;
}

/**
 * Anchors a range of blocks (D7): confirmed by the seals that come along, following the last anchor in height and by hash, of the center in office or of one
 * that the members have elected since. Anchors are written once: the same range with the same blocks changes nothing, whoever sends it.
 *
 * @throws `role-not-permitted`, `certificate-revoked`, `certificate-untrusted`, `signature-invalid`, `sequence-gap`, `conflict`, `recipient-mismatch`,
 * `input-invalid`
 */
export async function anchor(
  context: LedgerContext,
  caller: Caller,
  input: AnchorInput,
  txId: string,
): Promise<AnchorOutcome> {
  const { ledger, msp } = context;
  await requireOrganisation(ledger, msp);
  await requireNode(ledger, caller, memberKinds);
  requireLedger(context.name, input.ledger);
  const head = await ledger.get(headKey(msp));
  if (head === undefined) throw new Refusal('refused', { ledger: context.name, reason: 'not-registered' });
  const { first, last, root } = input;
  const [top] = input.seals;
  if (top?.header.height !== last || first > last) return refuseInput('anchor.last', 'is not the first seal’s');
  const existing = await ledger.get(anchorKey(msp, last));
  if (existing !== undefined) {
    if (existing.first === first && existing.hash === top.header.hash && existing.root === root)
      return { anchor: existing, repeated: true };
    throw new Refusal('conflict', { last, reason: 'anchored' });
  }
  requireNext(head, first);
  requireRange(context, head, input, top.header);
  await requireCenter(context, head, input, top.header);
  await requireConfirmed(context, input.seals, { place: 'anchor.seals', mustBeValid: true });
  const { hash, epoch, timestamp, term: blockTerm } = top.header;
  const { term, center } = input;
  const stored: StoredAnchor = {
    v: 1,
    msp,
    first,
    last,
    hash,
    prev: head.hash,
    root,
    term,
    center,
    epoch,
    blockTerm,
    timestamp: new Date(timestamp).toISOString(),
    node: caller.enrolmentId,
    txId,
  };
  await ledger.put(anchorKey(msp, last), stored);
  await ledger.put(headKey(msp), { v: 1, msp, last, hash, term, center, epoch });
  return { anchor: stored, repeated: false };
}

function requireNext(head: LedgerHead, first: number): void {
  const expected = head.last + 1;
  if (first < expected) throw new Refusal('conflict', { expected, first, reason: 'anchored' });
  if (first > expected) throw new Refusal('sequence-gap', { expected, first, reason: 'missing' });
}

/** The first block follows the last anchor by hash, and both ends are under the root, so that nobody can anchor a range of something else. */
function requireRange(
  { name }: LedgerContext,
  head: LedgerHead,
  { first, last, root, opening }: AnchorInput,
  top: Header,
): void {
  if ((opening === null) !== (first === last)) refuseInput('anchor.opening', 'is for ranges of more than one block');
  const bottom = opening?.header ?? top;
  requireLedger(name, bottom.ledger);
  if (bottom.height !== first) refuseInput('anchor.opening.header', 'is not the first block');
  if (bottom.prev !== (head.hash ?? noBlock)) throw new Refusal('sequence-gap', { first, reason: 'prev' });
  const size = last - first + 1;
  const ends: readonly (readonly [Header, number, readonly string[] | undefined])[] = [
    [bottom, 0, opening?.first],
    [top, size - 1, opening?.last],
  ];
  for (const [header, index, path = []] of ends) {
    if (!isIncluded(leafHash(anchorLeaf(name, header.height, header.hash)), { index, size, path, root }))
      refuseInput('anchor.root', `is not over the block at ${header.height}`);
  }
}

/** Fences by term: no term lower than the last one, one center a term, and a new term by election only. */
async function requireCenter(context: LedgerContext, head: LedgerHead, input: AnchorInput, top: Header): Promise<void> {
  const { first, last, root, term, center, election, signature } = input;
  if (term < head.term) throw new Refusal('conflict', { expected: head.term, reason: 'term-stale', term });
  if (term === head.term) {
    if (center !== head.center) throw new Refusal('role-not-permitted', { center, reason: 'not-the-center', term });
    if (election !== null) refuseInput('anchor.election', 'is only for a new term');
  } else {
    if (election === null) throw new Refusal('role-not-permitted', { center, reason: 'not-elected', term });
    if (election.term !== term || election.center !== center)
      refuseInput('anchor.election', 'is of another term or center');
    await requireElected(context, election, head, 'anchor.election');
  }
  if (input.seals.some(({ header }) => header.term > term)) refuseInput('anchor.term', 'is below a block’s');
  if (top.epoch < head.epoch) throw new Refusal('conflict', { epoch: top.epoch, reason: 'epoch-stale' });
  const { epoch, hash } = top;
  const statement = anchoring({ ledger: context.name, epoch, first, last, hash, root, term, center });
  await requireSigned(context, { kind: 'anchor', member: center, statement, signature }, true);
}
