import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { LedgerReport } from '../../ledger/answers.ts';
import { type Command, usageError } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Output, table } from '../output.ts';
import { type MemberOption, withLedger } from './ledger.ts';

/** Work on files of a member's machine. */
export interface OfflineOption {
  /** Configuration file of the member's service. */
  readonly config?: string | undefined;
  /** What the folder or the backup remembers of the channel has to do. */
  readonly withoutChannel: boolean;
}

/** `waymark ledger verify`: exit code 7 when something is wrong. */
export const ledgerVerify: Command<MemberOption & OfflineOption & { readonly folder?: string | undefined }> = async (
  context,
  { config, folder, withoutChannel, ...member },
) => {
  if (config === undefined) {
    if (folder !== undefined || withoutChannel)
      throw usageError('--folder and --without-channel need --config, the configuration file of the service.');
    return verdict(context.output, await withLedger(context, member, (ledger) => ledger.verify()));
  }
  const { verifyFolder } = await loadOffline();
  return verdict(context.output, await verifyFolder({ configurationFile: config, folder, withoutChannel }));
};

/** `waymark ledger backup`: the member writes it below its own data folder. */
export const ledgerBackup: Command<MemberOption & { readonly name: string }> = async (context, { name, ...member }) => {
  const backup = await withLedger(context, member, (ledger) => ledger.backup(name));
  context.output.result(
    backup,
    table([
      ['backup', `${backup.ledger} up to block ${backup.height}`],
      ['hash', backup.hash],
      ['folder', `${backup.folder} (on the member's machine)`],
    ]),
  );
  return exitCodes.done;
};

/** `waymark ledger restore` */
export const ledgerRestore: Command<OfflineOption & { readonly backup: string; readonly folder: string }> = async (
  { output },
  { config, backup, folder, withoutChannel },
) => {
  if (config === undefined) throw usageError('--config is needed: the configuration file of the service.');
  const { restoreFolder } = await loadOffline();
  const report = await restoreFolder({ configurationFile: config, backup, folder, withoutChannel });
  const { ledger, height, blocks, chain, anchored } = report;
  noteAnchors(output, report);
  output.result({ ledger, height, blocks, valid: true, chain }, [
    `${ledger}: ${blocks} blocks restored and verified, up to ${height}${anchored === null ? '' : ', against the channel'}`,
    `chain: ${chain}`,
    'What consensus remembered is not in it: the member comes back under another id (waymark ledger remove-member, add-member).',
  ]);
  return exitCodes.done;
};

function verdict(output: Output, report: LedgerReport): ExitCode {
  const { ledger, height, blocks, valid, problems } = report;
  noteAnchors(output, report);
  output.result({ ledger, height, blocks, valid, problems }, [
    `${ledger}: ${blocks} blocks up to ${height}, ${valid ? 'valid' : `${problems.length} problems`}`,
    ...table(problems.map((problem) => [`block ${problem.height}`, problem.code, problem.message])),
  ]);
  return valid ? exitCodes.done : exitCodes.abnormal;
}

function noteAnchors(output: Output, { height, anchored }: Pick<LedgerReport, 'height' | 'anchored'>): void {
  if (anchored === null) output.note('the channel was not asked: only what is remembered of it was compared');
  else if (anchored > height)
    output.note(`the channel has anchors up to block ${anchored}: what lies above ${height} is not here`);
}

/** An optional package: it brings the pieces of a service. */
async function loadOffline() {
  try {
    return await import('@waymark/ledger-operations');
  } catch (cause) {
    if (isWaymarkError(cause) || (cause as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new WaymarkError('unsupported', 'This needs the package @waymark/ledger-operations, which is not here.', {
      cause,
    });
  }
}
