import type { PrivateLedger } from '@waymark/private-ledger';
import { WaymarkError } from '@waymark/protocol';
import type { MembershipChange } from '@waymark/rsl';
import type { Register, Replica } from '@waymark/service-kit';

/** One step of a change of the members; `make-eligible`: it may become center, after those that may already. */
export type MembershipStep = Exclude<MembershipChange['type'], 'eligible'> | 'make-eligible';

/** How far behind a learner may be to be promoted: it must not hold the next block up. */
const maxLearnerLag = 64;

/** What admitting somebody is judged by. */
export interface MembershipParts {
  readonly privateLedger: Pick<PrivateLedger, 'member'>;
  readonly register: Register;
  readonly replica: Pick<Replica, 'ledgerCertificates'>;
  readonly mspId: string;
}

/**
 * Takes one step at the center in office. What is true already is no error, so that an interrupted command can be repeated.
 * @returns whether something was put on its way
 * @throws WaymarkError refused: who it is is not registered, revoked, or not known to the ledger on the channel (`details.reason`: `not-registered`,
 *   `certificates-missing`, `not-a-center`); conflict: not in this state (`not-a-learner`, `not-a-member`, `behind`, `in-office`); unavailable, input-invalid
 */
export function changeMembership(parts: MembershipParts, step: MembershipStep, member: string): { changed: boolean } {
  const { privateLedger } = parts;
  const ledger = privateLedger.member;
  const office = ledger.office();
  if (!office.isHere) throw notInOffice(office.center);
  const { configuration, pendingConfiguration, progress, height } = ledger.status();
  const { members, learners, eligible } = pendingConfiguration ?? configuration;
  switch (step) {
    case 'add-learner':
      requireAdmissible(parts, member);
      if (members.includes(member) || learners.includes(member)) return { changed: false };
      break;
    case 'promote': {
      if (members.includes(member)) return { changed: false };
      if (!learners.includes(member)) throw conflict('not-a-learner', `${member} is not a learner of the ledger.`);
      const match = progress.find((entry) => entry.member === member)?.match ?? 0;
      if (height - match > maxLearnerLag)
        throw conflict('behind', `${member} is ${String(height - match)} blocks behind; wait until it has caught up.`);
      break;
    }
    case 'make-eligible':
      if (eligible.includes(member)) return { changed: false };
      if (!members.includes(member)) throw conflict('not-a-member', `${member} is no member of the ledger.`);
      if (parts.register.node(parts.mspId, member)?.kind !== 'center')
        throw new WaymarkError('refused', `${member} is not registered on the channel as a center.`, {
          details: { reason: 'not-a-center' },
        });
      ledger.changeMembership({ type: 'eligible', members: [...eligible, member] });
      return { changed: true };
    case 'remove':
      if (!members.includes(member) && !learners.includes(member)) return { changed: false };
      if (member === office.center)
        throw conflict('in-office', `${member} is in office: hand the office over before it is removed.`);
  }
  ledger.changeMembership({ type: step, member });
  return { changed: true };
}

/** Hands the office over. @throws WaymarkError unavailable, input-invalid */
export function handOver({ member }: Pick<PrivateLedger, 'member'>, to: string): { changed: boolean } {
  const office = member.office();
  if (office.center === to) return { changed: false };
  if (!office.isHere) throw notInOffice(office.center);
  const { eligible } = member.status().configuration;
  if (!eligible.includes(to))
    throw new WaymarkError('input-invalid', `${to} may not be center; these may: ${eligible.join(', ')}.`, {
      details: { reason: 'not-eligible' },
    });
  member.handOver(to);
  return { changed: true };
}

function requireAdmissible({ register, replica, mspId }: MembershipParts, member: string): void {
  const node = register.node(mspId, member);
  const mayBe = node?.kind === 'center' || node?.kind === 'outlet' || node?.kind === 'department';
  if (node === undefined || node.revoked || !mayBe)
    throw new WaymarkError('refused', `${member} is not registered on the channel as a center, outlet or department.`, {
      details: { reason: 'not-registered' },
    });
  const known = replica.ledgerCertificates(mspId).filter((certificate) => certificate.member === member);
  if (!known.some(({ digest }) => node.certificates.get(digest) === 'valid'))
    throw new WaymarkError(
      'refused',
      `The channel knows no valid certificate of ${member} as a member of the ledger; the firm's administrator registers it first (anchors:registerCertificates).`,
      { details: { reason: 'certificates-missing' } },
    );
}

/** The message names who is in office: problem details of `unavailable` do not travel. */
function notInOffice(center: string | null): WaymarkError {
  const who = center === null ? 'Nobody is in office now.' : `${center} is: ask there.`;
  return new WaymarkError('unavailable', `This member is not the center in office. ${who}`, {
    details: { center: center ?? '' },
  });
}

function conflict(reason: string, message: string): WaymarkError {
  return new WaymarkError('conflict', message, { details: { reason } });
}
