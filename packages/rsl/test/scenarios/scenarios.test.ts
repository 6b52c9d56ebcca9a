import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatScenario, parseScenario } from './format.ts';
import { runScenario } from './run.ts';

const folder = join(import.meta.dirname, '../../scenarios');
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const rewrites = process.env['RSL_SCENARIOS_REWRITE'] === '1';

test('there are scenarios', () => {
  expect(files.length).toBeGreaterThanOrEqual(20);
});

describe.each(files)('scenario %s', (name) => {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  const scenario = parseScenario(text);

  test('cites the rule it shows', () => {
    expect(scenario.title).not.toBe('');
    expect(scenario.rules.length).toBeGreaterThan(0);
  });

  test(scenario.title, () => {
    const written = formatScenario(scenario, runScenario(scenario));
    if (rewrites) writeFileSync(path, written);
    expect(written).toBe(rewrites ? written : text);
  });
});
