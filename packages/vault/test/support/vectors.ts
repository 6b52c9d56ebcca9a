import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env['WAYMARK_DATA'];

/** Runs a suite over published vectors; without the data folder it is skipped and says so. */
export function describeVectors(name: string, file: string, suite: (vectors: unknown) => void): void {
  const path = root === undefined ? undefined : join(root, file);
  if (path === undefined || !existsSync(path)) {
    describe.skip(`${name} (skipped: WAYMARK_DATA does not name a folder with ${file})`, () => {
      test('vectors', () => undefined);
    });
    return;
  }
  describe(name, () => suite(JSON.parse(readFileSync(path, 'utf8')) as unknown));
}

export type Verdict = 'valid' | 'invalid' | 'acceptable';

/** The parts of a Wycheproof file that all of them share. */
export interface WycheproofFile<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: Verdict;
}

/** Counts what a vector runner did and prints it; every vector must be accounted for. */
export class Tally {
  readonly #name: string;
  readonly #passed = { valid: 0, invalid: 0, acceptable: 0 };
  readonly #skipped = new Map<string, number>();

  constructor(name: string) {
    this.#name = name;
  }

  pass(verdict: Verdict): void {
    this.#passed[verdict] += 1;
  }

  skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  /** Prints the counts and demands that they add up. */
  close(expectedTotal: number): void {
    const { valid, invalid, acceptable } = this.#passed;
    const skipped = [...this.#skipped.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...this.#skipped].map(([reason, count]) => `${count} skipped: ${reason}`);
    process.stderr.write(
      `${this.#name}: ${valid} valid accepted, ${invalid} invalid refused, ${acceptable} acceptable` +
        `${reasons.map((reason) => `; ${reason}`).join('')}\n`,
    );
    expect(valid + invalid + acceptable + skipped).toBe(expectedTotal);
  }
}

export const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
