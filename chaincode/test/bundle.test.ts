import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '@waymark/protocol';
import { ensureChaincodeBuilt } from '../../scripts/build-chaincode.ts';
import { isBundleFresh } from '../build/bundle.ts';

describe('the bundle', () => {
  let bundle = '';
  let sources: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const folder = await ensureChaincodeBuilt();
    bundle = readFileSync(join(folder, 'lib', 'index.js'), 'utf8');
    const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    sources = new Map(files.map((file) => [file, readFileSync(join(folder, 'src', file), 'utf8')]));
  });

  test('is up to date once it was asked for', () => {
    expect(isBundleFresh()).toBe(true);
  });

  test('needs nothing but the contract API and pure parts of Node', () => {
    const required = new Set([...bundle.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name));
    expect([...required].sort()).toEqual(['fabric-contract-api', 'node:crypto']);
    expect(bundle).not.toMatch(/\bimport\(/);
  });

  test('reads the clock in one place, the guard', () => {
    expect(bundle.match(/\bDate\.now\b/g)).toHaveLength(1);
    expect([...sources].filter(([, text]) => text.includes('Date.now')).map(([file]) => file)).toEqual([
      join('state', 'guard.ts'),
    ]);
  });

  test.each([
    /\bMath\.random\b/,
    /\bnew Date\(\)/,
    /\bperformance\b/,
    /\bhrtime\b/,
    /\brandom(Bytes|UUID|Int|FillSync)\b/,
    /\bgenerateKey/,
    /\bprocess\./,
    /\bset(Timeout|Interval|Immediate)\b/,
    /\btoLocale|\blocaleCompare\b|\bIntl\b/,
    /\bglobalThis\b/,
    /\bgetQueryResult/,
    /\bgetPrivateData/,
    /\binvokeChaincode\b/,
    /\bisWellFormed\b|\btoWellFormed\b|\.toSorted\(|\.toReversed\(|\.with\(|\bObject\.groupBy\b|\bPromise\.withResolvers\b/,
  ])('has no %s', (pattern) => {
    expect(bundle.replaceAll(/^\s*(\/\/|\*).*$/gm, '')).not.toMatch(pattern);
  });

  test('keeps no state between transactions: no module of it has a variable', () => {
    for (const [file, text] of sources) expect([file, text.match(/^(export )?(let|var) /m)]).toEqual([file, null]);
  });

  test('refuses with codes of the protocol only', () => {
    const used = new Set(
      [...sources.values()].flatMap((text) =>
        [...text.matchAll(/new Refusal\(\s*'([a-z-]+)'/g)].map(([, code]) => code),
      ),
    );
    expect(used.size).toBeGreaterThan(8);
    expect([...used].filter((code) => code === undefined || !Object.hasOwn(errorCodes, code))).toEqual([]);
  });

  test('documents every function and every code in the README, and no other', () => {
    const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
    const functions = [...sources.values()].flatMap((text) =>
      [...text.matchAll(/^ {2}public async (\w+)\(/gm)].map(([, name]) => name),
    );
    const documented = [...readme.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    const codes = new Set(
      [...sources.values()].flatMap((text) =>
        [...text.matchAll(/new Refusal\(\s*'([a-z-]+)'/g)].map(([, code]) => code?.toUpperCase().replaceAll('-', '_')),
      ),
    );
    expect(documented.sort()).toEqual([...functions, ...codes].sort());
  });
});
