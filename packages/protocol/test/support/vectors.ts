import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.env['WAYMARK_DATA'];

/** Runs a suite over published vectors in a file or folder; without it, the suite is skipped and says so. */
export function describeVectors(name: string, place: string, suite: (path: string) => void): void {
  const path = root === undefined ? undefined : join(root, place);
  if (path === undefined || !existsSync(path)) {
    const reason = `WAYMARK_DATA does not name a folder with ${place}`;
    process.stderr.write(`skipped: ${name} (${reason})\n`);
    describe.skip(`${name} (skipped: ${reason})`, () => {
      test('vectors', () => undefined);
    });
    return;
  }
  describe(name, () => suite(path));
}

/** A JSON file of vectors. */
export function readVectors(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Paths of all files below a folder, relative to it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** The parts of a Wycheproof file that all of them share. */
export interface WycheproofFile<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

/** The parts of a Wycheproof vector that all of them share. */
export interface WycheproofCase {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** Counts what becomes of vectors and prints it. Every vector must be accounted for, in words. */
export class Tally {
  readonly #name: string;
  readonly #counts = new Map<string, number>();

  constructor(name: string) {
    this.#name = name;
  }

  /** @param outcome what was shown, or 'skipped: ' and why */
  count(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  of(outcome: string): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /** Prints the counts and demands that they add up. */
  close(expectedTotal: number): void {
    const counts = [...this.#counts].map(([outcome, count]) => `${count} ${outcome}`);
    process.stderr.write(`${this.#name}: ${counts.join(', ')}\n`);
    expect([...this.#counts.values()].reduce((sum, count) => sum + count, 0)).toBe(expectedTotal);
  }
}
