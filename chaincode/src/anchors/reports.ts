import { createHash } from 'node:crypto';
import { encodeCbor, type Cbor } from '../cose/cbor.ts';
import { Refusal, refuseInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { requireOrganisation } from '../participants/authority.ts';
import { requireConfirmed, requireLedger } from './confirmation.ts';
import { requireRegistered } from './configure.ts';
import type { CenterStatement, equivocationInput, forkInput, heldBackInput } from './input.ts';
import { requireSigned, type LedgerContext, type Signed } from './members.ts';
import { anchorKey, headKey, reportKey, type ReportKind, type StoredReport } from './model.ts';
import { departmentsDigest, proposal, receiving, sealing, type Statement } from './statements.ts';

/** What became of a report. */
export interface ReportOutcome {
  readonly report: StoredReport;
  /** Whether the chain already had it. */
  readonly repeated: boolean;
}

/** Who reports, and what was handed in (base64url). */
export interface Reporter {
  readonly caller: Caller;
  readonly evidence: string;
  readonly txId: string;
}

/**
 * Takes the proof that a center signed two things for one height of one term. Anything else is refused. Certificates are judged as if nothing had been
 * revoked: a revocation does not undo a lie, and readers see the certificates in the evidence.
 *
 * @throws `role-not-permitted`, `refused`, `input-invalid`, and as `requireSigned`
 */
export async function reportEquivocation(
  context: LedgerContext,
  reporter: Reporter,
  { ledger: name, center, first, second }: ReturnType<typeof equivocationInput>,
): Promise<ReportOutcome> {
  await requireReporter(context, reporter);
  const statements = [first, second].map((statement) => {
    requireLedger(context.name, name);
    if (statement.kind === 'seal') requireLedger(context.name, statement.header.ledger);
    if (statement.center !== center) refuseInput('evidence.center', 'is not that of both');
    return signedBy(context.name, statement);
  });
  const { height, term } = placeOf(first);
  if (!contradict(first, second)) refuseInput('evidence', 'proves nothing');
  for (const statement of statements) await requireSigned(context, statement, false);
  const id = idOf(
    'equivocation',
    statements.map(({ statement }) => statement),
  );
  return put(context, reporter, { id, kind: 'equivocation', height, term, center, proven: true });
}

/**
 * Takes the proof that a ledger was forked: two headers of one height, each confirmed by its own seals, or one that is not what is anchored at its height.
 *
 * @throws as `reportEquivocation`, and as `requireConfirmed`
 */
export async function reportFork(
  context: LedgerContext,
  reporter: Reporter,
  { ledger: name, first, second }: ReturnType<typeof forkInput>,
): Promise<ReportOutcome> {
  await requireReporter(context, reporter);
  requireLedger(context.name, name);
  const { height, term, hash } = await requireConfirmed(context, first, {
    place: 'evidence.first',
    mustBeValid: false,
  });
  const other = second === null ? await anchoredAt(context, height) : await confirmedHash(context, second, height);
  if (other === hash) refuseInput('evidence', 'proves nothing');
  const id = idOf('fork', [
    [height, hash],
    [height, other],
  ]);
  return put(context, reporter, { id, kind: 'fork', height, term, center: null, proven: true });
}

/**
 * Takes the claim that a center holds a submission back in spite of its receipt: not before the ledger is anchored far enough above the receipt. It is proven
 * when it opens an anchored header's department sequences and the submission is not among them.
 *
 * @throws as `reportEquivocation`; `sequence-gap` when it is too early
 */
export async function reportHeldBack(
  context: LedgerContext,
  reporter: Reporter,
  { ledger: name, receipt, opening }: ReturnType<typeof heldBackInput>,
): Promise<ReportOutcome> {
  await requireReporter(context, reporter);
  requireLedger(context.name, name);
  const { department, seq, center, term, height, signature } = receipt;
  const { inclusionBlocks } = await requireRegistered(context.ledger, context.msp);
  const statement = receiving(context.name, receipt);
  await requireSigned(context, { kind: 'receipt', member: center, statement, signature }, false);
  const reached = opening?.header.height ?? (await context.ledger.get(headKey(context.msp)))?.last ?? 0;
  const expected = height + inclusionBlocks + 1;
  if (reached < expected) throw new Refusal('sequence-gap', { expected, height: reached, reason: 'too-early' });
  if (opening !== null) {
    if ((await anchoredAt(context, opening.header.height)) !== opening.header.hash)
      refuseInput('evidence.opening.header', 'is not the anchored one');
    if (departmentsDigest(opening.salt, opening.cursors) !== opening.header.departments)
      refuseInput('evidence.opening', 'is not what the header covers');
    if (opening.cursors.some(([name, last]) => name === department && last >= seq))
      refuseInput('evidence', 'proves nothing');
  }
  const proven = opening !== null;
  const id = idOf('held-back', [statement, [proven ? 1 : 0]]);
  return put(context, reporter, { id, kind: 'held-back', height, term, center, department, seq, proven });
}

async function requireReporter({ ledger, msp }: LedgerContext, { caller }: Reporter): Promise<void> {
  await requireOrganisation(ledger, caller.mspId);
  await requireRegistered(ledger, msp);
}

async function put(
  { ledger, msp }: LedgerContext,
  { caller, evidence, txId }: Reporter,
  report: Omit<StoredReport, 'v' | 'msp' | 'by' | 'evidence' | 'txId'>,
): Promise<ReportOutcome> {
  const place = reportKey(msp, report.id);
  const existing = await ledger.get(place);
  if (existing !== undefined) return { report: existing, repeated: true };
  const by = { msp: caller.mspId, node: caller.enrolmentId };
  const stored: StoredReport = { v: 1, ...report, msp, by, evidence, txId };
  await ledger.put(place, stored);
  return { report: stored, repeated: false };
}

/** What a center states about one place, and of what content. */
function placeOf(statement: CenterStatement) {
  if (statement.kind === 'candidate') return { ...statement, hash: null };
  const { height, term, epoch, prev, root, accepted, rejected, hash } = statement.header;
  return { height, term, epoch, prev, root, count: accepted + rejected, hash };
}

function contradict(first: CenterStatement, second: CenterStatement): boolean {
  const [a, b] = [placeOf(first), placeOf(second)];
  if (a.height !== b.height || a.term !== b.term) return false;
  const isOtherContent = a.epoch !== b.epoch || a.prev !== b.prev || a.root !== b.root || a.count !== b.count;
  return isOtherContent || (a.hash !== null && b.hash !== null && a.hash !== b.hash);
}

function signedBy(ledger: string, statement: CenterStatement): Signed {
  const { center: member, signature } = statement;
  return statement.kind === 'candidate'
    ? { kind: 'candidate', member, statement: proposal(ledger, statement), signature }
    : { kind: 'seal', member, statement: sealing(statement.header, member), signature };
}

async function confirmedHash(
  context: LedgerContext,
  seals: NonNullable<ReturnType<typeof forkInput>['second']>,
  height: number,
): Promise<string> {
  const header = await requireConfirmed(context, seals, { place: 'evidence.second', mustBeValid: false });
  return header.height === height ? header.hash : refuseInput('evidence', 'proves nothing');
}

async function anchoredAt({ ledger, msp }: LedgerContext, height: number): Promise<string> {
  const anchor = await ledger.get(anchorKey(msp, height));
  if (anchor === undefined) throw new Refusal('refused', { height, reason: 'not-there' });
  return anchor.hash;
}

/** Names what is shown, whoever shows it, in whichever order, however often signed. */
function idOf(kind: ReportKind, parts: readonly (Statement | readonly Cbor[])[]): string {
  const sorted = parts.map((part) => encodeCbor(part)).sort((a, b) => Buffer.compare(a, b));
  return createHash('sha256')
    .update(encodeCbor([kind, ...sorted]))
    .digest('hex');
}
