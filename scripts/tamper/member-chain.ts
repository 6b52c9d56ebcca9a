import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ledgerName, WaymarkError } from '@waymark/protocol';
import { openKeyStore, readPassphrase } from '@waymark/vault';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ChainPlace } from './rewritten-chain.ts';

const configurationSchema = z.object({
  mspId: z.string(),
  channel: z.string(),
  keyStore: z.object({ file: z.string(), passphraseFile: z.string() }),
  dataFolder: z.string(),
});

/**
 * The chain of a member, from its service's configuration file: whoever owns the machine can read all of it.
 *
 * @param ledgerFolder where its ledger lies; default: as the configuration says
 * @throws WaymarkError configuration-invalid, key-invalid, decryption-failed
 */
export async function chainOfMember(configurationFile: string, ledgerFolder?: string): Promise<ChainPlace> {
  const { data: config } = configurationSchema.safeParse(await readYaml(configurationFile));
  if (config === undefined)
    throw new WaymarkError('configuration-invalid', `${configurationFile} is not the configuration of a service.`);
  const inFolder = (path: string): string => resolve(dirname(configurationFile), path);
  const { indexRoot } = await openKeyStore({
    file: inFolder(config.keyStore.file),
    passphrase: readPassphrase({ file: inFolder(config.keyStore.passphraseFile) }),
  });
  return {
    folder: join(ledgerFolder ?? join(inFolder(config.dataFolder), 'ledger'), 'chain'),
    ledger: ledgerName(config.mspId, config.channel),
    indexRoot: indexRoot.export(),
  };
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${file} cannot be read as YAML.`, { cause });
  }
}
