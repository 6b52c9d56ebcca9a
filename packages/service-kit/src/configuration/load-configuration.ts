import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { configurationTypes, type ConfigurationTypes } from './configuration-types.ts';

const maxFileSizeBytes = 1024 * 1024;
const maxIssuesNamed = 5;

/**
 * Reads a YAML file and checks it against the schema that `define` builds. Secrets stand in files of their own
 * (`types.secretFile()`), never in the configuration.
 *
 * @throws WaymarkError `configuration-invalid` naming file, key and what is expected there; never the value.
 */
export function loadConfiguration<T>(file: string, define: (types: ConfigurationTypes) => z.ZodType<T>): T {
  const content = parseYaml(file, readText(file));
  const result = define(configurationTypes(file)).safeParse(content);
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap(describeIssue);
  const named = issues.slice(0, maxIssuesNamed).map(({ key, expected }) => `${key}: ${expected}`);
  const more = issues.length > maxIssuesNamed ? ` (and ${issues.length - maxIssuesNamed} more)` : '';
  throw new WaymarkError('configuration-invalid', `${file}: ${named.join('; ')}${more}`, {
    details: { file: resolve(file), key: issues[0]?.key ?? '', expected: issues[0]?.expected ?? '' },
  });
}

interface DescribedIssue {
  readonly key: string;
  readonly expected: string;
}

function describeIssue(issue: z.core.$ZodIssue): DescribedIssue[] {
  const key = keyName(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => ({
        key: keyName([...issue.path, unknown]),
        expected: 'this key is not known here',
      }));
    case 'invalid_value':
      return [{ key, expected: `expected one of ${issue.values.map(String).join(', ')}` }];
    case 'invalid_union':
      return [{ key, expected: 'none of the permitted forms' }];
    default:
      return [{ key, expected: issue.message.replace(/^Invalid input: /, '') }];
  }
}

function keyName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(the whole file)';
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${printable(String(part))}`,
    )
    .join('');
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function readText(file: string): string {
  try {
    if (statSync(file).size > maxFileSizeBytes) throw invalid(file, 'the file is larger than 1 MiB');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof WaymarkError) throw cause;
    throw invalid(file, 'the file cannot be read', cause);
  }
}

function parseYaml(file: string, text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, strict: true, stringKeys: true, merge: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const place = error.linePos?.[0];
    throw invalid(file, `not valid YAML (${error.code})${place === undefined ? '' : ` in line ${place.line}`}`);
  }
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw invalid(file, 'aliases are not permitted', cause);
  }
}

function invalid(file: string, reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('configuration-invalid', `${file}: ${reason}`, { details: { file: resolve(file) }, cause });
}
