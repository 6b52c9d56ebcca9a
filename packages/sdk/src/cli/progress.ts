import type { CliIo } from './output.ts';

/** Progress of long work, on stderr. */
export interface ProgressDisplay {
  update(done: number): void;
  stop(): void;
}

const lineEveryMs = 2_000;

/** A bar where a person watches, a line every two seconds where not. */
export async function showProgress(io: CliIo, what: string, total: number): Promise<ProgressDisplay> {
  if (io.stderr.isTTY !== true || io.stderr !== process.stderr) return periodicLines(io, what, total);
  const { SingleBar, Presets } = await import('cli-progress');
  const format = `${what} {bar} {value}/{total} {duration_formatted}`;
  const bar = new SingleBar({ stream: process.stderr, format, hideCursor: true, clearOnComplete: true }, Presets.rect);
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function periodicLines(io: CliIo, what: string, total: number): ProgressDisplay {
  let nextMs = Date.now() + lineEveryMs;
  return {
    update(done) {
      if (Date.now() < nextMs) return;
      nextMs = Date.now() + lineEveryMs;
      io.stderr.write(`${what}: ${done} of ${total}\n`);
    },
    stop: () => undefined,
  };
}
