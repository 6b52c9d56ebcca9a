import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJsonBytes, type JsonValue, parseJsonStrict } from '../../src/index.ts';
import { refusal } from '../support/refusal.ts';
import { describeVectors, filesBelow, Tally } from '../support/vectors.ts';

/** Texts whose canonical form is defined, but which two systems might not read alike: our reader refuses them, at this place. */
const refusedByReader = new Map([
  ['unicode.json', '/Unnormalized Unicode'],
  ['values.json', '/numbers/1'],
  ['weird.json', '/\ufb33'],
]);

describeVectors('RFC 8785 (cyberphone/json-canonicalization)', 'json-canonicalization/testdata', (folder) => {
  const inputs = filesBelow(join(folder, 'input'));

  test('every input gives the published bytes', () => {
    const tally = new Tally('RFC 8785 canonical bytes');
    for (const file of inputs) {
      const value = JSON.parse(readFileSync(join(folder, 'input', file), 'utf8')) as JsonValue;
      const bytes = canonicalJsonBytes(value);
      const published = readFileSync(join(folder, 'outhex', file.replace('.json', '.txt')), 'utf8');
      expect([file, Buffer.from(bytes).toString('hex')]).toEqual([file, published.replaceAll(/\s/g, '')]);
      expect([file, Buffer.from(bytes)]).toEqual([file, readFileSync(join(folder, 'output', file))]);
      tally.count('equal');
    }
    expect(inputs.length).toBeGreaterThanOrEqual(6);
    tally.close(inputs.length);
  });

  test('the strict reader takes them too, but for those that are not I-JSON in NFC', () => {
    const tally = new Tally('RFC 8785 inputs by the strict reader');
    for (const file of inputs) {
      const place = refusedByReader.get(file);
      const text = readFileSync(join(folder, 'input', file));
      const found = refusal(() => parseJsonStrict(text));
      expect([file, found.details['place']]).toEqual([file, place]);
      if (place === undefined) expect(parseJsonStrict(text)).toEqual(JSON.parse(text.toString()));
      tally.count(place === undefined ? 'read' : 'refused on purpose: not in NFC, or an integer beyond 2^53 - 1');
    }
    tally.close(inputs.length);
  });
});
