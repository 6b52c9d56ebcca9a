/**
 * The columns of the Cargo 2000 tracking table: a shipment number; four legs (up to three incoming ones, one outgoing) with their
 * services, each with planned and effective minutes; and the number of incoming legs.
 */

/** Legs by the prefix of their columns, in column order. */
export const legPrefixes = ['i1', 'i2', 'i3', 'o'] as const;
export type LegPrefix = (typeof legPrefixes)[number];

/** A leg flies at most this many hops. */
export const maxHops = 3;

/** Services: check-in, departure, arrival (the last two once per hop), delivery. */
export type Service = 'RCS' | 'DEP' | 'RCF' | 'DLV';

function legColumns(prefix: LegPrefix): string[] {
  const hops = Array.from({ length: maxHops }, (_, index) => index + 1);
  return [
    `${prefix}_legid`,
    `${prefix}_rcs_p`,
    `${prefix}_rcs_e`,
    ...hops.flatMap((hop) =>
      ['dep', 'rcf'].flatMap((service) => ['p', 'e', 'place'].map((part) => `${prefix}_${service}_${hop}_${part}`)),
    ),
    `${prefix}_dlv_p`,
    `${prefix}_dlv_e`,
    `${prefix}_hops`,
  ];
}

/** All columns in order. */
export const columns: readonly string[] = ['nr', ...legPrefixes.flatMap(legColumns), 'legs'];

/** What stands in a column that does not apply. */
export const notApplicable = '?';
