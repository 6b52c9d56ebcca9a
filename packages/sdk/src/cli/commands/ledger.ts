import { connectLedger, type LedgerConnection } from '../../ledger/connect-ledger.ts';
import type { LedgerBlock, LedgerStanding } from '../../ledger/answers.ts';
import { loadProfile } from '../../profile/load-profile.ts';
import { type Command, type CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../output.ts';

/** Which member is asked. */
export interface MemberOption {
  /** Address of the member's REST; default: the profile's. */
  readonly api?: string | undefined;
}

/** Runs with a connection to a member, and closes it. */
export async function withLedger<T>(
  { profileFile }: Pick<CommandContext, 'profileFile'>,
  { api }: MemberOption,
  run: (ledger: LedgerConnection) => Promise<T>,
): Promise<T> {
  const ledger = connectLedger(loadProfile(profileFile), api);
  try {
    return await run(ledger);
  } finally {
    ledger.close();
  }
}

/** `waymark ledger status` */
export const ledgerStatus: Command<MemberOption> = async (context, options) => {
  const status = await withLedger(context, options, (ledger) => ledger.status());
  context.output.result(status, statusLines(status));
  return exitCodes.done;
};

/** `waymark ledger blocks` */
export const ledgerBlocks: Command<
  MemberOption & { readonly from?: number | undefined; readonly limit?: number | undefined }
> = async (context, { from, limit, ...member }) => {
  const answer = await withLedger(context, member, (ledger) => ledger.blocks({ from, limit }));
  const heading = ['HEIGHT', 'HASH', 'TERM', 'CENTER', 'TIME', 'ACCEPTED', 'REJECTED', 'ANCHOR'];
  const rows = answer.blocks.map((block) => [
    String(block.height),
    block.hash,
    String(block.term),
    block.center,
    block.timestamp,
    String(block.accepted),
    String(block.rejected),
    block.anchorTxId ?? '-',
  ]);
  context.output.result(answer, rows.length === 0 ? ['no blocks'] : table([heading, ...rows]));
  return exitCodes.done;
};

/** `waymark ledger show` */
export const ledgerShow: Command<MemberOption & { readonly block: string }> = async (context, { block, ...member }) => {
  const answer = await withLedger(context, member, (ledger) => ledger.block(block));
  context.output.result(answer, blockLines(answer));
  return exitCodes.done;
};

function statusLines(status: LedgerStanding): string[] {
  const { learners, alertList, fault } = status;
  const known = (value: number | null): string => (value === null ? '?' : String(value));
  const facts: [string, string][] = [
    ['ledger', `${status.ledger}, ${status.profile} center, epoch ${status.epoch}`],
    ['in office', `${status.center ?? 'nobody'}, term ${status.term}`],
    ['asked', `${status.member} (${status.role})`],
    ['log', String(status.height)],
    ['confirmed', String(status.confirmed)],
    ['applied', String(status.applied)],
    ['anchored', `${status.anchored} (${status.unanchored} confirmed blocks are not)`],
    ['alerts', status.alerts === 0 ? 'none' : String(status.alerts)],
    ...(status.pendingEpoch === null ? [] : [['pending', `epoch ${status.pendingEpoch}`] as [string, string]]),
    ...(status.missingBlocks === 0 ? [] : [['missing', `${status.missingBlocks} blocks`] as [string, string]]),
    ...(fault === null ? [] : [['fault', fault] as [string, string]]),
    ...(status.isBarred ? [['barred', 'this member forgot what it signed: remove it'] as [string, string]] : []),
  ];
  return [
    ...table(facts),
    ...table([
      ['MEMBER', 'ROLE', 'HEIGHT', 'LAG'],
      ...status.members.map(({ id, role, height, lag }) => [id, role, known(height), known(lag)]),
      ...learners.map(({ id, height, lag }) => [id, 'learner', known(height), known(lag)]),
    ]),
    ...(alertList.length === 0
      ? []
      : table([
          ['ALERT', 'HEIGHT', 'REPORT', 'FILE'],
          ...alertList.map(({ kind, height, report, file }) => [kind, String(height), report, file]),
        ])),
  ];
}

function blockLines(block: LedgerBlock): string[] {
  const { anchor, submissions } = block;
  return [
    ...table([
      ['block', `${block.height} of ${block.ledger}`],
      ['hash', block.hash],
      ['previous', block.prev === '' ? '-' : block.prev],
      ['time', block.timestamp],
      ['term', `${block.term}, epoch ${block.epoch}, sealed by ${block.center}`],
      ['content', `${block.kind}: ${block.accepted} accepted, ${block.rejected} rejected`],
      ['root', block.root],
      ['body', block.body],
      ['anchor', anchor === null ? '-' : `blocks ${anchor.first} to ${anchor.last}, transaction ${anchor.txId}`],
      ...block.acks.map(({ member, time }) => ['acknowledged', `${member}, ${time}`]),
      ...(block.configuration === null ? [] : [['configuration', JSON.stringify(block.configuration)]]),
    ]),
    ...submissions.flatMap(({ department, seq, records, hash, rejected }) => [
      ...table([[`submission ${department} ${seq}`, `${records} records, ${hash}`]]),
      ...table(rejected.map(({ recordOid, reason, text }) => [`  rejected ${recordOid}`, reason, text])),
    ]),
  ];
}
