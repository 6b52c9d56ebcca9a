/**
 * Loaded before a program (`--import FILE?offsetMs=N`): its wall clock is off by so many milliseconds; timers are not. With `?folder=PATH` it is off by what the file there
 * says that has the process's id for a name, by nothing while there is none, and is looked at again and again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { searchParams } = new URL(import.meta.url);
const folder = searchParams.get('folder');
const lookMs = 20;
let offsetMs = Number(searchParams.get('offsetMs'));
const { now } = Date;
const RealDate = Date;
class SkewedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [now() + offsetMs] : given) as [number]));
  }
  static override now(): number {
    return now() + offsetMs;
  }
}
globalThis.Date = SkewedDate as DateConstructor;

if (folder !== null)
  setInterval(() => {
    try {
      offsetMs = Number(readFileSync(join(folder, String(process.pid)), 'utf8'));
    } catch {
      offsetMs = 0;
    }
  }, lookMs).unref();
