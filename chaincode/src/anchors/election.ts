import { Refusal, refuseInput } from '../errors.ts';
import { requireSealed } from './confirmation.ts';
import { noBlock, type Election } from './input.ts';
import { configurationsInForce, requireSigned, type LedgerContext } from './members.ts';
import { configurationKey, type LedgerHead, type StoredConfiguration } from './model.ts';
import { isVoteQuorum } from './quorum.ts';
import { voting } from './statements.ts';

/** A voter's or a base's last sealed block. */
interface Place {
  readonly height: number;
  readonly term: number;
}

/**
 * Refuses a center that was not elected for its term: a quorum of the registered members' votes under every configuration in force after its base, the
 * base sealed and not below what is anchored, and where centers may lie no voter's last block above it (docs/rsl.md, "Strong leadership").
 *
 * @throws `role-not-permitted` (`not-elected` and why), and as `requireSigned`
 */
export async function requireElected(
  context: LedgerContext,
  election: Election,
  head: LedgerHead,
  place: string,
): Promise<void> {
  const { term, center, base, votes } = election;
  const configurations = await configurationsAfterBase(context, election, place);
  if (!configurations.some(({ eligible }) => eligible.includes(center))) notElected(term, center, 'not-eligible');
  const from: Place & { hash: string } = base?.header ?? { height: 0, term: 0, hash: noBlock };
  if (from.height < head.last || (from.height === head.last && from.hash !== (head.hash ?? noBlock)))
    notElected(term, center, 'base-below-anchor');
  if (from.term >= term) notElected(term, center, 'base-not-before');
  const isLying = configurations.some(({ profile }) => profile.center === 'lying');
  const voters = new Set<string>();
  for (const vote of votes) {
    const [voter, [height, sealedTerm], , signature] = vote;
    if (voters.has(voter)) refuseInput(`${place}.votes`, 'have one twice');
    const statement = voting(context.name, election, vote);
    await requireSigned(context, { kind: 'vote', member: voter, statement, signature }, true);
    if (isLying && isAbove({ height, term: sealedTerm }, from)) notElected(term, center, 'base-too-low');
    voters.add(voter);
  }
  if (!configurations.every((configuration) => isVoteQuorum(configuration, voters)))
    notElected(term, center, 'no-quorum');
}

async function configurationsAfterBase(
  context: LedgerContext,
  { epoch, base }: Election,
  place: string,
): Promise<readonly StoredConfiguration[]> {
  if (base !== null) {
    await requireSealed(context, base, { place: `${place}.base`, mustBeValid: true });
    // The base may be the block that confirmed the members of this epoch, and of the epoch before itself.
    if (base.header.epoch !== epoch && base.header.epoch !== epoch - 1)
      refuseInput(`${place}.epoch`, 'is not its base’s');
    return configurationsInForce(context, { epoch, height: base.header.height });
  }
  const first = epoch === 1 ? await context.ledger.get(configurationKey(context.msp, 1)) : undefined;
  return first === undefined ? refuseInput(`${place}.epoch`, 'is not the first') : [first];
}

function isAbove(a: Place, b: Place): boolean {
  return a.term > b.term || (a.term === b.term && a.height > b.height);
}

function notElected(term: number, center: string, reason: string): never {
  throw new Refusal('role-not-permitted', { center, reason: 'not-elected', term, why: reason });
}
