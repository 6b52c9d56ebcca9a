/** The samples in the repository: what their generator writes, and what the documentation says of them. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { JsonObject } from '@waymark/protocol';
import { sampleFiles } from '../../../scripts/generate-samples.ts';
import { openRecordFile } from '../src/index.ts';
import { dataFolder, describeWithData } from './epcis-corpus.ts';
import { collected, recordsOf, refusalOf } from './files.ts';

const folder = join(import.meta.dirname, '../../../examples/samples');
const sample = (name: string): string => join(folder, name);

test('the files are those that the generator writes', () => {
  for (const [name, content] of sampleFiles())
    expect({ name, content: readFileSync(sample(name), 'utf8') }).toEqual({ name, content });
});

test('they stay small', () => {
  const sizes = [...sampleFiles().keys()].map((name) => statSync(sample(name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_500_000);
});

test('the EPCIS sample has at least 520 events of about a kilobyte, of 42 consignments', async () => {
  const file = await openRecordFile(sample('cold-chain.jsonld'));
  expect(file.format).toBe('epcis-2.0');
  expect(file.count).toBeGreaterThanOrEqual(520);
  const records = await collected(file);
  expect(new Set(records.map(({ eventId }) => eventId)).size).toBe(file.count);
  expect(new Set(records.map(({ consignment }) => consignment)).size).toBe(42);
  const meanBytes = records.reduce((sum, { payload }) => sum + JSON.stringify(payload).length, 0) / file.count;
  expect(meanBytes).toBeGreaterThan(800);
  expect(meanBytes).toBeLessThan(1_300);
  expect(records.filter(({ eventId }) => eventId.startsWith('ni:')).length).toBeGreaterThan(100);
});

test('the table and the lines are read', async () => {
  expect(await openRecordFile(sample('air-freight.csv'))).toMatchObject({ format: 'cargo2000', count: 164 });
  expect(await recordsOf(sample('parcel-scans.ndjson'))).toHaveLength(32);
});

test('the damaged sample is refused where it is damaged', async () => {
  expect(await refusalOf(sample('damaged.jsonld'))).toEqual({
    code: 'input-invalid',
    place: '/epcisBody/eventList/2/action',
    line: 13,
    reason: 'must be one of ADD, OBSERVE, DELETE',
  });
});

describeWithData('the samples and the GS1 schema', () => {
  test('the EPCIS sample is valid, the damaged one is not', () => {
    const ajv = new Ajv({ strict: false });
    ajvFormats.default(ajv);
    const schema = readFileSync(join(dataFolder ?? '', 'gs1-epcis/EPCIS-JSON-Schema.json'), 'utf8');
    const validate = ajv.compile(JSON.parse(schema) as JsonObject);
    expect(validate(JSON.parse(readFileSync(sample('cold-chain.jsonld'), 'utf8')))).toBe(true);
    expect(validate(JSON.parse(readFileSync(sample('damaged.jsonld'), 'utf8')))).toBe(false);
  });
});
