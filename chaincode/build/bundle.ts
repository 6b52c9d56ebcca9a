import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { chaincodeFolder, libraryFolder, repositoryFolder } from './paths.ts';

/** What a bundle was made from: path in the repository → SHA-256. */
type Inputs = Readonly<Record<string, string>>;

const bundleFile = join(libraryFolder, 'index.js');
const inputsFile = join(libraryFolder, 'inputs.json');
/** Provided by the installed package; everything else is in the bundle. */
const externals = ['fabric-contract-api', 'fabric-shim'];

/** Whether `lib/index.js` was made from the sources as they are. */
export function isBundleFresh(): boolean {
  try {
    const recorded = JSON.parse(readFileSync(inputsFile, 'utf8')) as Inputs;
    readFileSync(bundleFile);
    return sourceFiles().every((file) => Object.hasOwn(recorded, file)) && sameInputs(recorded);
  } catch {
    return false;
  }
}

function sameInputs(recorded: Inputs): boolean {
  return Object.entries(recorded).every(([file, hash]) => hashFile(file) === hash);
}

/** Files that decide the bundle without being imported by it, and all of `src`. */
function sourceFiles(): string[] {
  const sources = readdirSync(join(chaincodeFolder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(chaincodeFolder, 'src', file));
  return [...sources, join(chaincodeFolder, 'package.json'), import.meta.filename].map(toRepositoryPath);
}

/** Bundles `src` and what it imports from the workspaces to one CommonJS file for Node 18 and later. */
export async function bundle(): Promise<void> {
  const [{ build }, { transform }] = await Promise.all([import('esbuild'), import('@swc/core')]);
  const { version } = JSON.parse(readFileSync(join(chaincodeFolder, 'package.json'), 'utf8')) as { version: string };
  const result = await build({
    absWorkingDir: repositoryFolder,
    entryPoints: [join(chaincodeFolder, 'src', 'index.ts')],
    outfile: bundleFile,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2021',
    keepNames: true,
    legalComments: 'inline',
    external: externals,
    define: { WAYMARK_VERSION: JSON.stringify(version) },
    logLevel: 'error',
    plugins: [
      {
        // The contract API reads parameter types from decorator metadata, which esbuild does not emit.
        name: 'decorator-metadata',
        setup(builder) {
          builder.onLoad({ filter: /[\\/]contract\.ts$/ }, async ({ path }) => {
            const { code } = await transform(readFileSync(path, 'utf8'), {
              filename: path,
              configFile: false,
              swcrc: false,
              jsc: {
                target: 'es2021',
                parser: { syntax: 'typescript', decorators: true },
                transform: { legacyDecorator: true, decoratorMetadata: true },
              },
            });
            return { contents: code, loader: 'js' };
          });
        },
      },
    ],
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error('the bundler wrote nothing');
  const files = new Set([...sourceFiles(), ...Object.keys(result.metafile.inputs)]);
  const inputs = Object.fromEntries([...files].sort().map((file) => [file, hashFile(file)]));
  mkdirSync(libraryFolder, { recursive: true });
  replaceFile(bundleFile, output.contents);
  replaceFile(inputsFile, `${JSON.stringify(inputs, null, 2)}\n`);
}

function hashFile(file: string): string {
  return createHash('sha256')
    .update(readFileSync(join(repositoryFolder, file)))
    .digest('hex');
}

function toRepositoryPath(file: string): string {
  return relative(repositoryFolder, file).split(sep).join('/');
}

/** Two builds at once, or a reader during one, never see half a file. */
function replaceFile(file: string, contents: string | Uint8Array): void {
  const temporary = `${file}.${String(process.pid)}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}
