import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import type { TopologyOrganisation } from './topology.ts';

/** An organisation's administrator. */
export interface Admin {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Reads the administrator's certificate and key from the folder of the organisation's CA. */
export async function adminOf(organisation: TopologyOrganisation, layout: Layout): Promise<Admin> {
  const msp = join(layout.organisationCa(organisation), 'users', `Admin@${organisation.domain}`, 'msp');
  return {
    certificatePem: await onlyFile(join(msp, 'signcerts')),
    privateKeyPem: await onlyFile(join(msp, 'keystore')),
  };
}

async function onlyFile(folder: string): Promise<string> {
  const [name] = await readdir(folder);
  return readFile(join(folder, name ?? ''), 'utf8');
}
