import { Refusal, refuseInput } from '../errors.ts';
import type { Header, Seal } from './input.ts';
import { configurationsInForce, requireSigned, type LedgerContext } from './members.ts';
import type { Configuration } from './model.ts';
import { isAckQuorum } from './quorum.ts';
import { acknowledgement, sealing } from './statements.ts';

/** How a chain of seals is judged. */
export interface SealRules {
  readonly place: string;
  /** Whether revoked certificates are refused. */
  readonly mustBeValid: boolean;
  /** The configuration that the first block brings in, which is not registered yet: all of these seals need its quorum too. */
  readonly joining?: Configuration;
}

/**
 * Refuses seals that do not confirm the first of them (docs/rsl.md, "Confirmed"): each follows the one before, each has its center's signature and a
 * quorum of acknowledgements under every configuration in force, and none more than needed. With a trusted center one more certificate confirms;
 * with a lying center it takes those of two more blocks, of one term.
 *
 * @returns the confirmed header
 * @throws `signature-invalid`, `sequence-gap`, `recipient-mismatch`, `input-invalid`, and as `requireSigned`
 */
export async function requireConfirmed(
  context: LedgerContext,
  seals: readonly Seal[],
  rules: SealRules,
): Promise<Header> {
  const [first] = seals;
  if (first === undefined) return refuseInput(rules.place, 'is empty');
  let below: Header | undefined;
  let isConfirmed = false;
  for (const [index, seal] of seals.entries()) {
    const place = `${rules.place}[${index}]`;
    const { header } = seal;
    if (isConfirmed) return refuseInput(place, 'is more than is needed');
    if (below !== undefined) requireLink(below, header, place);
    const configurations = await requireSealed(context, seal, { ...rules, place });
    const isLying = configurations.some(({ profile }) => profile.center === 'lying');
    isConfirmed = isLying ? index > 1 && below?.term === header.term : index > 0;
    below = header;
  }
  if (!isConfirmed) throw new Refusal('signature-invalid', { height: first.header.height, reason: 'not-confirmed' });
  return first.header;
}

/**
 * Refuses a seal that does not prove itself.
 *
 * @returns the configurations whose quorums it has
 */
export async function requireSealed(
  context: LedgerContext,
  seal: Seal,
  { place, mustBeValid, joining }: SealRules,
): Promise<readonly Configuration[]> {
  const { header, center, acks } = seal;
  requireLedger(context.name, header.ledger);
  const configurations: Configuration[] = [...(await configurationsInForce(context, header))];
  if (joining !== undefined) {
    if (header.epoch !== joining.epoch - 1) return refuseInput(place, 'is not of the epoch before');
    configurations.push(joining);
  }
  const { signature } = seal;
  await requireSigned(
    context,
    { kind: 'seal', member: center, statement: sealing(header, center), signature },
    mustBeValid,
  );
  const acked = new Set<string>();
  let before = '';
  for (const [member, ackTimeMs, ackSignature] of acks) {
    if (member <= before) return refuseInput(`${place}.acks`, 'are not in order');
    before = member;
    const statement = acknowledgement(header, ackTimeMs);
    await requireSigned(context, { kind: 'ack', member, statement, signature: ackSignature }, mustBeValid);
    acked.add(member);
  }
  if (!configurations.every((configuration) => isAckQuorum(configuration, center, acked)))
    throw new Refusal('signature-invalid', { height: header.height, reason: 'no-quorum' });
  return configurations;
}

/** Refuses a statement of another ledger or channel. */
export function requireLedger(name: string, ledger: string): void {
  if (ledger !== name) throw new Refusal('recipient-mismatch', { reason: 'ledger' });
}

function requireLink(below: Header, header: Header, place: string): void {
  if (header.height !== below.height + 1 || header.prev !== below.hash)
    refuseInput(place, 'does not follow the one before');
  if (header.term < below.term || header.epoch < below.epoch) refuseInput(place, 'goes back in term or epoch');
}
