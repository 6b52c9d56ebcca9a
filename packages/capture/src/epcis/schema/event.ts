/** Which fields each kind of event has, and which it needs (EPCIS 2.0 sections 7.4.1 to 7.4.6). */
import { isObject } from '../../json/value.ts';
import { at, listOf, objectOf, text, type Check, type Report } from './check.ts';
import * as fields from './fields.ts';
import { isUri } from './uri.ts';
import type { JsonObject } from '@waymark/protocol';

/** The kinds of event that the standard defines. */
type EventType = 'ObjectEvent' | 'AggregationEvent' | 'TransactionEvent' | 'TransformationEvent' | 'AssociationEvent';

const ofEveryEvent: Readonly<Record<string, Check>> = {
  '@context': fields.context,
  type: text,
  eventTime: fields.time,
  recordTime: fields.time,
  eventTimeZoneOffset: fields.zoneOffset,
  eventID: fields.uri,
  certificationInfo: fields.certificationInfo,
  errorDeclaration: fields.errorDeclaration,
};

const ofEveryStandardEvent: Readonly<Record<string, Check>> = {
  ...ofEveryEvent,
  bizStep: fields.businessStep,
  disposition: fields.disposition,
  readPoint: fields.location,
  bizLocation: fields.location,
  bizTransactionList: listOf(fields.businessTransaction),
  sourceList: fields.sourceList,
  destinationList: fields.destinationList,
  sensorElementList: fields.sensorElementList,
};

const ofContainment: Readonly<Record<string, Check>> = {
  ...ofEveryStandardEvent,
  action: fields.action,
  parentID: fields.uri,
  childEPCs: fields.uriList,
  childQuantityList: fields.quantityList,
};

interface EventRule {
  readonly members: Readonly<Record<string, Check>>;
  readonly required: readonly string[];
  /** What the event is about: says what is missing, if something is. */
  readonly lacks: (event: JsonObject) => string | undefined;
}

function isFilled(event: JsonObject, name: string): boolean {
  const value = Object.hasOwn(event, name) ? event[name] : undefined;
  return Array.isArray(value) && value.length > 0;
}

function lacksChildren(event: JsonObject): string | undefined {
  const complete = event['action'] === 'DELETE' || isFilled(event, 'childEPCs') || isFilled(event, 'childQuantityList');
  return complete ? undefined : 'needs childEPCs or childQuantityList, unless the action is DELETE';
}

const rules: Readonly<Record<EventType, EventRule>> = {
  ObjectEvent: {
    members: {
      ...ofEveryStandardEvent,
      action: fields.action,
      epcList: fields.epcSet,
      quantityList: fields.quantityList,
      persistentDisposition: fields.persistentDisposition,
      ilmd: fields.ilmd,
    },
    required: ['action'],
    lacks(event) {
      if (Object.hasOwn(event, 'ilmd') && event['action'] !== 'ADD') return 'may have ilmd only when the action is ADD';
      const complete =
        Object.hasOwn(event, 'epcList') ||
        isFilled(event, 'quantityList') ||
        (isFilled(event, 'sensorElementList') && Object.hasOwn(event, 'readPoint'));
      return complete ? undefined : 'needs epcList, quantityList, or sensorElementList with a readPoint';
    },
  },
  AggregationEvent: { members: ofContainment, required: ['action'], lacks: lacksChildren },
  AssociationEvent: { members: ofContainment, required: ['action', 'parentID'], lacks: lacksChildren },
  TransactionEvent: {
    members: {
      ...ofEveryStandardEvent,
      action: fields.action,
      bizTransactionList: listOf(fields.businessTransaction, { atLeast: 1 }),
      parentID: fields.uri,
      epcList: fields.uriList,
      quantityList: fields.quantityList,
    },
    required: ['action', 'bizTransactionList'],
    lacks(event) {
      const complete =
        event['action'] === 'DELETE' || Object.hasOwn(event, 'epcList') || isFilled(event, 'quantityList');
      return complete ? undefined : 'needs epcList or quantityList, unless the action is DELETE';
    },
  },
  TransformationEvent: {
    members: {
      ...ofEveryStandardEvent,
      inputEPCList: fields.epcSet,
      inputQuantityList: fields.quantityList,
      outputEPCList: fields.epcSet,
      outputQuantityList: fields.quantityList,
      transformationID: fields.uri,
      persistentDisposition: fields.persistentDisposition,
      ilmd: fields.ilmd,
    },
    required: [],
    lacks(event) {
      const hasInput = isFilled(event, 'inputEPCList') || isFilled(event, 'inputQuantityList');
      const hasOutput = isFilled(event, 'outputEPCList') || isFilled(event, 'outputQuantityList');
      const complete = Object.hasOwn(event, 'transformationID') ? hasInput || hasOutput : hasInput && hasOutput;
      return complete ? undefined : 'needs inputs and outputs, or a transformationID with either';
    },
  },
};

const everyEventNeeds = ['type', 'eventTime', 'eventTimeZoneOffset'] as const;
const checks = new Map<string, Check>(
  Object.entries(rules).map(([type, rule]) => [
    type,
    objectOf(
      {
        members: new Map(Object.entries(rule.members)),
        required: [...everyEventNeeds, ...rule.required],
        others: 'namespaced',
      },
      isUri,
    ),
  ]),
);
const checkExtended = fields.object(ofEveryEvent, 'any', everyEventNeeds);

/** One event inside a document. A type of one's own must be a URI, and only the fields of every event are checked. */
export const event: Check = (value, place, report) => {
  if (!isObject(value)) {
    report.add(place, 'must be an object');
    return;
  }
  const type = Object.hasOwn(value, 'type') ? value['type'] : undefined;
  if (typeof type !== 'string') {
    report.add(at(place, 'type'), 'must name the type of the event');
    return;
  }
  const check = checks.get(type);
  if (check) checkStandard(value, type as EventType, check, place, report);
  else {
    if (!isUri(type)) report.add(at(place, 'type'), 'is no event type of EPCIS, and a type of your own is a URI');
    checkExtended(value, place, report);
  }
};

function checkStandard(value: JsonObject, type: EventType, check: Check, place: string, report: Report): void {
  check(value, place, report);
  const missing = rules[type].lacks(value);
  if (missing !== undefined) report.add(place, `${type} ${missing}`);
}
