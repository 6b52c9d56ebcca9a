/** One row of the table as a shipment: every column is looked at, and says where it is wrong. */
import { columns, legPrefixes, maxHops, notApplicable, type LegPrefix, type Service } from './layout.ts';

/** One service of a leg with its durations. */
export interface ServiceExecution {
  readonly service: Service;
  /** Set for DEP and RCF: 1 for the first hop. */
  readonly hop?: number;
  /** Anonymised airport number. Check-in is at the first departure's place, delivery at the last arrival's. */
  readonly place: number;
  readonly plannedMinutes: number;
  readonly effectiveMinutes: number;
}

export interface Leg {
  readonly id: number;
  readonly position: LegPrefix;
  readonly hops: number;
  readonly services: readonly ServiceExecution[];
}

export interface Shipment {
  readonly number: number;
  readonly incoming: readonly Leg[];
  readonly outgoing: Leg;
}

/** A column of a row that does not have the form it must have. */
export class ColumnFault extends Error {
  readonly column: string;
  constructor(column: string, reason: string) {
    super(reason);
    this.column = column;
  }
}

const integerForm = /^(?:0|[1-9]\d*)$/;
const keyDigits = 9;
/** Ten million minutes are 19 years; the longest duration of the real data is 560,130. */
const minuteDigits = 7;

class Row {
  readonly #cells: ReadonlyMap<string, string>;

  constructor(cells: readonly string[]) {
    if (cells.length !== columns.length)
      throw new ColumnFault(
        columns[Math.min(cells.length, columns.length - 1)] ?? '',
        `has ${cells.length} columns instead of ${columns.length}`,
      );
    this.#cells = new Map(columns.map((column, index) => [column, cells[index] ?? '']));
  }

  text(column: string): string {
    return this.#cells.get(column) ?? '';
  }

  integer(column: string, maxDigits = keyDigits): number {
    const text = this.text(column);
    if (text === notApplicable) throw new ColumnFault(column, 'must be given');
    if (!integerForm.test(text) || text.length > maxDigits)
      throw new ColumnFault(column, `must be a whole number of at most ${maxDigits} digits, not negative`);
    return Number(text);
  }

  absent(names: readonly string[], why: string): void {
    const filled = names.find((column) => this.text(column) !== notApplicable);
    if (filled !== undefined) throw new ColumnFault(filled, `must be "${notApplicable}", because ${why}`);
  }
}

function columnsOf(prefix: LegPrefix): string[] {
  return columns.filter((column) => column.startsWith(`${prefix}_`));
}

function readLeg(row: Row, position: LegPrefix): Leg {
  const hops = row.integer(`${position}_hops`);
  if (hops < 1 || hops > maxHops) throw new ColumnFault(`${position}_hops`, `must be from 1 to ${maxHops}`);
  const id = row.integer(`${position}_legid`);
  const durations = (column: string): { plannedMinutes: number; effectiveMinutes: number } => ({
    plannedMinutes: row.integer(`${column}_p`, minuteDigits),
    effectiveMinutes: row.integer(`${column}_e`, minuteDigits),
  });
  const flown: ServiceExecution[] = [];
  for (let hop = 1; hop <= maxHops; hop++) {
    for (const service of ['DEP', 'RCF'] as const) {
      const column = `${position}_${service.toLowerCase()}_${hop}`;
      if (hop <= hops) {
        const { plannedMinutes, effectiveMinutes } = durations(column);
        flown.push({ service, hop, place: row.integer(`${column}_place`), plannedMinutes, effectiveMinutes });
      } else row.absent([`${column}_p`, `${column}_e`, `${column}_place`], `${position}_hops is ${hops}`);
    }
  }
  const services: ServiceExecution[] = [
    { service: 'RCS', place: flown[0]?.place ?? 0, ...durations(`${position}_rcs`) },
    ...flown,
    { service: 'DLV', place: flown.at(-1)?.place ?? 0, ...durations(`${position}_dlv`) },
  ];
  return { id, position, hops, services };
}

/**
 * Reads one row.
 * @throws ColumnFault naming the first column that is wrong
 */
export function readShipment(cells: readonly string[]): Shipment {
  const row = new Row(cells);
  const number = row.integer('nr');
  const legs = row.integer('legs');
  if (legs < 1 || legs > 3) throw new ColumnFault('legs', 'must be from 1 to 3');
  const positions = legPrefixes.slice(0, 3);
  for (const unused of positions.slice(legs)) row.absent(columnsOf(unused), `legs is ${legs}`);
  return {
    number,
    incoming: positions.slice(0, legs).map((position) => readLeg(row, position)),
    outgoing: readLeg(row, 'o'),
  };
}
