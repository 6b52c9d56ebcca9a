/**
 * Milestone records of a shipment. The table has durations only, so each shipment is given a start of its own and
 * the durations are added up: RCS, DEP, RCF, (DEP, RCF ...), DLV; the outgoing leg starts when the last incoming one is delivered.
 */
import type { JsonObject, ShipmentRecord } from '@waymark/protocol';
import type { Leg, ServiceExecution, Shipment } from './shipment.ts';

/** Schema id of a milestone's payload. */
export const milestoneSchema = 'cargo2000-milestone-v1';

const minuteMs = 60_000;
/** Start of the first shipment of a file. The data is anonymised: the date only has to be fixed. */
const firstStartMs = Date.UTC(2010, 0, 4);
/** Between the starts of neighbouring rows: 3,942 shipments spread over five months (153 days). */
const startIntervalMs = 56 * minuteMs;

/** When the shipment of the row with this index (from 0, in file order) starts, in milliseconds since 1970. */
export function startOfRow(rowIndex: number): number {
  return firstStartMs + rowIndex * startIntervalMs;
}

/** Planned and effective clock of a leg, in milliseconds since 1970. */
interface Clock {
  readonly plannedMs: number;
  readonly effectiveMs: number;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function record(shipment: Shipment, leg: Leg, execution: ServiceExecution, start: Clock, end: Clock): ShipmentRecord {
  const { service, hop, place, plannedMinutes, effectiveMinutes } = execution;
  const payload: JsonObject = {
    shipment: shipment.number,
    leg: { id: leg.id, role: leg.position === 'o' ? 'outgoing' : 'incoming', position: leg.position, hops: leg.hops },
    service,
    ...(hop === undefined ? {} : { hop }),
    place,
    planned: { minutes: plannedMinutes, startTime: iso(start.plannedMs), endTime: iso(end.plannedMs) },
    effective: { minutes: effectiveMinutes, startTime: iso(start.effectiveMs), endTime: iso(end.effectiveMs) },
    deviationMinutes: effectiveMinutes - plannedMinutes,
  };
  return {
    eventId: `c2k:${shipment.number}:${leg.id}:${service}${hop === undefined ? '' : `:${hop}`}`,
    revision: 0,
    consignment: `c2k:${shipment.number}`,
    schema: milestoneSchema,
    collectionTime: iso(end.effectiveMs),
    businessIds: [
      { type: 'c2k-shipment', value: String(shipment.number) },
      { type: 'c2k-leg', value: String(leg.id) },
    ],
    payload,
  };
}

function legRecords(shipment: Shipment, leg: Leg, start: Clock): { records: ShipmentRecord[]; end: Clock } {
  let now = start;
  const records = leg.services.map((execution) => {
    const end: Clock = {
      plannedMs: now.plannedMs + execution.plannedMinutes * minuteMs,
      effectiveMs: now.effectiveMs + execution.effectiveMinutes * minuteMs,
    };
    const milestone = record(shipment, leg, execution, now, end);
    now = end;
    return milestone;
  });
  return { records, end: now };
}

/** All milestones of a shipment, incoming legs first. `startMs`: see `startOfRow`. */
export function milestonesOf(shipment: Shipment, startMs: number): ShipmentRecord[] {
  const start: Clock = { plannedMs: startMs, effectiveMs: startMs };
  const incoming = shipment.incoming.map((leg) => legRecords(shipment, leg, start));
  const consolidated: Clock = {
    plannedMs: Math.max(...incoming.map(({ end }) => end.plannedMs)),
    effectiveMs: Math.max(...incoming.map(({ end }) => end.effectiveMs)),
  };
  return [
    ...incoming.flatMap(({ records }) => records),
    ...legRecords(shipment, shipment.outgoing, consolidated).records,
  ];
}
