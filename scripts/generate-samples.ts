/**
 * Writes the sample files of examples/samples. All of their content is invented and follows from fixed seeds, so that a second run
 * changes nothing; `--check` only says whether that is so.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { airFreightTable } from './samples/air-freight.ts';
import { coldChainDocument, damagedDocument } from './samples/cold-chain.ts';
import { parcelScans } from './samples/parcel-scans.ts';

const folder = join(import.meta.dirname, '../examples/samples');

/** Content of each sample by its file name. */
export function sampleFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['cold-chain.jsonld', coldChainDocument()],
    ['damaged.jsonld', damagedDocument()],
    ['air-freight.csv', airFreightTable()],
    ['parcel-scans.ndjson', parcelScans()],
  ]);
}

async function isCurrent(name: string, content: string): Promise<boolean> {
  return (await readFile(join(folder, name), 'utf8').catch(() => '')) === content;
}

async function main(checkOnly: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of sampleFiles()) {
    const current = await isCurrent(name, content);
    if (!checkOnly && !current) await writeFile(join(folder, name), content);
    if (checkOnly && !current) process.exitCode = 1;
    console.error(
      `${name}: ${Buffer.byteLength(content)} bytes, ${current ? 'unchanged' : checkOnly ? 'differs' : 'written'}`,
    );
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
