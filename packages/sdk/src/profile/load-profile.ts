import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Profile, profileSchema } from './schema.ts';

const maxFileSizeBytes = 1024 * 1024;
const maxIssuesNamed = 5;

/**
 * Reads a profile (YAML).
 * @param file relative paths in it are taken from its folder
 * @throws WaymarkError configuration-invalid, naming file, key and what is expected there; never a value
 */
export function loadProfile(file: string): Profile {
  const result = profileSchema(file).safeParse(parseYaml(file, readText(file)));
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap(describeIssue);
  const named = issues.slice(0, maxIssuesNamed).map(({ key, expected }) => `${key}: ${expected}`);
  const more = issues.length > maxIssuesNamed ? ` (and ${issues.length - maxIssuesNamed} more)` : '';
  throw invalid(file, `${named.join('; ')}${more}`, issues[0]?.key ?? '');
}

function describeIssue(issue: z.core.$ZodIssue): { key: string; expected: string }[] {
  const key = keyName(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => ({ key: keyName([...issue.path, unknown]), expected: 'is not known here' }));
    case 'invalid_union':
      return [{ key, expected: 'none of the permitted forms' }];
    default:
      return [{ key, expected: issue.message.replace(/^Invalid input: /, '') }];
  }
}

function keyName(path: readonly PropertyKey[]): string {
  const parts = path.map((part) =>
    String(part)
      .replaceAll(/[^\x20-\x7e]/g, '?')
      .slice(0, 100),
  );
  return parts.length === 0 ? '(the whole file)' : parts.join('.');
}

function readText(file: string): string {
  try {
    if (statSync(file).size > maxFileSizeBytes) throw new Error('larger than 1 MiB');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalid(file, 'the profile cannot be read', '', cause);
  }
}

function parseYaml(file: string, text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, strict: true, stringKeys: true, merge: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw invalid(file, `not valid YAML (${error.code})`, line === undefined ? '' : `line ${line}`);
  }
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw invalid(file, 'aliases are not permitted', '', cause);
  }
}

function invalid(file: string, reason: string, place: string, cause?: unknown): WaymarkError {
  const details = { file: resolve(file), ...(place === '' ? {} : { place }) };
  return new WaymarkError('configuration-invalid', `${file}: ${reason}`, { details, cause });
}
