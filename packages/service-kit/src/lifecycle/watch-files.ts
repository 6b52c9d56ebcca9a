import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Component } from './component.ts';

const maxFileSizeBytes = 1024 * 1024;
const defaultPollMs = 500;

/** Files that are read again when they change. */
export interface FileWatchOptions {
  /** Name of the component. */
  readonly name: string;
  /** The files whose contents count. Asked before every look, since one file may name others. */
  readonly files: () => readonly string[];
  /**
   * Takes the new contents; may be called more often than they changed. When it throws, what was taken before has to stay in force; it is called again at every look until it
   * succeeds or the files change again.
   */
  readonly onChange: () => Promise<void> | void;
  /** Told what `onChange` threw, once for each state of the files. */
  readonly onError: (error: unknown) => void;
  /** Default 500: contents are compared, so that it works on every file system, mounts of a container included. */
  readonly pollMs?: number;
}

/** Files and the digests of their contents, in the same order. */
interface FilesState {
  readonly files: readonly string[];
  readonly digests: readonly string[];
}

/** A running watch over files. */
export interface FileWatch extends Component {
  /** Looks now, and resolves when a change that was found has been taken or refused. */
  check(): Promise<void>;
}

/**
 * Watches files by their contents. What counts as unchanged is what they hold when this is called: call it before they are read
 * for the first time, then no change is missed.
 */
export function watchFiles(options: FileWatchOptions): FileWatch {
  const { name, files, onChange, onError, pollMs = defaultPollMs } = options;
  const first = files();
  let taken: FilesState = { files: first, digests: first.map(digestNow) };
  let refused: FilesState | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let running = false;

  async function look(): Promise<void> {
    const found = await stateOf(files());
    if (equal(taken, found)) {
      refused = undefined;
      return;
    }
    try {
      await onChange();
      // A change while they were read, or other files that they name now, are found by the next look.
      taken = found;
      refused = undefined;
    } catch (error) {
      if (!equal(refused, found)) onError(error);
      refused = found;
    }
  }

  /** One look at a time: a look that has begun may have read before the change that this one is asked about. */
  const check = (): Promise<void> => {
    looking = looking.then(look).catch(onError);
    return looking;
  };
  const schedule = (): void => {
    if (!running) return;
    timer = setTimeout(() => void check().then(schedule), pollMs);
    timer.unref();
  };
  return {
    name,
    start() {
      running = true;
      schedule();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      await looking;
    },
    check,
  };
}

async function stateOf(files: readonly string[]): Promise<FilesState> {
  return { files, digests: await Promise.all(files.map(digestOf)) };
}

async function digestOf(file: string): Promise<string> {
  try {
    return (await stat(file)).size > maxFileSizeBytes ? 'too large' : sha256(await readFile(file));
  } catch {
    return 'none';
  }
}

function digestNow(file: string): string {
  try {
    return statSync(file).size > maxFileSizeBytes ? 'too large' : sha256(readFileSync(file));
  } catch {
    return 'none';
  }
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function equal(a: FilesState | undefined, b: FilesState): boolean {
  return a !== undefined && sameTexts(a.files, b.files) && sameTexts(a.digests, b.digests);
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
