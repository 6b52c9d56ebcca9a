/** The EPCIS sample: a document with one event per line, so that people and diffs can read it. */
import { eventsPerJourney, journeyEvents, type EpcisEvent } from './journey.ts';
import { seededRandom } from './random.ts';

const journeys = 42;
const seed = 20_260_112;

function documentText(events: readonly string[]): string {
  return [
    '{',
    '  "@context": [',
    '    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",',
    '    { "cold": "https://ns.example.com/cold-chain/" }',
    '  ],',
    '  "type": "EPCISDocument",',
    '  "schemaVersion": "2.0",',
    '  "creationDate": "2026-01-31T12:00:00.000Z",',
    '  "epcisBody": {',
    '    "eventList": [',
    events.map((event) => `      ${event}`).join(',\n'),
    '    ]',
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Events of all journeys, in the order in which they happened. */
function allEvents(): EpcisEvent[] {
  const random = seededRandom(seed);
  const events = Array.from({ length: journeys }, (_, number) => journeyEvents(random, number + 1)).flat();
  return events.toSorted(
    (left, right) => Date.parse(String(left['eventTime'])) - Date.parse(String(right['eventTime'])),
  );
}

/** `cold-chain.jsonld`: 42 consignments, 13 events each. */
export function coldChainDocument(): string {
  const events = allEvents();
  if (events.length !== journeys * eventsPerJourney) throw new RangeError('a journey lost events');
  return documentText(events.map((event) => JSON.stringify(event)));
}

/** `damaged.jsonld`: four good events and, between them, one whose action does not exist. */
export function damagedDocument(): string {
  const events = allEvents()
    .filter((event) => event['action'] === 'OBSERVE')
    .slice(0, 5);
  return documentText(
    events.map((event, index) => JSON.stringify(index === 2 ? { ...event, action: 'LOADED' } : event)),
  );
}
