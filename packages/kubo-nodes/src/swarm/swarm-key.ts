import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { writeDurable } from '../files/write-durable.ts';

const keyPattern = /^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n[0-9a-f]{64}\r?\n?$/;

/** A new pre-shared key of 256 bits, in the file format of libp2p's private networks. */
export function createSwarmKey(): string {
  return `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`;
}

/**
 * Makes the network's key unless the file is there; of several that try at once, one makes it (mode 0600).
 *
 * @throws WaymarkError `configuration-invalid` when what is there is no swarm key
 */
export async function ensureSwarmKey(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  if (!(await exists(file))) {
    const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
    await writeDurable(draft, createSwarmKey(), 0o600);
    await link(draft, file).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    });
    await rm(draft);
  }
  await readSwarmKey(file);
}

/** @throws WaymarkError `configuration-invalid` */
export async function readSwarmKey(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new WaymarkError('configuration-invalid', 'The swarm key cannot be read.', { details: { file }, cause });
  });
  if (keyPattern.test(text)) return text;
  throw new WaymarkError('configuration-invalid', 'The swarm key does not have the form of a 256-bit PSK file.', {
    details: { file },
  });
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw cause;
    },
  );
}
