import { WaymarkError } from '@waymark/protocol';
import { createAskerKeys } from '../../keys/asker-keys.ts';
import { createReaderKey } from '../../keys/reader-key.ts';
import { loadProfile } from '../../profile/load-profile.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `waymark keygen`: a reader's encryption key, or the keys of an asker outside the consortium. Never overwrites. */
export const keygen: Command<{ readonly asker?: string; readonly file?: string }> = async (
  { output, profileFile },
  { asker, file },
) => {
  if (asker !== undefined) {
    const { signing } = await createAskerKeys(asker);
    output.result({ file: asker, kid: signing.kid, publicKey: signing.publicKey.jwk }, [
      `written to ${asker} (keep it secret)`,
      `key id for allow-lists: ${signing.kid}`,
    ]);
    return exitCodes.done;
  }
  const place = file ?? loadProfile(profileFile).encryptionKeyFile;
  if (place === undefined) {
    throw new WaymarkError('configuration-invalid', `${profileFile}: names no encryptionKeyFile; give a file`, {
      details: { file: profileFile, place: 'encryptionKeyFile' },
    });
  }
  const { kid, publicKey } = await createReaderKey(place);
  output.result({ file: place, kid, publicKey: publicKey.jwk }, [
    `written to ${place} (keep it secret)`,
    `key id: ${kid}`,
  ]);
  return exitCodes.done;
};
