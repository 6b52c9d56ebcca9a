import { createHash } from 'node:crypto';

/** Everything that happened in a run, in order: a digest over all of it, and the lines themselves when asked for. */
export interface Trace {
  line(text: string): void;
  /** SHA-256, hex, over every line with its line feed. Ends the trace. */
  digest(): string;
}

/** @param print receives every line; left out, only the digest is kept */
export function createTrace(print?: (line: string) => void): Trace {
  const hash = createHash('sha256');
  let waiting = '';
  return {
    line(text) {
      print?.(text);
      waiting += `${text}\n`;
      if (waiting.length < 8192) return;
      hash.update(waiting);
      waiting = '';
    },
    digest: () => hash.update(waiting).digest('hex'),
  };
}

/** How often each kind of fault was brought about. */
export type FaultCounts = Map<string, number>;

export function countFault(counts: FaultCounts, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
