import { X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { readProfileFile } from '../../connection/identity.ts';
import type { LedgerStanding } from '../../ledger/answers.ts';
import { loadProfile } from '../../profile/load-profile.ts';
import { connectLedger, type LedgerConnection, type MembershipStep } from '../../ledger/connect-ledger.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { type MemberOption, withLedger } from './ledger.ts';

const pollMs = 250;
/** Blocks a learner may lack when it is promoted. */
const caughtUpBlocks = 2;

/** A change of who is in office or a member. */
export interface ChangeOptions extends MemberOption {
  readonly member: string;
  /** How long to wait until it is done. */
  readonly timeoutMs: number;
}

/** `waymark ledger hand-over` */
export const ledgerHandOver: Command<ChangeOptions> = (context, { member, timeoutMs, ...api }) =>
  withLedger(context, api, async (ledger) => {
    const changed = await ledger.handOver(member);
    const status = await until(ledger, timeoutMs, `${member} is not in office`, ({ center }) => center === member);
    context.output.result({ center: member, term: status.term, changed }, [
      `${member} is in office, term ${status.term}${changed ? '' : '; it was already'}`,
    ]);
    return exitCodes.done;
  });

/** `waymark ledger add-member` */
export const ledgerAddMember: Command<
  ChangeOptions & {
    readonly certificates: readonly string[];
    readonly adminProfile?: string | undefined;
    /** May become center. */
    readonly eligible: boolean;
  }
> = (context, { member, timeoutMs, certificates, adminProfile, eligible, ...api }) =>
  withLedger(context, api, async (ledger) => {
    const { output } = context;
    if (certificates.length > 0) {
      const profile = loadProfile(adminProfile ?? context.profileFile);
      const admin = connectLedger(profile);
      try {
        const added = await admin.registerCertificates(certificates.flatMap(dersOf));
        output.note(added === 0 ? 'the channel knew the certificates already' : `the channel knows ${added} more`);
      } finally {
        admin.close();
      }
    }
    await stepWhenFree(ledger, 'add-learner', member, timeoutMs);
    output.note(`${member} is being admitted; it gets all blocks first`);
    await until(ledger, timeoutMs, `${member} has not caught up`, ({ members, learners, pendingEpoch }) =>
      members.some(({ id }) => id === member)
        ? true
        : pendingEpoch === null &&
          learners.some(({ id, lag }) => id === member && lag !== null && lag <= caughtUpBlocks),
    );
    await stepWhenFree(ledger, 'promote', member, timeoutMs);
    if (eligible) await stepWhenFree(ledger, 'make-eligible', member, timeoutMs);
    const status = await untilEpochIs(
      ledger,
      timeoutMs,
      (now) => now.members.some(({ id }) => id === member) && (!eligible || now.eligible.includes(member)),
    );
    told(output, status, `${member} is a member`);
    return exitCodes.done;
  });

/** `waymark ledger remove-member` */
export const ledgerRemoveMember: Command<ChangeOptions> = (context, { member, timeoutMs, ...api }) =>
  withLedger(context, api, async (ledger) => {
    await stepWhenFree(ledger, 'remove', member, timeoutMs);
    const status = await untilEpochIs(
      ledger,
      timeoutMs,
      ({ members, learners }) => ![...members, ...learners].some(({ id }) => id === member),
    );
    told(context.output, status, `${member} is no member any more`);
    return exitCodes.done;
  });

/** One change at a time: waits for the one before. */
async function stepWhenFree(
  ledger: LedgerConnection,
  step: MembershipStep,
  member: string,
  timeoutMs: number,
): Promise<void> {
  await until(ledger, timeoutMs, 'another change of the members is not confirmed', ({ pendingEpoch }) => pendingEpoch === null); // prettier-ignore
  await ledger.changeMembership(step, member);
}

function untilEpochIs(
  ledger: LedgerConnection,
  timeoutMs: number,
  holds: (status: LedgerStanding) => boolean,
): Promise<LedgerStanding> {
  return until(ledger, timeoutMs, 'the change is not confirmed', (status) => status.pendingEpoch === null && holds(status)); // prettier-ignore
}

/** Asks until it is so. @throws WaymarkError unavailable when it is not in time */
async function until(
  ledger: LedgerConnection,
  timeoutMs: number,
  what: string,
  holds: (status: LedgerStanding) => boolean,
): Promise<LedgerStanding> {
  const giveUpMs = performance.now() + timeoutMs;
  for (;;) {
    const status = await ledger.status().catch(unlessAway);
    if (status !== undefined && holds(status)) return status;
    if (performance.now() > giveUpMs)
      throw new WaymarkError('unavailable', `After ${timeoutMs} ms ${what}; the command can be repeated.`);
    await delay(pollMs);
  }
}

/** While the office changes hands a member may not answer. */
function unlessAway(error: unknown): undefined {
  if (isWaymarkError(error, 'unavailable')) return undefined;
  throw error;
}

function told(output: Output, { epoch, members, learners, eligible }: LedgerStanding, what: string): void {
  const ids = members.map(({ id }) => id);
  output.result({ epoch, members: ids, learners: learners.map(({ id }) => id), eligible }, [
    `${what}; epoch ${epoch}: ${ids.join(', ')}`,
    'Every member needs to know how the others are reached: give each one the same members file (privateLedger.membersFile); it is read again when it changes.',
  ]);
}

function dersOf(file: string): Uint8Array[] {
  try {
    return [new X509Certificate(readProfileFile(file)).raw];
  } catch (cause) {
    if (isWaymarkError(cause)) throw cause;
    throw new WaymarkError('input-invalid', `${file}: this is no certificate in PEM.`, { details: { file }, cause });
  }
}
