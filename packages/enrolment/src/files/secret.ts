import { WaymarkError } from '@waymark/protocol';
import { readPrivateFile } from '@waymark/vault';

const maxBytes = 1_024;

/** Where a one-time secret comes from: a file only its owner reads, or a stream such as stdin; never an argument or the environment. */
export type SecretSource = { readonly file: string } | { readonly stream: AsyncIterable<Uint8Array | string> };

/**
 * Reads a secret, less one line end.
 * @throws WaymarkError configuration-invalid: others can touch the file, it is not there, or it is empty or too long
 */
export async function readSecret(source: SecretSource): Promise<string> {
  const bytes = 'file' in source ? await readPrivateFile(source.file) : await readStream(source.stream);
  if (bytes === null) throw unusable('there is no such file', 'file' in source ? { file: source.file } : {});
  const secret = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (secret === '' || bytes.length > maxBytes || /[\r\n]/.test(secret)) {
    throw unusable(`it has to be one line of at most ${String(maxBytes)} bytes`);
  }
  return secret;
}

async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes + 2) break;
  }
  return Buffer.concat(chunks);
}

function unusable(reason: string, details: Readonly<Record<string, string>> = {}): WaymarkError {
  return new WaymarkError('configuration-invalid', `The secret is not usable: ${reason}.`, { details });
}
