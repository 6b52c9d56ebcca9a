/** A worker thread of the simulator: runs seeds, or hunts one planted bug, as told. */
import { parentPort } from 'node:worker_threads';
import type { SimJob } from './jobs.ts';
import { runJob } from './jobs.ts';
import type { JobAnswer } from './parallel.ts';

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
port.on('message', (job: SimJob) => {
  let answer: JobAnswer;
  try {
    answer = { result: runJob(job) };
  } catch (error) {
    answer = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  port.postMessage(answer);
});
