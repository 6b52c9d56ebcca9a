/** EPCIS documents, query documents and bare events as the JSON binding writes them (EPCIS 2.0 section 10). */
import { isObject } from '../../json/value.ts';
import { anyOf, at, listOf, number, text, textThat, type Check } from './check.ts';
import { event } from './event.ts';
import * as fields from './fields.ts';

const vocabularyElement = fields.object(
  {
    id: fields.uri,
    attributes: listOf(
      fields.object(
        {
          id: fields.uri,
          attribute: anyOf([number, text, fields.object({}, 'any')], 'must be a number, a string or an object'),
        },
        'any',
        ['id'],
      ),
    ),
    children: fields.uriList,
  },
  'any',
  ['id'],
);

const vocabularyList = listOf(
  fields.object({ type: fields.uri, vocabularyElementList: listOf(vocabularyElement) }, 'any', ['type']),
);

const epcisHeader = fields.object({ epcisMasterData: fields.object({ vocabularyList }, 'any') }, 'namespaced');

/** The parts of a document around its events; `events` checks the list itself. */
function epcisDocument(events: Check): Check {
  return fields.object(
    {
      '@context': fields.context,
      id: fields.uri,
      type: textThat((value) => value === 'EPCISDocument', 'must be EPCISDocument'),
      schemaVersion: fields.version,
      creationDate: fields.time,
      instanceIdentifier: text,
      sender: text,
      receiver: text,
      epcisHeader,
      epcisBody: fields.object({ eventList: events }, 'any', ['eventList']),
    },
    'namespaced',
    ['@context', 'type', 'schemaVersion', 'creationDate', 'epcisBody'],
  );
}

function epcisQueryDocument(events: Check): Check {
  const resultsBody = fields.object({ eventList: events, vocabularyList }, 'namespaced', ['eventList']);
  const queryResults = fields.object({ queryName: text, subscriptionID: text, resultsBody }, 'namespaced', [
    'queryName',
    'resultsBody',
  ]);
  return fields.object(
    {
      '@context': fields.context,
      id: fields.uri,
      type: textThat((value) => value === 'EPCISQueryDocument', 'must be EPCISQueryDocument'),
      schemaVersion: fields.version,
      creationDate: fields.time,
      epcisBody: fields.object({ queryResults }, 'namespaced', ['queryResults']),
    },
    'namespaced',
    ['@context', 'type', 'epcisBody'],
  );
}

/** An event that is not part of a document, so that it must bring its own context. */
export const bareEvent: Check = (value, place, report) => {
  event(value, place, report);
  if (isObject(value) && !Object.hasOwn(value, '@context')) report.add(place, 'lacks @context');
};

const documents = new Map<string, (events: Check) => Check>([
  ['EPCISDocument', epcisDocument],
  ['EPCISQueryDocument', epcisQueryDocument],
]);

/** Whether `type` is that of a document rather than of an event. */
export function isDocumentType(type: unknown): boolean {
  return typeof type === 'string' && documents.has(type);
}

/** A whole text: a document of either kind, or a bare event. `events` checks the list of events of a document. */
export function epcisText(events: Check): Check {
  const byType = new Map([...documents].map(([type, build]) => [type, build(events)]));
  return (value, place, report) => {
    if (!isObject(value)) {
      report.add(place, 'must be an object');
      return;
    }
    const type = Object.hasOwn(value, 'type') ? value['type'] : undefined;
    if (typeof type !== 'string')
      report.add(at(place, 'type'), 'must say whether this is an EPCISDocument or an event');
    else (byType.get(type) ?? bareEvent)(value, place, report);
  };
}
