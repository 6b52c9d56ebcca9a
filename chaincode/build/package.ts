import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chaincodeFolder, libraryFolder, repositoryFolder } from './paths.ts';
import { deriveShrinkwrap, type LockFile, type RootPackage } from './shrinkwrap.ts';

/** Files of the installable folder beside the bundle. */
const copiedFiles = ['start.js', 'README.md'];

/**
 * Assembles the folder that Fabric's builders, or an operator, install with `npm ci --omit=dev`: package.json with exact production
 * dependencies, npm-shrinkwrap.json, the bundle. The bundle must be built.
 */
export function assembleFolder(folder: string): void {
  const manifest = JSON.parse(readFileSync(join(chaincodeFolder, 'package.json'), 'utf8')) as RootPackage & {
    description: string;
    main: string;
    scripts: Readonly<Record<string, string>>;
  };
  // Fabric shows the package's name as the contract metadata's title.
  const root: RootPackage = {
    name: 'waymark',
    version: manifest.version,
    license: manifest.license,
    engines: manifest.engines,
    dependencies: manifest.dependencies,
  };
  const lock = JSON.parse(readFileSync(join(repositoryFolder, 'package-lock.json'), 'utf8')) as LockFile;
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeJson(join(folder, 'package.json'), {
    ...root,
    private: true,
    description: manifest.description,
    main: manifest.main,
    scripts: { start: manifest.scripts['start'] },
  });
  writeJson(join(folder, 'npm-shrinkwrap.json'), deriveShrinkwrap(lock, 'chaincode', root));
  cpSync(join(libraryFolder, 'index.js'), join(folder, 'lib', 'index.js'));
  for (const file of copiedFiles) cpSync(join(chaincodeFolder, file), join(folder, file));
  cpSync(join(repositoryFolder, 'LICENSE'), join(folder, 'LICENSE'));
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
