/** Event hash ids against the published vectors of the CBV 2.0 algorithm. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@waymark/protocol';
import { eventHashId, eventPreHash } from '../src/epcis/event-hash/event-hash.ts';
import { eventsOf } from './events-of.ts';
import { dataFolder, describeWithData } from './epcis-corpus.ts';

const examples = join(dataFolder ?? '', 'epcis-event-hash/tests/examples');

/**
 * Published pre-hash files whose text was damaged where it was published: the SHA-256 of the text is not the hash
 * published beside it. Their hashes are still compared.
 */
const damagedPreHashes: ReadonlyMap<string, string> = new Map([
  ['epcisDocWithAllGS1Keys', 'its text is cut and pasted over, and does not hash to the published id'],
  ['epcisDocWithDefaultSchemaInContext', 'its second line is cut at 461 characters'],
]);

function linesOf(name: string, extension: string): string[] {
  return readFileSync(join(examples, `${name}.${extension}`), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

describeWithData('published event hash vectors', () => {
  const files = dataFolder === undefined ? [] : readdirSync(examples);
  const named = (extension: string): string[] =>
    files.filter((file) => file.endsWith(`.${extension}`)).map((file) => file.slice(0, -extension.length - 1));
  const jsonCases = named('jsonld');
  const xmlOnly = named('hashes').filter((name) => !jsonCases.includes(name));

  test('every published case is known: JSON-LD ones are compared, those that exist only as XML are skipped', () => {
    const known = /\.(?:jsonld|hashes|prehashes|xml)$/;
    expect(files.filter((file) => !known.test(file))).toEqual([]);
    console.info(
      `event hash vectors: ${jsonCases.length} JSON-LD cases; skipped because XML is no input format: ${xmlOnly.join(', ')}`,
    );
    for (const name of xmlOnly) expect(files).toContain(`${name}.xml`);
    const equalities = readdirSync(join(examples, '../expected_equal'));
    expect(equalities.filter((file) => !file.endsWith('.xml'))).toEqual([]);
    console.info(
      `event hash equalities: ${equalities.length} documents skipped because XML is no input format (the same rules are tested on JSON in event-hash.test.ts)`,
    );
  });

  test('the hash id of every event is the published one', () => {
    let events = 0;
    for (const name of jsonCases) {
      const ids = eventsOf(JSON.parse(readFileSync(join(examples, `${name}.jsonld`), 'utf8')) as JsonObject).map(
        ({ event, surroundings }) => eventHashId(event, surroundings),
      );
      expect({ name, ids }).toEqual({ name, ids: linesOf(name, 'hashes') });
      events += ids.length;
    }
    console.info(`event hash vectors: ${events} hash ids of ${jsonCases.length} documents equal`);
    expect(events).toBeGreaterThanOrEqual(15);
  });

  test('the pre-hash string of every event is the published one', () => {
    let compared = 0;
    for (const name of jsonCases.filter((candidate) => files.includes(`${candidate}.prehashes`))) {
      const strings = eventsOf(JSON.parse(readFileSync(join(examples, `${name}.jsonld`), 'utf8')) as JsonObject).map(
        ({ event, surroundings }) => eventPreHash(event, surroundings),
      );
      const published = linesOf(name, 'prehashes');
      const isEqual = JSON.stringify(strings) === JSON.stringify(published);
      if (damagedPreHashes.has(name)) {
        // A damaged text that became whole again must leave the list.
        expect({ name, isEqual }).toEqual({ name, isEqual: false });
        continue;
      }
      expect({ name, strings }).toEqual({ name, strings: published });
      compared += strings.length;
    }
    console.info(
      `event hash vectors: ${compared} pre-hash strings equal; ${damagedPreHashes.size} files left out: ${[...damagedPreHashes].map(([name, reason]) => `${name} (${reason})`).join('; ')}`,
    );
  });
});
