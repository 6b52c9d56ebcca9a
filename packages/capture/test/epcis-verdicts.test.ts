/** The validator's verdict against that of the JSON schema which GS1 publishes, where that file is at hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import { validateEpcis } from '../src/epcis/validate.ts';
import { dataFolder, describeWithData, epcisFolders, readCorpus, type CorpusDocument } from './epcis-corpus.ts';
import { mutate, seededRandom } from './mutation.ts';

/** Differences that are meant, by name of the document; each with its reason. Stale entries fail the test. */
const intended: ReadonlyMap<string, string> = new Map();

const mutationsPerDocument = 60;

function schemaVerdict(): (value: unknown) => boolean {
  const schema = JSON.parse(readFileSync(join(dataFolder ?? '', 'gs1-epcis/EPCIS-JSON-Schema.json'), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, allErrors: false });
  ajvFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) => validate(value);
}

describeWithData('the verdict on EPCIS documents is that of the GS1 schema', () => {
  const corpus: readonly CorpusDocument[] = dataFolder === undefined ? [] : readCorpus(epcisFolders);

  test('for every published document', () => {
    const isValid = schemaVerdict();
    const differences = corpus.filter(({ value }) => isValid(value) !== (validateEpcis(value).length === 0));
    const valid = corpus.filter(({ value }) => isValid(value)).length;
    console.info(
      `EPCIS verdicts: ${corpus.length} documents compared (${valid} valid), ${differences.length} differences`,
    );
    expect(corpus.length).toBeGreaterThanOrEqual(100);
    expect(differences.map(({ name }) => name)).toEqual([...intended.keys()]);
  });

  test('for thousands of changed ones', () => {
    const isValid = schemaVerdict();
    const random = seededRandom(20260301);
    let compared = 0;
    let valid = 0;
    const differences: string[] = [];
    for (const { name, value } of corpus) {
      for (let round = 0; round < mutationsPerDocument; round++) {
        const mutant = mutate(value, random);
        const expected = isValid(mutant);
        const problems = validateEpcis(mutant);
        compared += 1;
        if (expected) valid += 1;
        if (expected !== (problems.length === 0))
          differences.push(`${name} round ${round}: schema says ${expected}, we say ${JSON.stringify(problems)}`);
      }
    }
    console.info(
      `EPCIS verdicts: ${compared} changed documents compared (${valid} valid), ${differences.length} differences`,
    );
    expect(compared).toBeGreaterThanOrEqual(5000);
    expect(differences).toEqual([]);
  });

  test('and the documents that are published as invalid are refused with a place and a reason', () => {
    const invalid = corpus.filter(({ name }) => name.includes('/Capture/Invalid/'));
    expect(invalid.length).toBeGreaterThanOrEqual(2);
    for (const { value } of invalid) {
      const [problem] = validateEpcis(value);
      expect(problem?.place).toBeDefined();
      expect(problem?.reason).not.toBe('');
    }
  });
});
