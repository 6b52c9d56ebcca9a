import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';

const DIAL_TIMEOUT = '10s';

/** A package that `peer lifecycle chaincode install` takes, of type ccaas: it holds nothing but the server's address. */
export interface ChaincodePackage {
  /** `<label>:<SHA-256 of the package>`, what the chaincode registers as. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Builds the package; the same input gives the same bytes, so installing again is recognised.
 *
 * @param label letters, digits, `.`, `+`, `-`, `_`
 * @param address `host:port` of the chaincode server, as the peer sees it
 */
export async function buildChaincodePackage(label: string, address: string): Promise<ChaincodePackage> {
  const dir = await mkdtemp(join(tmpdir(), 'chaincode-package-'));
  try {
    await writeFile(
      join(dir, 'connection.json'),
      JSON.stringify({ address, dial_timeout: DIAL_TIMEOUT, tls_required: false }),
    );
    await writeFile(join(dir, 'metadata.json'), JSON.stringify({ type: 'ccaas', label }));
    const pack = (file: string, names: string[]) =>
      create({ gzip: true, portable: true, mtime: new Date(0), cwd: dir, file: join(dir, file) }, names);
    await pack('code.tar.gz', ['connection.json']);
    await pack('package.tar.gz', ['metadata.json', 'code.tar.gz']);
    const bytes = await readFile(join(dir, 'package.tar.gz'));
    return { id: `${label}:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The id that a package of this label and address has once it is installed: what its server registers as. Servers can be up before. */
export async function chaincodePackageId(label: string, address: string): Promise<string> {
  return (await buildChaincodePackage(label, address)).id;
}
