import type { Tip } from '../liar/forge.ts';
import { createPuppet } from '../liar/puppet.ts';
import { anchorFalsely } from './relay.ts';
import { countWorldFault, type Machine, type World } from './world.ts';

const PUPPET_TICK_MS = 15;

/** A liar that has become center stops asking its core and lies for a while; then it goes on as if nothing had happened. */
export function maybeLie(world: World, machine: Machine): void {
  const { member } = machine;
  const { random } = world;
  const core = member.core();
  if (world.isHealed || core === null || [...world.machines.values()].some(({ puppet }) => puppet !== null)) return;
  if (world.liars.size >= world.scenario.liarCount && !world.liars.has(member.name)) return;
  const { role, term, sealed, height, configuration, pendingConfiguration } = core.status();
  if (role !== 'center' || pendingConfiguration !== null || !world.random.chance(400)) return;
  const lies = random.shuffled(world.scenario.lies).slice(0, random.between(1, 3));
  const hasOpened = height === sealed.height && sealed.term === term;
  const isSudden = sealed.term < term && (lies.includes('forget-candidate') || lies.includes('rewrite-history'));
  if (!hasOpened && !isSudden) return;
  // A liar that rewrites history begins below what it holds sealed.
  const depth = lies.includes('rewrite-history') ? random.pick([0, 1, 1, 2, 2, 3, 6]) : 0;
  const from = Math.max(1, sealed.height - depth);
  const tipBlock = core.block(from) ?? member.store().get(from);
  const tip = tipOf(machine, from);
  if (tip === null || tipBlock === undefined) return;
  const store = member.store();
  becomeLiar(world, member.name, configuration.members);
  countWorldFault(world, 'liar', `${member.name} begins to lie in term ${term}: ${lies.join()}`);
  machine.puppet = createPuppet({
    name: member.name,
    term,
    configuration,
    tip,
    tipSeal: tipBlock.seal,
    election: world.elections.get(`${term}/${member.name}`) ?? null,
    lies,
    colluders: [...world.colluders].filter((name) => configuration.members.includes(name)),
    keys: world.keys,
    random: world.random.fork(5),
    faults: world.faults,
    wallMs: () => member.clock.wallMs(),
    isRecorded: (oid) => store.isRecorded(oid),
    send: (to, wire) => (to === member.name ? undefined : world.network.send(member.name, to, wire)),
    anchor: (last, above) => anchorFalsely(world, member.name, last, above, term),
  });
  if (depth > 0) countWorldFault(world, 'lie:rewrite-history', `${member.name} begins at height ${from}`);
  if (isSudden && !hasOpened) countWorldFault(world, 'lie:forget-candidate', `${member.name} forgets the candidate`);
  member.crash();
  const { puppet } = machine;
  const untilMs = world.events.nowMs() + world.random.between(300, 2_500);
  const tick = (): void => {
    if (machine.puppet !== puppet) return;
    if (world.isHealed || world.events.nowMs() >= untilMs) {
      endLie(world, machine);
      return;
    }
    world.note(`${member.name} puppet`);
    puppet.tick();
    world.events.after(PUPPET_TICK_MS, tick);
  };
  world.events.after(PUPPET_TICK_MS, tick);
}

/** A center goes over to the other side. Was it in league as a department, another one takes that place. */
function becomeLiar(world: World, name: string, members: readonly string[]): void {
  world.liars.add(name);
  world.dishonest.add(name);
  if (!world.colluders.delete(name)) return;
  const other = members.find((member) => !world.dishonest.has(member));
  if (other === undefined) return;
  world.colluders.add(other);
  world.dishonest.add(other);
}

export function endLie(world: World, machine: Machine): void {
  if (machine.puppet === null) return;
  machine.puppet = null;
  world.note(`${machine.member.name} ends its lies`);
  if (!machine.isHeldDown && !machine.isRetired) machine.member.start();
}

function tipOf({ member }: Machine, height: number): Tip | null {
  const cursors = new Map<string, { seq: number; hash: string }>();
  let hash = '';
  let timestampMs = 0;
  for (let at = 1; at <= height; at += 1) {
    const block = member.store().get(at) ?? member.core()?.block(at) ?? null;
    if (block === null) return null;
    hash = block.seal.hash;
    timestampMs = block.seal.header.timestampMs;
    if (block.candidate.content.kind !== 'records') continue;
    for (const { submission } of block.candidate.content.audited) {
      cursors.set(submission.department, { seq: submission.seq, hash: submission.hash });
    }
  }
  return { height, hash, timestampMs, cursors };
}
