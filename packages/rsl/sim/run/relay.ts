import type { SealedBlock } from '../../src/index.ts';
import type { SimMember } from '../member/member.ts';
import { centerOf, countWorldFault, type World } from './world.ts';

const LONGEST_RANGE = 6;
const MOST_ABOVE = 8;

/**
 * The center's anchor relay (D7): ranges of confirmed blocks, one after the other, each ending at a change of the members at the latest. The answer
 * may be lost after the commit; then the same range is sent again and refused.
 */
export function runRelay(world: World): void {
  const member = centerOf(world)?.member;
  const core = member?.core() ?? null;
  if (member === undefined || core === null || world.isChainAway) return;
  const { term } = core.status();
  registerMembers(world, member);
  const first = world.chain.height() + 1;
  const last = rangeEnd(world, member, first);
  if (last === null) return;
  const above = blocksAbove(member, last.candidate.height);
  const election = world.elections.get(`${term}/${member.name}`) ?? null;
  world.events.after(world.random.between(10, 60), () => {
    if (world.isChainAway) return;
    const refusal = world.chain.submit({ first, term, last, above, election });
    world.note(`chain ${first}-${last.candidate.height} by ${member.name}: ${refusal ?? 'taken'}`);
    if (refusal === null) tellAnchor(world, last);
    else world.judge.anchorRefused(member.name, last.candidate.height, refusal);
  });
}

/** Every member learns of an anchor from its own peer, in its own time. */
export function tellAnchor(world: World, { candidate, seal }: SealedBlock): void {
  for (const { member, puppet } of world.machines.values()) {
    if (puppet !== null || world.random.chance(50)) continue;
    world.events.after(world.random.between(5, 80), () =>
      member.act((core) => core.anchored(candidate.height, seal.hash)),
    );
  }
}

function rangeEnd(world: World, member: SimMember, first: number): SealedBlock | null {
  let last: SealedBlock | null = null;
  for (let height = first; height < first + LONGEST_RANGE; height += 1) {
    const block = world.bug === 'anchorSealed' ? blockOf(member, height) : member.store().get(height);
    if (block === undefined) break;
    last = block;
    if (block.candidate.content.kind === 'configuration') break;
  }
  return last;
}

/** The channel judges certificates by the members of their epoch: it has to know them before. */
function registerMembers(world: World, member: SimMember): void {
  for (let height = 1; height <= member.store().height(); height += 1) {
    const block = member.store().get(height);
    if (block?.candidate.content.kind !== 'configuration') continue;
    if (block.candidate.content.configuration.epoch !== world.chain.epoch() + 1) continue;
    const refusal = world.chain.register(block, blocksAbove(member, height));
    world.note(`chain members of ${height} by ${member.name}: ${refusal ?? 'taken'}`);
  }
}

/** What confirms a block: the sealed ones above it, as many as may be needed when terms change. */
function blocksAbove(member: SimMember, height: number): SealedBlock[] {
  const above: SealedBlock[] = [];
  for (let next = height + 1; next <= height + MOST_ABOVE; next += 1) {
    const block = blockOf(member, next);
    if (block === undefined) break;
    above.push(block);
  }
  return above;
}

function blockOf(member: SimMember, height: number): SealedBlock | undefined {
  return member.core()?.block(height) ?? member.store().get(height);
}

/** What a lying center sends to the channel in place of what it sealed. */
export function anchorFalsely(
  world: World,
  center: string,
  last: SealedBlock,
  above: readonly SealedBlock[],
  term: number,
): void {
  if (world.isChainAway) return;
  const first = world.chain.height() + 1;
  const election = world.elections.get(`${term}/${center}`) ?? null;
  const refusal = world.chain.submit({ first, term, last, above, election });
  countWorldFault(world, 'lie:anchored', `${center} anchors a lie at ${last.candidate.height}: ${refusal ?? 'taken'}`);
  if (refusal === null) tellAnchor(world, last);
}
