/**
 * Invented firms, places and goods. Their company prefixes lie in the range that GS1 keeps for demonstrations (952), so none of
 * these identifiers belongs to anybody.
 */
import { withCheckDigit } from '../../packages/capture/src/gs1/check-digit.ts';

export interface Party {
  readonly prefix: string;
  /** Zone of its places: hours ahead of UTC. */
  readonly zoneHours: number;
}

/** A product in cold storage: the class digits of its GTIN, and the temperatures it must keep. */
export interface Product {
  readonly itemReference: string;
  readonly name: string;
  readonly lowCelsius: number;
  readonly highCelsius: number;
  readonly unitWeightKilograms: number;
}

export const growers: readonly Party[] = [
  { prefix: '9520011', zoneHours: 1 },
  { prefix: '9520012', zoneHours: 0 },
  { prefix: '9520013', zoneHours: 2 },
];
export const carriers: readonly Party[] = [
  { prefix: '9520021', zoneHours: 1 },
  { prefix: '9520022', zoneHours: 1 },
];
export const consignees: readonly Party[] = [
  { prefix: '9520031', zoneHours: 1 },
  { prefix: '9520032', zoneHours: 2 },
  { prefix: '9520033', zoneHours: 0 },
];

export const products: readonly Product[] = [
  { itemReference: '010010', name: 'Raspberries, 12 punnets', lowCelsius: 0, highCelsius: 4, unitWeightKilograms: 1.5 },
  { itemReference: '010027', name: 'Insulin pens, 50 boxes', lowCelsius: 2, highCelsius: 8, unitWeightKilograms: 6.2 },
  { itemReference: '010034', name: 'Cut tulips, 20 bunches', lowCelsius: 2, highCelsius: 5, unitWeightKilograms: 4.8 },
  { itemReference: '010041', name: 'Sea bass on ice', lowCelsius: -1, highCelsius: 2, unitWeightKilograms: 8.4 },
  { itemReference: '010058', name: 'Vaccine vials, 10 trays', lowCelsius: 2, highCelsius: 8, unitWeightKilograms: 3.1 },
];

export function locationOf(party: Party, place: number): string {
  return `urn:epc:id:sgln:${party.prefix}.${String(place).padStart(5, '0')}.0`;
}

export function partyId(party: Party): string {
  return `urn:epc:id:pgln:${party.prefix}.00000`;
}

export function documentId(party: Party, number: string): string {
  return `urn:epcglobal:cbv:bt:${withCheckDigit(`${party.prefix}00000`)}:${number}`;
}
