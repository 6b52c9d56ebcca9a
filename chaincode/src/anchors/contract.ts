import { Info, Returns, Transaction } from 'fabric-contract-api';
import { answer, WaymarkContract, TransactionContext } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { identifier, sha256Hex } from '../json/forms.ts';
import { decimal, readArgument } from '../json/readers.ts';
import { requireAdmin, requireOrganisation } from '../participants/authority.ts';
import { sequencePart } from '../state/keys.ts';
import { readRange } from '../state/range.ts';
import { anchor } from './anchor.ts';
import { configure, registerLedger, requireRegistered, type ConfigurationOutcome } from './configure.ts';
import * as input from './input.ts';
import { registerCertificates, type LedgerContext } from './members.ts';
import {
  anchorKey,
  certificateKey,
  configurationKey,
  headKey,
  reportKey,
  type StoredAnchor,
  type StoredReport,
} from './model.ts';
import { reportEquivocation, reportFork, reportHeldBack, type Reporter, type ReportOutcome } from './reports.ts';

declare const WAYMARK_VERSION: string;

const maximumPage = 100;

/**
 * Anchors of private ledgers, one ledger an organisation, and reports against them. What is anchored is confirmed by the ledger's own members, whose
 * certificates and quorums this contract knows; no caller's word counts for a block.
 */
@Info({ title: 'waymark', description: 'Anchors of private ledgers', version: WAYMARK_VERSION })
export class AnchorsContract extends WaymarkContract {
  constructor() {
    super('anchors');
  }

  /**
   * Registers the caller's organisation's ledger with its first members. Who: its admin. Argument: `{configuration: {epoch: 1, members, learners,
   * eligible, colluding}, certificates: [DER in base64url, ...], inclusionBlocks}`. Answers `{configuration, repeated}`.
   */
  @Transaction()
  @Returns('string')
  public async registerLedger(ctx: TransactionContext, registrationJson: string): Promise<string> {
    const registration = readArgument(registrationJson, 'registration', input.registrationInput);
    const context = contextOf(ctx, ctx.caller.mspId);
    return announceConfiguration(ctx, await registerLedger(context, ctx.caller, registration, ctx.stub.getTxID()));
  }

  /**
   * Registers more certificates of members: of a new one before its epoch, or a renewed one. Who: admin of the organisation. Argument: 1 to 64 DER in
   * base64url, of registered centers, outlets and departments. Answers `{added, repeated}`.
   */
  @Transaction()
  @Returns('string')
  public async registerCertificates(ctx: TransactionContext, certificatesJson: string): Promise<string> {
    const certificates = readArgument(certificatesJson, 'certificates', input.certificatesInput);
    const { ledger, caller } = ctx;
    requireAdmin(caller);
    await requireOrganisation(ledger, caller.mspId);
    await requireRegistered(ledger, caller.mspId);
    const added = await registerCertificates(contextOf(ctx, caller.mspId), certificates, ctx.stub.getTxID());
    if (added > 0) ctx.emit('anchors.configured', { v: 1, keys: [`certificates/${caller.mspId}`] });
    return answer({ v: 1, added, repeated: added === 0 });
  }

  /**
   * Takes the members of the next epoch. Who: a registered center, outlet or department of the organisation; the proof is the members' own. Argument:
   * `ledger-configuration`, base64url. Answers `{configuration, repeated}`.
   */
  @Transaction()
  @Returns('string')
  public async configure(ctx: TransactionContext, proof: string): Promise<string> {
    const message = input.readMessage(proof, 'configuration', input.configurationInput);
    const context = contextOf(ctx, ctx.caller.mspId);
    return announceConfiguration(ctx, await configure(context, ctx.caller, message, ctx.stub.getTxID()));
  }

  /**
   * Anchors a range of blocks; see `anchor.ts`. Who: a registered center, outlet or department of the organisation. Argument: `ledger-anchor`, base64url. Answers
   * `{anchor, repeated}`, and emits `anchors.anchored` with `<msp>/<last>`.
   */
  @Transaction()
  @Returns('string')
  public async anchor(ctx: TransactionContext, range: string): Promise<string> {
    const message = input.readMessage(range, 'anchor', input.anchorInput);
    const context = contextOf(ctx, ctx.caller.mspId);
    const outcome = await anchor(context, ctx.caller, message, ctx.stub.getTxID());
    if (!outcome.repeated) ctx.emit('anchors.anchored', { v: 1, keys: [`${context.msp}/${outcome.anchor.last}`] });
    return answer({ v: 1, ...outcome });
  }

  /**
   * Reports a center that signed two things for one height of one term. Who: anybody of an admitted organisation. Arguments: the ledger's `msp`,
   * `ledger-equivocation` in base64url. Answers `{report, repeated}`, and emits `anchors.reported`.
   */
  @Transaction()
  @Returns('string')
  public async reportEquivocation(ctx: TransactionContext, msp: string, evidence: string): Promise<string> {
    const message = input.readMessage(evidence, 'evidence', input.equivocationInput);
    return announceReport(ctx, await reportEquivocation(contextOf(ctx, msp), reporterOf(ctx, evidence), message));
  }

  /**
   * Reports two confirmed headers for one height, or one that is not the anchored one. Who: anybody of an admitted organisation. Arguments: the ledger's
   * `msp`, `ledger-fork` in base64url. Answers and emits as `reportEquivocation`.
   */
  @Transaction()
  @Returns('string')
  public async reportFork(ctx: TransactionContext, msp: string, evidence: string): Promise<string> {
    const message = input.readMessage(evidence, 'evidence', input.forkInput);
    return announceReport(ctx, await reportFork(contextOf(ctx, msp), reporterOf(ctx, evidence), message));
  }

  /**
   * Claims that a center holds a submission back in spite of its receipt. Who: anybody of an admitted organisation. Arguments: the ledger's `msp`,
   * `ledger-held-back` in base64url. Answers and emits as `reportEquivocation`.
   */
  @Transaction()
  @Returns('string')
  public async reportHeldBack(ctx: TransactionContext, msp: string, evidence: string): Promise<string> {
    const message = input.readMessage(evidence, 'evidence', input.heldBackInput);
    return announceReport(ctx, await reportHeldBack(contextOf(ctx, msp), reporterOf(ctx, evidence), message));
  }

  /** The anchor that ends with the block at `last`. Who: any reader. Throws `refused` when there is none. */
  @Transaction(false)
  @Returns('string')
  public async get(ctx: TransactionContext, msp: string, last: string): Promise<string> {
    return found(await ctx.ledger.get(anchorKey(msp, heightOf(last, 'last'))), { last, msp });
  }

  /**
   * A ledger's anchors from the one on that covers `fromHeight`: `{items, next}`; `next` is the next page's `fromHeight`, or null. A paged range read, for
   * evaluation only. Who: any reader. `limit`: 1 to 100.
   */
  @Transaction(false)
  @Returns('string')
  public async list(ctx: TransactionContext, msp: string, fromHeight: string, limit: string): Promise<string> {
    const from = sequencePart(heightOf(fromHeight, 'fromHeight'));
    const count = decimal(limit, 'limit', 1, maximumPage);
    const range = { objectType: 'anchor', prefix: [msp], from, limit: count + 1 };
    const page = await readRange<StoredAnchor>(ctx, range);
    return answer({ v: 1, items: page.slice(0, count), next: page[count]?.last ?? null });
  }

  /** A ledger and how far it is anchored: `{ledger, head}`. Who: any reader. Throws `refused` when there is none. */
  @Transaction(false)
  @Returns('string')
  public async ledger(ctx: TransactionContext, msp: string): Promise<string> {
    const registered = await requireRegistered(ctx.ledger, msp);
    return answer({ v: 1, ledger: registered, head: (await ctx.ledger.get(headKey(msp))) ?? null });
  }

  /** The configuration of an epoch. Who: any reader. Throws `refused` when it is not registered. */
  @Transaction(false)
  @Returns('string')
  public async configuration(ctx: TransactionContext, msp: string, epoch: string): Promise<string> {
    return found(await ctx.ledger.get(configurationKey(msp, heightOf(epoch, 'epoch'))), { epoch, msp });
  }

  /**
   * A member's certificate that is registered for the ledger: whose it is, and its public key. Whether it was revoked is in the register of nodes. Who: any
   * reader. `digest`: SHA-256 of the DER, lower-case hex. Throws `refused` when it is not registered.
   */
  @Transaction(false)
  @Returns('string')
  public async certificate(ctx: TransactionContext, msp: string, digest: string): Promise<string> {
    return found(await ctx.ledger.get(certificateKey(msp, sha256Hex(digest, 'digest'))), { digest, msp });
  }

  /** A report with its evidence. Who: any reader. Throws `refused` when there is none. */
  @Transaction(false)
  @Returns('string')
  public async getReport(ctx: TransactionContext, msp: string, id: string): Promise<string> {
    return found(await ctx.ledger.get(reportKey(msp, sha256Hex(id, 'id'))), { id, msp });
  }

  /**
   * Reports against a ledger, without their evidence, in the order of their ids: `{items, next}`; `next` is what to pass as `from`, or null. Who: any
   * reader. `from`: the first id, or empty; `limit`: 1 to 100.
   */
  @Transaction(false)
  @Returns('string')
  public async listReports(ctx: TransactionContext, msp: string, from: string, limit: string): Promise<string> {
    const count = decimal(limit, 'limit', 1, maximumPage);
    const start = from === '' ? {} : { from: sha256Hex(from, 'from') };
    const range = { objectType: 'ledger-report', prefix: [msp], limit: count + 1, ...start };
    const page = await readRange<StoredReport>(ctx, range);
    const items = page.slice(0, count).map((report) => ({ ...report, evidence: undefined }));
    return answer({ v: 1, items, next: page[count]?.id ?? null });
  }
}

function contextOf(ctx: TransactionContext, mspId: string): LedgerContext {
  const msp = identifier(mspId, 'msp');
  const channel = ctx.stub.getChannelID();
  return { ledger: ctx.ledger, msp, channel, name: `${msp}/${channel}` };
}

function reporterOf(ctx: TransactionContext, evidence: string): Reporter {
  return { caller: ctx.caller, evidence, txId: ctx.stub.getTxID() };
}

function heightOf(text: string, place: string): number {
  return decimal(text, place, 1, Number.MAX_SAFE_INTEGER);
}

function announceConfiguration(ctx: TransactionContext, outcome: ConfigurationOutcome): string {
  const { msp, epoch } = outcome.configuration;
  if (!outcome.repeated) ctx.emit('anchors.configured', { v: 1, keys: [`configuration/${msp}/${epoch}`] });
  return answer({ v: 1, ...outcome });
}

function announceReport(ctx: TransactionContext, { report, repeated }: ReportOutcome): string {
  const { kind, msp, id } = report;
  if (!repeated) ctx.emit('anchors.reported', { v: 1, keys: [`${kind}/${msp}/${id}`] });
  return answer({ v: 1, report: { ...report, evidence: undefined }, repeated });
}

function found(value: object | undefined, id: Readonly<Record<string, string>>): string {
  if (value === undefined) throw new Refusal('refused', { reason: 'not-there', ...id });
  return answer(value);
}
