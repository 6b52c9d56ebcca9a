/**
 * Generates TypeScript from the `.proto` files, with the pinned buf and ts-proto of this repository.
 *
 *   node scripts/generate.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

/** Where the `.proto` files lie and where what is made of them is committed. */
export const transportProto = join(root, 'packages/transport/proto');
export const transportGenerated = join(root, 'packages/transport/src/generated');
/** What the benchmark of the private ledger says to etcd and to its own members. */
export const ledgerBenchProto = join(root, 'scripts/bench/ledger/proto');
export const ledgerBenchGenerated = join(root, 'scripts/bench/ledger/generated');

/** Byte fields are `Uint8Array`, 64-bit numbers are `number`: a decoder meeting one above 2^53 − 1 throws. */
const options = [
  'outputServices=grpc-js',
  'esModuleInterop=true',
  'importSuffix=.ts',
  'env=both',
  'forceLong=number',
  'oneof=unions',
  'enumsAsLiterals=true',
  'outputJsonMethods=false',
  'outputPartialMethods=true',
  'useExactTypes=false',
  'exportCommonSymbols=false',
];

/** Writes the TypeScript for every `.proto` file in `proto` to the folder `out`, which it empties first. */
export function generate(proto: string, out: string): void {
  const plugin = join(dirname(require.resolve('ts-proto/package.json')), 'protoc-gen-ts_proto');
  const buf = join(dirname(require.resolve('@bufbuild/buf/package.json')), 'bin/buf');
  const template = { version: 'v2', plugins: [{ local: [process.execPath, plugin], out, opt: options }] };
  const cache = mkdtempSync(join(tmpdir(), 'waymark-buf-'));
  try {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    execFileSync(process.execPath, [buf, 'generate', '--template', JSON.stringify(template), proto], {
      cwd: cache,
      env: { ...process.env, BUF_CACHE_DIR: cache },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  generate(transportProto, transportGenerated);
  generate(ledgerBenchProto, ledgerBenchGenerated);
}
