/**
 * Bundles and packages the chaincode.
 *
 *   node scripts/build-chaincode.ts [--force]
 *   node scripts/build-chaincode.ts --package DIR [--label LABEL] [--address HOST:PORT]
 *
 * Without options: bundles `chaincode/src` to `chaincode/lib/index.js` when it is not up to date. With `--package`: writes to DIR the
 * installable folder `waymark` and the chaincode-as-a-service package `<label>.tar.gz`, and prints {label, packageId, folder, file}.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { bundle, isBundleFresh } from '../chaincode/build/bundle.ts';
import { assembleFolder } from '../chaincode/build/package.ts';
import { chaincodeFolder } from '../chaincode/build/paths.ts';
import { packService, type ServiceConnection, type ServicePackage } from '../chaincode/build/service-package.ts';

export {
  computePackageId,
  packService,
  type ServiceConnection,
  type ServicePackage,
} from '../chaincode/build/service-package.ts';

/** Where a package was written. */
export interface PackagedChaincode extends ServicePackage {
  /** The folder to install with `npm ci --omit=dev` and to start with `npm start`. */
  readonly folder: string;
  /** The package for `peer lifecycle chaincode install`. */
  readonly file: string;
}

/**
 * Bundles the chaincode unless the bundle was made from the sources as they are. The bundler runs in a process of its own, so that
 * this works inside test runners too.
 *
 * @returns the folder to start it from: `node start.js` there, or `fabric-chaincode-node server`
 */
export async function ensureChaincodeBuilt(): Promise<string> {
  if (!isBundleFresh()) await promisify(execFile)(process.execPath, [import.meta.filename, '--force']);
  return chaincodeFolder;
}

/** `waymark_<version>` */
export function defaultLabel(): string {
  const { version } = JSON.parse(readFileSync(join(chaincodeFolder, 'package.json'), 'utf8')) as { version: string };
  return `waymark_${version}`;
}

/**
 * Writes the installable folder and the service package.
 *
 * @param directory where to; is made when it is not there
 * @param options label (default `waymark_<version>`) and how peers reach the process (default `waymark:9999`, no TLS)
 */
export async function packageChaincode(
  directory: string,
  options: { readonly label?: string; readonly connection?: ServiceConnection } = {},
): Promise<PackagedChaincode> {
  await ensureChaincodeBuilt();
  const packed = packService(options.label ?? defaultLabel(), options.connection ?? { address: 'waymark:9999' });
  const folder = join(directory, 'waymark');
  const file = join(directory, `${packed.label}.tar.gz`);
  mkdirSync(directory, { recursive: true });
  assembleFolder(folder);
  writeFileSync(file, packed.bytes);
  return { ...packed, folder, file };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      force: { type: 'boolean', default: false },
      package: { type: 'string' },
      label: { type: 'string' },
      address: { type: 'string' },
    },
  });
  if (values.force) await bundle();
  else await ensureChaincodeBuilt();
  if (values.package !== undefined) {
    const { label, packageId, folder, file } = await packageChaincode(values.package, {
      ...(values.label === undefined ? {} : { label: values.label }),
      ...(values.address === undefined ? {} : { connection: { address: values.address } }),
    });
    process.stdout.write(`${JSON.stringify({ label, packageId, folder, file })}\n`);
  }
}
