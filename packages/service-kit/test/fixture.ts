import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { createLogger, type Logger } from '../src/index.ts';

const folders: string[] = [];

/** A folder that `removeFolders` removes. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-kit-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export interface LogCapture {
  readonly logger: Logger;
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
}

/** A logger whose lines a test can read. */
export function captureLog(): LogCapture {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  return {
    logger: createLogger({ service: 'test', level: 'debug', destination }),
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** TLS files of a server that lets in holders of enrolment certificates of `ca`. */
export async function tlsFiles(folder: string, ca: OrganisationCa) {
  const tls = await ca.issueTls({ commonName: 'center.org1.example.com' });
  const files = {
    certificateFile: join(folder, 'tls.pem'),
    privateKeyFile: join(folder, 'tls.key'),
    clientCaFiles: [join(folder, 'ca.pem')],
  };
  writeFileSync(files.certificateFile, tls.certificatePem);
  writeFileSync(files.privateKeyFile, tls.privateKeyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'ca.pem'), ca.rootCertPem);
  return files;
}

export function createCa(): Promise<OrganisationCa> {
  return createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
}
