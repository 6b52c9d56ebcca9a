import type { CliIo } from './output.ts';

/** Progress of long work, on stderr. */
export interface ProgressDisplay {
  /** @param detail a few words on what is under way */
  update(done: number, detail?: string): void;
  stop(): void;
}

const lineEveryMs = 2_000;

/** A bar where a person watches, a line every two seconds where not. */
export async function showProgress(io: CliIo, what: string, total: number): Promise<ProgressDisplay> {
  if (io.stderr.isTTY !== true || io.stderr !== process.stderr) return periodicLines(io, what, total);
  const { SingleBar, Presets } = await import('cli-progress');
  const format = `${what} {bar} {value}/{total} {duration_formatted} {detail}`;
  const bar = new SingleBar({ stream: process.stderr, format, hideCursor: true, clearOnComplete: true }, Presets.rect);
  bar.start(total, 0, { detail: '' });
  return { update: (done, detail = '') => bar.update(done, { detail }), stop: () => bar.stop() };
}

function periodicLines(io: CliIo, what: string, total: number): ProgressDisplay {
  let nextMs = Date.now() + lineEveryMs;
  return {
    update(done, detail = '') {
      if (Date.now() < nextMs) return;
      nextMs = Date.now() + lineEveryMs;
      io.stderr.write(`${what}: ${done} of ${total}${detail === '' ? '' : `, ${detail}`}\n`);
    },
    stop: () => undefined,
  };
}
