/**
 * Makes the package that a registry takes: compiled JavaScript with type declarations, because Node strips types from no file
 * under node_modules. `package.json` of the sources is for this repository; the package's own is derived from it.
 *
 *   npm run pack -w packages/devnet [-- FOLDER]      the tarball goes to FOLDER, default .waymark/packages; prints its path
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = join(import.meta.dirname, '..');
const repository = join(sources, '../..');
/** `import.meta.dirname`, `crc32` of node:zlib. */
const NODE_VERSIONS = '>=20.15';
const COMMAND = 'waymark-devnet';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const target = resolve(process.argv[2] ?? join(repository, '.waymark/packages'));
const folder = await mkdtemp(join(tmpdir(), 'devnet-package-'));
try {
  await compile(join(folder, 'lib'));
  await writeManifest(folder);
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', `${COMMAND}.js`), "#!/usr/bin/env node\nimport '../lib/cli.js';\n");
  await chmod(join(folder, 'bin', `${COMMAND}.js`), 0o755);
  await copyFile(join(sources, 'README.md'), join(folder, 'README.md'));
  await copyFile(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
  await mkdir(target, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', target], { cwd: folder });
  const [{ filename } = { filename: '' }] = JSON.parse(stdout) as { filename: string }[];
  process.stdout.write(`${join(target, filename)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compile(outDir: string): Promise<void> {
  const configuration = join(folder, 'tsconfig.json');
  await writeFile(
    configuration,
    JSON.stringify({
      extends: join(repository, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        // What the oldest of NODE_VERSIONS has.
        lib: ['ES2023', 'ES2024.String'],
        declaration: true,
        rewriteRelativeImportExtensions: true,
        rootDir: join(sources, 'src'),
        outDir,
        types: ['node'],
        typeRoots: [join(repository, 'node_modules/@types')],
      },
      include: [join(sources, 'src')],
      exclude: [],
    }),
  );
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  try {
    await run(process.execPath, [compiler, '-p', configuration]);
  } catch (error) {
    throw new Error(`the sources do not compile: ${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
  } finally {
    await rm(configuration);
  }
}

async function writeManifest(dir: string): Promise<void> {
  const text = await readFile(join(sources, 'package.json'), 'utf8');
  const { name, version, description, license, exports, dependencies } = JSON.parse(text) as Manifest;
  const compiled = (path: string, extension: string) => path.replace('./src/', './lib/').replace(/\.ts$/, extension);
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: NODE_VERSIONS },
    exports: Object.fromEntries(
      Object.entries(exports).map(([entry, path]) => [
        entry,
        { types: compiled(path, '.d.ts'), default: compiled(path, '.js') },
      ]),
    ),
    bin: { [COMMAND]: `bin/${COMMAND}.js` },
    files: ['bin', 'lib'],
    dependencies,
  };
  await writeFile(join(dir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
