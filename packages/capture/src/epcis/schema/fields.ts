/** Checks of the single fields of EPCIS 2.0 events, in the JSON binding (EPCIS 2.0 sections 7.3 and 10). */
import * as cbv from '../vocabulary.ts';
import type { Vocabulary } from '../vocabulary.ts';
import {
  anyOf,
  boolean,
  listOf,
  number,
  objectOf,
  text,
  textThat,
  word,
  type Check,
  type OtherMembers,
} from './check.ts';
import { isTime } from './time.ts';
import { isUri } from './uri.ts';

/** An object with these members. Extensions carry a namespace, so their names are URIs (or CURIEs, which look so). */
export function object(
  members: Readonly<Record<string, Check>>,
  others: OtherMembers,
  required: readonly string[] = [],
): Check {
  return objectOf({ members: new Map(Object.entries(members)), others, required }, isUri);
}

export const uri = textThat(isUri, 'must be a URI');
export const uriList = listOf(uri);
export const time = textThat(isTime, 'must be a time with a zone, such as 2026-03-01T08:00:00.000Z');
export const zoneOffset = textThat(
  (value) => /^[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)$/.test(value),
  'must be an offset from -14:00 to +14:00, such as +01:00',
);
export const version = textThat((value) => /^\d+(?:\.\d+)*$/.test(value), 'must be a version, such as 2.0');
export const action = word('ADD', 'OBSERVE', 'DELETE');

/** A bare word of a CBV vocabulary, or a URI of one's own: not the URI of a standard word, which must stand bare. */
function vocabularyValue(vocabulary: Vocabulary, standardUri: RegExp): Check {
  return textThat(
    (value) => vocabulary.words.has(value) || (isUri(value) && !standardUri.test(value)),
    `must be a word of the standard (${[...vocabulary.words].slice(0, 3).join(', ')}...) or a URI of another vocabulary`,
  );
}

const cbvUri = /^(?:urn:epcglobal:cbv|https?:\/\/ns\.gs1\.org\/cbv\/)/;
const webVocabularyUri = /^https?:\/\/(?:www\.)?gs1\.org\/voc\//;

export const businessStep = vocabularyValue(cbv.businessSteps, cbvUri);
export const disposition = vocabularyValue(cbv.dispositions, cbvUri);
const businessTransactionType = vocabularyValue(cbv.businessTransactionTypes, cbvUri);
const sourceDestinationType = vocabularyValue(cbv.sourceDestinationTypes, cbvUri);
const errorReason = vocabularyValue(cbv.errorReasons, cbvUri);
const component = vocabularyValue(cbv.components, cbvUri);
const measurementType = vocabularyValue(cbv.measurementTypes, webVocabularyUri);
const sensorAlertType = vocabularyValue(cbv.sensorAlertTypes, webVocabularyUri);

const contextPart: Check = anyOf([uri, object({}, 'any')], 'must be a URI or an object');
/** JSON-LD context: a URI, an object, or distinct ones of these in a list. */
export const context: Check = anyOf(
  [contextPart, listOf(contextPart, { distinct: true })],
  'must be a URI, an object, or a list of distinct ones of these',
);

export const certificationInfo = anyOf([uri, uriList], 'must be a URI or a list of URIs');

export const errorDeclaration = object(
  { declarationTime: time, reason: errorReason, correctiveEventIDs: uriList },
  'namespaced',
  ['declarationTime'],
);

export const epcSet = listOf(uri, { distinct: true });
export const quantityList = listOf(
  object(
    {
      epcClass: uri,
      quantity: number,
      uom: textThat((value) => /^[A-Z0-9]{2,3}$/.test(value), 'must be a unit code of two or three letters or digits'),
    },
    'none',
    ['epcClass'],
  ),
);

const dispositionSet = listOf(disposition, { atLeast: 1, distinct: true });
export const persistentDisposition: Check = (value, place, report) => {
  object({ set: dispositionSet, unset: dispositionSet }, 'none')(value, place, report);
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    report.add(place, 'must set or unset a disposition');
};

/** Read point or business location: an id, and whatever extensions say about the place. */
export const location = object({ id: uri }, 'any', ['id']);

export const businessTransaction = object({ type: businessTransactionType, bizTransaction: uri }, 'none', [
  'bizTransaction',
]);
export const sourceList = listOf(object({ type: sourceDestinationType, source: uri }, 'none', ['type', 'source']));
export const destinationList = listOf(
  object({ type: sourceDestinationType, destination: uri }, 'none', ['type', 'destination']),
);

const sensorMetadata = object(
  {
    time,
    startTime: time,
    endTime: time,
    deviceID: uri,
    deviceMetadata: uri,
    rawData: uri,
    dataProcessingMethod: uri,
    bizRules: uri,
  },
  'namespaced',
);

const sensorReport = object(
  {
    type: measurementType,
    exception: sensorAlertType,
    deviceID: uri,
    deviceMetadata: uri,
    rawData: uri,
    dataProcessingMethod: uri,
    bizRules: uri,
    time,
    microorganism: uri,
    chemicalSubstance: uri,
    coordinateReferenceSystem: uri,
    value: number,
    component,
    stringValue: text,
    booleanValue: boolean,
    hexBinaryValue: textThat((value) => /^[0-9A-Fa-f]+$/.test(value), 'must be hexadecimal digits'),
    uriValue: uri,
    minValue: number,
    maxValue: number,
    meanValue: number,
    sDev: number,
    percRank: number,
    percValue: number,
    uom: text,
  },
  'namespaced',
  ['type'],
);

export const sensorElementList = listOf(
  object({ sensorMetadata, sensorReport: listOf(sensorReport, { atLeast: 1 }) }, 'namespaced', ['sensorReport']),
);

/** Instance and lot master data: extensions only. */
export const ilmd = object({}, 'namespaced');
