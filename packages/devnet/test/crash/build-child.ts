import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const OUTPUT = join(import.meta.dirname, '../../../../node_modules/.cache/devnet-crash');

/** The child as one file: it is started hundreds of times, and most of a start would be reading sources. */
export async function buildChild(): Promise<string> {
  await mkdir(OUTPUT, { recursive: true });
  const outfile = join(OUTPUT, `network-child-${process.pid}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'network-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}
