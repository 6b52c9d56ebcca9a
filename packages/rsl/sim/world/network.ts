import type { EventQueue } from './events.ts';
import type { Random } from './random.ts';
import { countFault, type FaultCounts } from './trace.ts';

/** How badly a network behaves. Shares are in thousandths of the messages, times in virtual milliseconds. */
export interface NetworkWeather {
  dropPerMille: number;
  duplicatePerMille: number;
  /** Messages held back long enough that later ones overtake them. */
  delayPerMille: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly longDelayMs: number;
}

/** A network between members named by text; every direction of every pair can be cut on its own. */
export interface SimNetwork<Message> {
  send(from: string, to: string, message: Message): void;
  /** Cuts one direction: what `from` sends no longer arrives at `to`. */
  cut(from: string, to: string): void;
  /** Two sides that no longer hear each other. */
  partition(sideA: readonly string[], sideB: readonly string[]): void;
  /** All directions work again. */
  mend(): void;
  weather: NetworkWeather;
}

export function createNetwork<Message>(
  events: EventQueue,
  random: Random,
  faults: FaultCounts,
  weather: NetworkWeather,
  deliver: (from: string, to: string, message: Message) => void,
): SimNetwork<Message> {
  const cuts = new Set<string>();
  const plan = (from: string, to: string, message: Message, delayMs: number): void =>
    events.after(delayMs, () => {
      if (cuts.has(`${from}>${to}`)) countFault(faults, 'cut');
      else deliver(from, to, message);
    });
  const network: SimNetwork<Message> = {
    weather,
    send(from, to, message) {
      const { dropPerMille, duplicatePerMille, delayPerMille, minDelayMs, maxDelayMs, longDelayMs } = network.weather;
      if (cuts.has(`${from}>${to}`)) {
        countFault(faults, 'cut');
        return;
      }
      if (random.chance(dropPerMille)) {
        countFault(faults, 'drop');
        return;
      }
      if (random.chance(duplicatePerMille)) {
        countFault(faults, 'duplicate');
        plan(from, to, message, random.between(minDelayMs, longDelayMs));
      }
      if (random.chance(delayPerMille)) {
        countFault(faults, 'delay');
        plan(from, to, message, random.between(maxDelayMs, longDelayMs));
      } else {
        // Two messages of one link may draw delays that swap them: reordering is the ordinary case.
        plan(from, to, message, random.between(minDelayMs, maxDelayMs));
      }
    },
    cut: (from, to) => void cuts.add(`${from}>${to}`),
    partition(sideA, sideB) {
      for (const a of sideA) {
        for (const b of sideB) {
          cuts.add(`${a}>${b}`);
          cuts.add(`${b}>${a}`);
        }
      }
    },
    mend: () => cuts.clear(),
  };
  return network;
}
