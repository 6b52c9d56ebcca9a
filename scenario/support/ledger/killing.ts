import { join } from 'node:path';
import type { LedgerConsortium } from './ledger-firm.ts';
import { killByPidFile } from '../kill-by-pid-file.ts';

/** Starts a member whose process is gone and kills it `afterMs` later, or when it is up; whether it was killed. It is gone afterwards. */
export async function killOnTheWayUp(ledger: LedgerConsortium, member: string, afterMs: number): Promise<boolean> {
  const { consortium } = ledger.running;
  const pidFile = join(consortium.layout.run, `${ledger.service(member).process.name}.pid`);
  const timer = setTimeout(() => killByPidFile(pidFile), afterMs);
  try {
    await ledger.restart(member);
  } catch {
    return true;
  } finally {
    clearTimeout(timer);
  }
  await ledger.kill(member);
  return true;
}

/** Resolves as `work` does. @throws Error that names what was waited for, after `deadlineMs` */
export async function within<T>(deadlineMs: number, what: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${String(deadlineMs)} ms for ${what}`)), deadlineMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
