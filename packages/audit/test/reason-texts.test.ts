import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplicateOid } from '@waymark/rsl';
import { contentRules, notAudited, reasonTexts, structuralRules } from '../src/index.ts';

const codes = [
  duplicateOid,
  notAudited,
  ...[
    ...structuralRules({ skewMs: 0, maxAgeMs: 1 }),
    ...contentRules(['producer', 'carrier', 'seller', 'regulator']),
  ].flatMap((rule) => rule.codes),
];

test('every reason has its sentence, and no sentence is left over', () => {
  expect(Object.keys(reasonTexts).toSorted()).toEqual([...new Set(codes)].toSorted());
});

test('every reason is documented with the same sentence', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
  const section = /^## Audit reasons$(.*?)^## /ms.exec(page)?.[1] ?? '';
  const documented = new Map(
    [...section.matchAll(/^\| `([a-z0-9-]+)`\s+\| (.*?)\s+\|$/gm)].map(([, code = '', text = '']) => [code, text]),
  );
  for (const [code, text] of Object.entries(reasonTexts)) expect([code, documented.get(code)]).toEqual([code, text]);
});
