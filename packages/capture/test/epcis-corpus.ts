/** Every EPCIS JSON text below the data folder, wherever it is kept: files, Postman and Bruno requests. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Where real and published data lies; absent on machines that do not have it. */
export const dataFolder = process.env['WAYMARK_DATA'];

/** `describe` when the data folder is there, else a skipped one that says why. */
export const describeWithData: (name: string, body: () => void) => void =
  dataFolder === undefined
    ? (name, body) => describe.skip(`${name} (skipped: WAYMARK_DATA does not name the data folder)`, body)
    : describe;

export interface CorpusDocument {
  /** Path below the data folder, and the request inside it where the file is a collection. */
  readonly name: string;
  readonly value: unknown;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Texts of the form {{placeholder}} or with comments are requests for another tool, not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bodiesIn(value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) value.forEach((item) => bodiesIn(item, found));
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if ((name === 'raw' || name === 'body') && typeof member === 'string' && member.trimStart().startsWith('{'))
        found.push(member);
      else bodiesIn(member, found);
    }
  }
  return found;
}

function brunoBody(text: string): string | undefined {
  return /^body:json \{\n([\s\S]*?)\n\}/m.exec(text)?.[1];
}

/** Reads all documents of the named folders below the data folder. */
export function readCorpus(folders: readonly string[]): CorpusDocument[] {
  const root = dataFolder ?? '';
  return folders
    .flatMap((folder) => filesBelow(join(root, folder)))
    .flatMap((path): CorpusDocument[] => {
      const name = relative(root, path);
      if (path.endsWith('.postman_collection.json'))
        return bodiesIn(JSON.parse(readFileSync(path, 'utf8'))).map((body, index) => ({
          name: `${name}#${index}`,
          value: parsed(body),
        }));
      if (path.endsWith('.bru')) return [{ name, value: parsed(brunoBody(readFileSync(path, 'utf8')) ?? '') }];
      if (/\.jsonl?d?$/.test(path)) return [{ name, value: parsed(readFileSync(path, 'utf8')) }];
      return [];
    })
    .filter(({ value }) => value !== undefined);
}

/** The folders whose JSON is EPCIS: documents, events, bodies of requests, and some that are neither. */
export const epcisFolders = [
  'gs1-epcis/examples',
  'openepcis-test-resources/2.0',
  'openepcis-testdata-generator',
  'epcis-event-hash',
  'epcis-rest-collections',
] as const;
