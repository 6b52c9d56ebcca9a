import { Worker } from 'node:worker_threads';
import type { SimJob, SimJobResult } from './jobs.ts';

/** What a worker thread of the simulator is given and what it answers: one job, one result. */
export interface JobAnswer {
  readonly result?: SimJobResult;
  readonly failure?: string;
}

/**
 * Gives jobs to worker threads, each the next one as soon as it is free.
 *
 * @param script the module that a worker runs
 * @param jobs plain data
 * @param threads how many workers at once
 * @param take receives every result, in the order in which they arrive
 * @throws Error when a worker fails
 */
export async function inParallel(
  script: URL,
  jobs: readonly SimJob[],
  threads: number,
  take: (result: SimJobResult) => void,
): Promise<void> {
  let next = 0;
  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(script);
      const give = (): void => {
        if (next >= jobs.length) {
          void worker.terminate();
          resolve();
          return;
        }
        const job = jobs[next];
        next += 1;
        worker.postMessage(job);
      };
      worker.on('message', (answer: JobAnswer) => {
        if (answer.result === undefined) {
          void worker.terminate();
          reject(new Error(answer.failure ?? 'a worker of the simulator gave no result'));
          return;
        }
        take(answer.result);
        give();
      });
      worker.on('error', reject);
      give();
    });
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, runWorker));
}
