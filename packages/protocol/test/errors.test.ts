import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes, isWaymarkError, WaymarkError } from '../src/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\| (.+?) +\|$/gm)].map(([, code = '', meaning = '', remedy = '']) => ({ code, meaning, remedy })); // prettier-ignore

test('docs/errors.md lists every code that the system has, and no other', () => {
  expect(rows.map(({ code }) => code).sort()).toEqual(Object.keys(errorCodes).sort());
});

test('docs/errors.md gives each code the meaning that the code has, and says what to do', () => {
  for (const { code, meaning, remedy } of rows) {
    expect([code, meaning]).toEqual([code, errorCodes[code as keyof typeof errorCodes]]);
    expect([code, remedy.length > 20]).toEqual([code, true]);
  }
});

test('an error carries code, details and cause, and is narrowed by its code', () => {
  const cause = new Error('below');
  const error = new WaymarkError('conflict', 'Already used.', { details: { seq: 3 }, cause });
  expect(error).toMatchObject({ name: 'WaymarkError', code: 'conflict', message: 'Already used.', details: { seq: 3 }, cause }); // prettier-ignore
  expect(isWaymarkError(error)).toBe(true);
  expect(isWaymarkError(error, 'conflict')).toBe(true);
  expect(isWaymarkError(error, 'gone')).toBe(false);
  expect(isWaymarkError(cause)).toBe(false);
  expect(isWaymarkError(undefined)).toBe(false);
});

test('an error without details has empty ones, and none without a cause', () => {
  const error = new WaymarkError('gone', 'Destroyed.');
  expect(error.details).toEqual({});
  expect('cause' in error).toBe(false);
});
