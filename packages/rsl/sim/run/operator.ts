import type { MembershipChange } from '../../src/index.ts';
import { isPossible } from './scenario.ts';
import { centerOf, countWorldFault, type Machine, type World } from './world.ts';

/** Who runs the firm's machines: adds, removes and replaces members, one thing after the other, through whoever is center. */
export interface Operator {
  /** Wants a member added, removed, or the eligible ones changed, as `random` says. */
  change(): void;
  /** A machine is lost: its member is removed and another one takes its place, with what a backup holds. */
  replace(machine: Machine, how: 'wipe' | 'old-backup'): void;
  isBusy(): boolean;
  /** Looks after what is under way. */
  tick(): void;
}

interface Step {
  readonly change: MembershipChange;
  /** Whether it is done, by the configuration of the chain. */
  isDone(members: readonly string[], learners: readonly string[], eligible: readonly string[]): boolean;
  after?(): void;
}

export function createOperator(world: World): Operator {
  const steps: Step[] = [];
  let names = world.scenario.members.length;

  const current = () => centerOf(world)?.member.core()?.status().configuration;

  const addition = (): Step[] => {
    names += 1;
    const member = `m${names}`;
    return [
      {
        change: { type: 'add-learner', member },
        isDone: (members, learners) => members.includes(member) || learners.includes(member),
        after: () => {
          world.note(`machine ${member} is set up`);
          world.addMachine(member).member.start();
        },
      },
      { change: { type: 'promote', member }, isDone: (members) => members.includes(member) },
    ];
  };
  const removal = (member: string): Step => ({
    change: { type: 'remove', member },
    isDone: (members, learners) => !members.includes(member) && !learners.includes(member),
    after: () => {
      const machine = world.machines.get(member);
      if (machine === undefined) return;
      machine.isRetired = true;
      machine.puppet = null;
      machine.member.crash();
      world.note(`machine ${member} is taken out`);
    },
  });

  /** Members that must stay so that somebody honest can be center. */
  const isNeeded = (member: string, eligible: readonly string[]): boolean => {
    return honestAmong(world, eligible) - (world.liars.has(member) ? 0 : 1) < 2;
  };

  return {
    isBusy: () => steps.length > 0,
    change() {
      const configuration = current();
      if (configuration === undefined || steps.length > 0) return;
      const { members, eligible } = configuration;
      const choice = world.random.below(3);
      if (choice === 0 && members.length < 7) steps.push(...addition());
      else if (choice === 1) {
        const member = world.random.pick(members);
        const canGo = members.length > 3 && isPossible(members.length - 1, world.scenario.tolerated);
        if (!canGo || isNeeded(member, eligible)) return;
        steps.push(removal(member));
      } else {
        const others = world.random.shuffled(members).slice(0, world.random.between(2, members.length));
        const wanted = [...new Set([...others, ...eligible.filter((one) => isNeeded(one, others))])];
        if (honestAmong(world, wanted) < 2) return;
        steps.push({
          change: { type: 'eligible', members: wanted },
          isDone: (_members, _learners, now) => now.join() === wanted.join(),
        });
      }
      countWorldFault(world, 'membership', 'the operator changes the members');
    },
    replace(machine, how) {
      const { name } = machine.member;
      machine.isHeldDown = true;
      machine.puppet = null;
      machine.member.restore([]);
      steps.push(removal(name), ...addition());
      countWorldFault(world, how, `${name} is lost: ${how}`);
    },
    tick() {
      const [step] = steps;
      const center = centerOf(world);
      const status = center?.member.core()?.status();
      if (step === undefined || center === undefined || status === undefined) return;
      const { members, learners, eligible } = status.configuration;
      if (status.pendingConfiguration === null && step.isDone(members, learners, eligible)) {
        steps.shift();
        step.after?.();
        return;
      }
      if (status.pendingConfiguration !== null && !world.random.chance(200)) return;
      if (status.pendingConfiguration !== null) {
        // An impatient operator: refused, as long as the change before is not confirmed.
        const others = [...eligible].reverse();
        center.member.act((core) => void core.changeMembership({ type: 'eligible', members: others }));
        return;
      }
      center.member.act((core) => {
        const result = core.changeMembership(step.change);
        if (!result.accepted) world.note(`membership change refused: ${result.reason}`);
      });
    },
  };
}

/** How many of these will never have lied: centers that are to lie yet may be any of them. */
export function honestAmong(world: World, members: readonly string[]): number {
  const toCome = world.scenario.liarCount - world.liars.size;
  return members.filter((member) => !world.liars.has(member)).length - toCome;
}
