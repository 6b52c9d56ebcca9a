import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { DevnetError } from '../errors.ts';
import { writeFiles, writeKeyFile } from './msp-folder.ts';

export interface StoredCa {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface StoredOrganisation {
  readonly mspId: string;
  readonly domain: string;
  readonly ca: StoredCa;
  readonly tlsca: StoredCa;
  readonly revokedSerialNumbers: readonly string[];
}

const DESCRIPTION_FILE = 'organisation.json';

/** Stores the CAs in the layout of Fabric's cryptogen (`ca/`, `tlsca/`), the description last. */
export async function saveCaFolder(dir: string, organisation: StoredOrganisation): Promise<void> {
  for (const name of ['ca', 'tlsca'] as const) {
    await writeKeyFile(dir, `${name}/priv_sk`, organisation[name].privateKeyPem);
    await writeFiles(dir, { [`${name}/${name}.${organisation.domain}-cert.pem`]: organisation[name].certificatePem });
  }
  const { mspId, domain, revokedSerialNumbers } = organisation;
  await writeFiles(dir, {
    [DESCRIPTION_FILE]: `${JSON.stringify({ mspId, domain, revokedSerialNumbers }, null, 2)}\n`,
  });
}

/** Throws DevnetError MSP_INVALID when a file is missing, unreadable, or a key is not the certificate's. */
export async function loadCaFolder(dir: string): Promise<StoredOrganisation> {
  const description = parseDescription(await read(dir, DESCRIPTION_FILE));
  const load = async (name: 'ca' | 'tlsca'): Promise<StoredCa> => {
    const stored = {
      certificatePem: await read(dir, `${name}/${name}.${description.domain}-cert.pem`),
      privateKeyPem: await read(dir, `${name}/priv_sk`),
    };
    if (!belongTogether(stored)) {
      throw new DevnetError(
        'MSP_INVALID',
        `the key of ${name}.${description.domain} does not belong to its certificate`,
      );
    }
    return stored;
  };
  return { ...description, ca: await load('ca'), tlsca: await load('tlsca') };
}

async function read(dir: string, name: string): Promise<string> {
  try {
    return await readFile(join(dir, name), 'utf8');
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', `cannot read ${name} of the organisation's CA folder`, { cause });
  }
}

function parseDescription(text: string): Pick<StoredOrganisation, 'mspId' | 'domain' | 'revokedSerialNumbers'> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'mspId' in parsed && 'domain' in parsed) {
      const { mspId, domain } = parsed;
      const revoked: unknown = 'revokedSerialNumbers' in parsed ? parsed.revokedSerialNumbers : undefined;
      if (
        typeof mspId === 'string' &&
        typeof domain === 'string' &&
        Array.isArray(revoked) &&
        revoked.every((serial): serial is string => typeof serial === 'string' && /^[0-9a-f]+$/i.test(serial))
      ) {
        return { mspId, domain, revokedSerialNumbers: revoked };
      }
    }
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', `${DESCRIPTION_FILE} is not JSON`, { cause });
  }
  throw new DevnetError('MSP_INVALID', `${DESCRIPTION_FILE} does not describe an organisation`);
}

function belongTogether(stored: StoredCa): boolean {
  try {
    return new X509Certificate(stored.certificatePem).checkPrivateKey(createPrivateKey(stored.privateKeyPem));
  } catch {
    return false;
  }
}
