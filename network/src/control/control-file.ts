import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isListening } from '@waymark/fabric-nodes';
import type { Layout } from '../layout.ts';
import { writeWhole } from '../write-whole.ts';

/** How a running supervisor is reached: on loopback, by whoever may read its file. */
export interface ControlPlace {
  readonly pid: number;
  readonly port: number;
  /** Secret that every call carries. */
  readonly token: string;
}

const fileOf = (layout: Layout): string => join(layout.run, 'control.json');

export async function writeControlPlace(layout: Layout, place: ControlPlace): Promise<void> {
  await writeWhole(fileOf(layout), JSON.stringify(place), 0o600);
}

/**
 * Undefined when no supervisor runs: it takes its file away when it ends, and a file whose process is gone says nothing. After the machine
 * has been started again its number may be another process's, which does not listen there.
 */
export async function readControlPlace(layout: Layout): Promise<ControlPlace | undefined> {
  const file = fileOf(layout);
  if (!existsSync(file)) return undefined;
  const place = JSON.parse(await readFile(file, 'utf8')) as ControlPlace;
  return isAlive(place.pid) && (await isListening(place.port)) ? place : undefined;
}

export async function removeControlPlace(layout: Layout): Promise<void> {
  await rm(fileOf(layout), { force: true });
}

/** Whether a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
