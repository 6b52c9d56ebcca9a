/** One consignment on its way from a grower's cold store to a consignee's: thirteen EPCIS 2.0 events. */
import {
  carriers,
  consignees,
  documentId,
  growers,
  locationOf,
  partyId,
  products,
  type Party,
  type Product,
} from './parties.ts';
import type { SeededRandom } from './random.ts';

/** An event as it is written into the document. */
export type EpcisEvent = Readonly<Record<string, unknown>>;

/** Events of a journey. */
export const eventsPerJourney = 13;

interface Journey {
  readonly random: SeededRandom;
  readonly number: number;
  readonly product: Product;
  readonly grower: Party;
  readonly carrier: Party;
  readonly consignee: Party;
  readonly cases: readonly string[];
  readonly pallet: string;
  readonly trailer: string;
  /** Minutes since the start of the sample's clock. */
  minutes: number;
}

const clockStartMs = Date.UTC(2026, 0, 12, 4);

function time(minutes: number, zoneHours: number): { eventTime: string; eventTimeZoneOffset: string } {
  const local = new Date(clockStartMs + (minutes + zoneHours * 60) * 60_000).toISOString().slice(0, -1);
  const eventTimeZoneOffset = `+${String(zoneHours).padStart(2, '0')}:00`;
  return { eventTime: local + eventTimeZoneOffset, eventTimeZoneOffset };
}

function documents(journey: Journey): EpcisEvent {
  const { consignee, grower, number } = journey;
  return {
    bizTransactionList: [
      { type: 'po', bizTransaction: documentId(consignee, `PO-26-${String(4100 + number)}`) },
      { type: 'desadv', bizTransaction: documentId(grower, `DA-26-${String(77_000 + number * 3)}`) },
    ],
  };
}

function parties(journey: Journey): EpcisEvent {
  const { grower, consignee } = journey;
  return {
    sourceList: [
      { type: 'owning_party', source: partyId(grower) },
      { type: 'location', source: locationOf(grower, 1) },
    ],
    destinationList: [
      { type: 'owning_party', destination: partyId(consignee) },
      { type: 'location', destination: locationOf(consignee, 1) },
    ],
  };
}

/** Temperature and humidity over the last hour; now and then the cooling was not good enough. */
function sensors(journey: Journey, zoneHours: number): EpcisEvent {
  const { random, product, carrier, number } = journey;
  const span = product.highCelsius - product.lowCelsius;
  const isWarm = random.next() < 0.06;
  const low = product.lowCelsius + span * (0.1 + random.next() * 0.3) + (isWarm ? span : 0);
  const high = low + span * random.next() * 0.4;
  const degrees = (value: number): number => Math.round(value * 10) / 10;
  return {
    sensorElementList: [
      {
        sensorMetadata: {
          startTime: time(journey.minutes - 60, zoneHours).eventTime,
          endTime: time(journey.minutes, zoneHours).eventTime,
          deviceID: `urn:epc:id:giai:${carrier.prefix}.LOGGER${String(300 + (number % 17))}`,
        },
        sensorReport: [
          {
            type: 'Temperature',
            minValue: degrees(low),
            maxValue: degrees(high),
            meanValue: degrees((low + high) / 2),
            uom: 'CEL',
            ...(isWarm ? { exception: 'ALARM_CONDITION' } : {}),
          },
          { type: 'RelativeHumidity', value: random.integer(62, 94), uom: 'P1' },
        ],
      },
    ],
  };
}

/** One step: lets time pass, then says what happened, when and where. */
function step(
  journey: Journey,
  afterMinutes: readonly [least: number, most: number],
  party: Party,
  place: number,
  what: () => EpcisEvent,
): EpcisEvent {
  journey.minutes += journey.random.integer(...afterMinutes);
  const { type, ...fields } = what();
  const hasOwnId = journey.random.next() < 0.5;
  return {
    type,
    ...(hasOwnId ? { eventID: `urn:uuid:${journey.random.uuid()}` } : {}),
    ...time(journey.minutes, party.zoneHours),
    ...fields,
    readPoint: { id: locationOf(party, place) },
    bizLocation: { id: locationOf(party, Math.floor(place / 10) * 10 + 1) },
  };
}

function startJourney(random: SeededRandom, number: number): Journey {
  const grower = random.pick(growers);
  const product = random.pick(products);
  const firstSerial = 26_000_000 + number * 40;
  const reference = product.itemReference;
  return {
    random,
    number,
    product,
    grower,
    carrier: random.pick(carriers),
    consignee: random.pick(consignees),
    cases: Array.from(
      { length: random.integer(5, 8) },
      (_, index) => `urn:epc:id:sgtin:${grower.prefix}.${reference}.${firstSerial + index}`,
    ),
    pallet: `urn:epc:id:sscc:${grower.prefix}.0${String(880_000_000 + number)}`,
    trailer: `urn:epc:id:grai:${random.pick(carriers).prefix}.00417.T${String(100 + (number % 9))}`,
    minutes: number * 190,
  };
}

/** At the grower: the cases are made, chilled, packed and ordered out. */
function atGrower(journey: Journey): EpcisEvent[] {
  const { grower, product, cases, pallet, number } = journey;
  const lot = `L26${String(140 + (number % 60))}${'ABC'[number % 3] ?? 'A'}`;
  const lotClass = `urn:epc:class:lgtin:${grower.prefix}.${product.itemReference}.${lot}`;
  return [
    step(journey, [0, 20], grower, 11, () => ({
      type: 'ObjectEvent',
      action: 'ADD',
      bizStep: 'commissioning',
      disposition: 'active',
      epcList: cases,
      quantityList: [{ epcClass: lotClass, quantity: cases.length * product.unitWeightKilograms, uom: 'KGM' }],
      ...documents(journey),
      ilmd: { 'cbvmda:lotNumber': lot, 'cbvmda:descriptionShort': product.name, 'cold:keepBelow': product.highCelsius },
    })),
    step(journey, [40, 70], grower, 12, () => ({
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'storing',
      disposition: 'in_progress',
      epcList: cases,
      ...documents(journey),
      ...sensors(journey, grower.zoneHours),
    })),
    step(journey, [90, 300], grower, 13, () => ({
      type: 'AggregationEvent',
      action: 'ADD',
      bizStep: 'packing',
      disposition: 'container_closed',
      parentID: pallet,
      childEPCs: cases,
      ...documents(journey),
    })),
    step(journey, [10, 30], grower, 14, () => ({
      type: 'TransactionEvent',
      action: 'ADD',
      bizStep: 'staging_outbound',
      disposition: 'in_progress',
      parentID: pallet,
      epcList: cases,
      ...documents(journey),
      ...parties(journey),
    })),
  ];
}

/** On the road: one truck, watched by its logger. */
function onTheRoad(journey: Journey): EpcisEvent[] {
  const { grower, carrier, pallet, trailer } = journey;
  const moving = { disposition: 'in_transit', epcList: [pallet], ...documents(journey) };
  return [
    step(journey, [30, 90], grower, 21, () => ({
      type: 'AssociationEvent',
      action: 'ADD',
      bizStep: 'loading',
      disposition: 'in_progress',
      parentID: trailer,
      childEPCs: [pallet],
      ...documents(journey),
    })),
    step(journey, [5, 15], grower, 21, () => ({
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'shipping',
      ...moving,
      ...parties(journey),
    })),
    ...[1, 2, 3].map((leg) =>
      step(journey, [120, 240], carrier, 30 + leg, () => ({
        type: 'ObjectEvent',
        action: 'OBSERVE',
        bizStep: 'transporting',
        ...moving,
        ...sensors(journey, carrier.zoneHours),
        'cold:doorOpenings': journey.random.integer(0, 3),
      })),
    ),
  ];
}

/** At the consignee: the pallet arrives, is looked at, taken apart and stored. */
function atConsignee(journey: Journey): EpcisEvent[] {
  const { consignee, cases, pallet } = journey;
  return [
    step(journey, [60, 200], consignee, 11, () => ({
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'arriving',
      disposition: 'in_progress',
      epcList: [pallet],
      ...documents(journey),
    })),
    step(journey, [10, 40], consignee, 12, () => ({
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'receiving',
      disposition: 'in_progress',
      epcList: [pallet],
      ...documents(journey),
      ...parties(journey),
      persistentDisposition: { set: [journey.random.next() < 0.95 ? 'completeness_verified' : 'mismatch_quantity'] },
    })),
    step(journey, [15, 50], consignee, 13, () => ({
      type: 'AggregationEvent',
      action: 'DELETE',
      bizStep: 'unpacking',
      disposition: 'in_progress',
      parentID: pallet,
      childEPCs: cases,
      ...documents(journey),
    })),
    step(journey, [70, 110], consignee, 14, () => ({
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'storing',
      disposition: 'sellable_not_accessible',
      epcList: cases,
      ...documents(journey),
      ...sensors(journey, consignee.zoneHours),
    })),
  ];
}

/** All events of the journey with this number. */
export function journeyEvents(random: SeededRandom, number: number): EpcisEvent[] {
  const journey = startJourney(random, number);
  return [...atGrower(journey), ...onTheRoad(journey), ...atConsignee(journey)];
}
