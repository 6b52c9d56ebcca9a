import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupManifest } from '../store/ledger-chain.ts';

/** A file that is written once, with what the manifest says of it. */
export interface DigestedFile<Name extends string> {
  write(piece: Uint8Array): Promise<void>;
  /** Syncs and closes it. */
  finish(): Promise<BackupManifest['files'][number] & { readonly name: Name }>;
  /** Closes it, whatever is in it; after `finish` it does nothing. */
  close(): Promise<void>;
}

/** @param name must not be there yet */
export async function createDigestedFile<Name extends string>(folder: string, name: Name): Promise<DigestedFile<Name>> {
  const file = await open(join(folder, name), 'wx', 0o600);
  const digest = createHash('sha256');
  let sizeBytes = 0;
  let isOpen = true;
  return {
    async write(piece) {
      digest.update(piece);
      for (let done = 0; done < piece.length;)
        done += (await file.write(piece, done, piece.length - done)).bytesWritten;
      sizeBytes += piece.length;
    },
    async finish() {
      await file.sync();
      isOpen = false;
      await file.close();
      return { name, sizeBytes, sha256: digest.digest('hex') };
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
    },
  };
}
