/** A small table in the form of the Cargo 2000 tracking data, with invented shipments. */
import { columns, legPrefixes, maxHops, notApplicable } from '../../packages/capture/src/cargo2000/layout.ts';
import { seededRandom, type SeededRandom } from './random.ts';

const shipments = 12;
const seed = 382;

/** Planned minutes, and effective ones that differ a little, seldom a lot. */
function durations(random: SeededRandom, plannedMinutes: number): [planned: string, effective: string] {
  const share = random.next() < 0.1 ? 1 + random.next() * 4 : 0.6 + random.next() * 0.7;
  return [String(plannedMinutes), String(Math.round(plannedMinutes * share))];
}

function leg(random: SeededRandom, id: number, from: number, to: number): string[] {
  const hops = random.next() < 0.75 ? 1 : 2;
  const stops = [from, ...Array.from({ length: hops - 1 }, () => random.integer(600, 650)), to];
  const cells: string[] = [String(id), ...durations(random, random.integer(90, 600))];
  for (let hop = 0; hop < maxHops; hop++) {
    if (hop < hops) {
      cells.push(...durations(random, random.integer(120, 480)), String(stops[hop]));
      cells.push(...durations(random, random.integer(200, 1200)), String(stops[hop + 1]));
    } else cells.push(...Array.from({ length: 6 }, () => notApplicable));
  }
  cells.push(...durations(random, random.integer(300, 2400)), String(hops));
  return cells;
}

/** `air-freight.csv`: twelve shipments with up to three incoming legs each. */
export function airFreightTable(): string {
  const random = seededRandom(seed);
  const cellsPerLeg = (columns.length - 2) / legPrefixes.length;
  let legId = 900;
  const rows = Array.from({ length: shipments }, (_, number) => {
    const incoming = 1 + (number % 3);
    const hub = random.integer(601, 609);
    const legs = Array.from({ length: 3 }, (_unused, position) => {
      if (position >= incoming) return Array.from({ length: cellsPerLeg }, () => notApplicable);
      legId += 1;
      return leg(random, legId, random.integer(610, 650), hub);
    });
    legId += 1;
    const outgoing = leg(random, legId, hub, random.integer(651, 660));
    return [String(number), ...legs.flat(), ...outgoing, String(incoming)].join(',');
  });
  return `${[columns.join(','), ...rows, ','.repeat(columns.length - 1)].join('\n')}\n`;
}
