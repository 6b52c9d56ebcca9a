import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { WaymarkError } from '@waymark/protocol';
import { checkPrivateMode } from './private-file.ts';

const minBytes = 12;
const maxBytes = 1_024;

/** Where a passphrase comes from: a file only its owner reads, or an open file descriptor; never an argument or the environment. */
export type PassphraseSource = { readonly file: string } | { readonly fileDescriptor: number };

/**
 * Reads a passphrase, less one line end. A file descriptor is read to its end and closed.
 * @throws WaymarkError configuration-invalid: others can read the file, it cannot be read, or it is too short or too long
 */
export function readPassphrase(source: PassphraseSource): Uint8Array {
  const descriptor = 'file' in source ? openReadOnly(source.file) : source.fileDescriptor;
  try {
    if ('file' in source) checkPrivateMode(fstatSync(descriptor), source.file);
    return trimmed(readAll(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function openReadOnly(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new WaymarkError('configuration-invalid', 'The passphrase file cannot be read.', {
      details: { file },
      cause: error,
    });
  }
}

function readAll(descriptor: number): Buffer {
  const buffer = Buffer.alloc(maxBytes + 2);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

function trimmed(bytes: Buffer): Uint8Array {
  const text = bytes.toString('latin1').replace(/\r?\n$/, '');
  if (text.length < minBytes || text.length > maxBytes) {
    throw new WaymarkError('configuration-invalid', 'The passphrase is too short or too long.', {
      details: { minBytes, maxBytes },
    });
  }
  return Buffer.from(text, 'latin1');
}
