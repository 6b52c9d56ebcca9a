import { mostTolerated, type Trouble, drawWeather, CALM, isPossible } from './scenario.ts';
import { honestAmong, type Operator } from './operator.ts';
import { centerOf, countWorldFault, type Machine, type World } from './world.ts';

const YEAR_MS = 31_536_000_000;

/** Brings one trouble about. */
export function makeTrouble(world: World, operator: Operator, trouble: Trouble): void {
  const { random, network, events } = world;
  const present = [...world.machines.values()].filter(({ isRetired }) => !isRetired);
  const names = present.map(({ member }) => member.name);
  const machine = random.pick(present);
  const { member } = machine;
  const count = (text: string): void => countWorldFault(world, trouble, text);
  switch (trouble) {
    case 'crash':
      count(`${member.name} crashes`);
      {
        crash(world, machine);
        return;
      }
    case 'crash-at-write':
      count(`${member.name} will crash at its next write`);
      member.crashAtNextWrite();
      {
        restartLater(world, machine);
        return;
      }
    case 'crash-all':
      count('everybody crashes');
      for (const one of present) crash(world, one);
      return;
    case 'partition': {
      const order = random.shuffled(names);
      const at = random.between(1, Math.max(1, order.length - 1));
      count(`${order.slice(0, at).join()} | ${order.slice(at).join()}`);
      network.partition(order.slice(0, at), order.slice(at));
      mendLater(world);
      return;
    }
    case 'isolate-center': {
      const center = centerOf(world)?.member.name ?? member.name;
      const way = random.below(3);
      count(`${center} is cut off, way ${way}`);
      for (const other of names) {
        if (way !== 1) network.cut(center, other);
        if (way !== 0) network.cut(other, center);
      }
      mendLater(world);
      return;
    }
    case 'one-way-cut': {
      const other = random.pick(names);
      count(`${member.name} no longer reaches ${other}`);
      network.cut(member.name, other);
      mendLater(world);
      return;
    }
    case 'flapping-link': {
      const other = random.pick(names);
      count(`the link from ${member.name} to ${other} flaps`);
      for (let time = 0; time < 6; time += 1) {
        events.after(time * 90, () => (world.isHealed ? undefined : network.cut(member.name, other)));
        events.after(time * 90 + 45, () => network.mend());
      }
      return;
    }
    case 'mend':
      count('the network is mended');
      {
        network.mend();
        return;
      }
    case 'disk-full':
      count(`${member.name}'s disk is full`);
      member.disk.fault = 'full';
      events.after(random.between(50, 400), () => (member.disk.fault = undefined));
      {
        restartLater(world, machine, 450);
        return;
      }
    case 'fsync-error':
      count(`${member.name}'s next sync fails`);
      member.disk.fault = 'fsync-error';
      events.after(random.between(20, 150), () => (member.disk.fault = undefined));
      {
        restartLater(world, machine, 200);
        return;
      }
    case 'clock-jump': {
      const byMs = random.pick([-YEAR_MS, -3_600_000, -2_000, 2_000, 3_600_000, YEAR_MS]);
      count(`${member.name}'s clock jumps by ${byMs} ms`);
      member.clock.jump(byMs);
      return;
    }
    case 'clock-drift':
      count(`${member.name}'s clock drifts`);
      {
        member.clock.drift(random.pick([-200_000, -1_000, 1_000, 200_000]));
        return;
      }
    case 'hand-over': {
      const center = centerOf(world);
      const eligible = center?.member.core()?.status().configuration.eligible ?? [];
      if (center === undefined || eligible.length === 0) return;
      const to = random.pick(eligible);
      count(`${center.member.name} is told to hand over to ${to}`);
      center.member.act((core) => void core.handOver(to));
      return;
    }
    case 'membership': {
      operator.change();
      return;
    }
    case 'wipe':
    case 'old-backup': {
      loseMachine(world, operator, machine, trouble);
      return;
    }
    case 'storm':
      count('the network gets bad');
      network.weather = drawWeather(random);
      return;
    case 'calm':
      count('the network gets good');
      network.weather = { ...CALM };
      return;
    case 'chain-away':
      count('the channel is away');
      world.isChainAway = true;
      events.after(random.between(100, 800), () => (world.isChainAway = false));
      return;
    case 'slow-disk':
      count(`${member.name}'s disk is slow`);
      member.syncDelayMs = random.between(5, 80);
      events.after(random.between(200, 900), () => (member.syncDelayMs = random.below(5)));
      return;
    case 'pause':
      count(`${member.name} is stopped`);
      member.pause();
      events.after(random.between(100, 900), () => member.resume());
      return;
    case 'compaction': {
      member.compact();
      return;
    }
  }
}

function crash(world: World, machine: Machine): void {
  if (machine.puppet !== null) return;
  machine.member.crash();
  restartLater(world, machine);
}

function restartLater(world: World, machine: Machine, leastMs = 30): void {
  world.events.after(leastMs + world.random.below(600), () => {
    if (machine.isRetired || machine.isHeldDown || machine.puppet !== null || machine.member.isUp()) return;
    world.note(`${machine.member.name} starts`);
    machine.member.start();
  });
}

function mendLater(world: World): void {
  world.events.after(world.random.between(100, 1_200), () => world.network.mend());
}

/**
 * A machine is lost, or comes back from a backup that is older than its promises: it must not go on under its old name, so the operator replaces
 * it. Where a department in league is tolerated and there is none, it may also go on unnoticed: a member that forgets is no worse than one that lies.
 */
function loseMachine(world: World, operator: Operator, machine: Machine, how: 'wipe' | 'old-backup'): void {
  const { scenario, dishonest, bug } = world;
  const { member, backup } = machine;
  const status = centerOf(world)?.member.core()?.status();
  if (how === 'old-backup' && bug === 'restoreBackup') {
    countWorldFault(world, how, `${member.name} goes on from an old backup`);
    member.restore(backup);
    member.start();
    return;
  }
  if (how === 'old-backup' && scenario.tolerated > 0 && scenario.liarCount === 0 && dishonest.size === 0) {
    countWorldFault(world, 'old-backup-unnoticed', `${member.name} goes on from an old backup, and nobody notices`);
    dishonest.add(member.name);
    member.restore(backup);
    member.start();
    return;
  }
  if (status === undefined || operator.isBusy()) return;
  const { members, eligible, profile } = status.configuration;
  if (!members.includes(member.name) || dishonest.has(member.name)) return;
  const tolerated = profile.center === 'lying' ? profile.colluding : 0;
  const departments = members.length - 1;
  const isSpare =
    profile.center === 'trusted'
      ? members.length >= 4
      : departments > ((departments + tolerated) >> 1) + 1 && mostTolerated(members.length) >= tolerated;
  const others = honestAmong(
    world,
    eligible.filter((one) => one !== member.name),
  );
  const canGo = profile.center === 'trusted' || isPossible(members.length - 1, tolerated);
  if (!isSpare || !canGo || others < 2) return;
  operator.replace(machine, how);
}
