import { type ChainState, extend } from '../log/chain.ts';
import type { LogEntry } from '../messages.ts';
import { candidateProblem, sealMismatch } from './accept.ts';
import { isRecent } from './confirm.ts';
import type { Node } from './node.ts';

/** A run of sealed entries that was checked without touching the log. */
export interface Walk {
  /** State after each entry that holds, in order; the first one is the state they stand on. */
  readonly states: readonly ChainState[];
  readonly problem: string | null;
}

/**
 * Checks sealed entries one on the other: they prove themselves, whoever sends them (rsl.md, protocol step 5: verifying as it goes). Entries that
 * this member holds already are not checked again.
 */
export function walk(node: Node, start: ChainState, entries: readonly LogEntry[]): Walk {
  const states = [start];
  const oids = new Set<string>();
  const known = isRecent(node, start.height + 1);
  let below = start;
  for (const { candidate, seal } of entries) {
    if (seal === null) break;
    const held = node.log.entry(candidate.height);
    if (held?.after !== null && held?.seal?.hash === seal.hash && held.candidate.prev === below.hash) {
      below = held.after;
      states.push(below);
      continue;
    }
    const problem =
      node.faults.catchUpUnverified === true
        ? null
        : (candidateProblem(node, below, candidate, false, (oid) => oids.has(oid) || known(oid)) ??
          sealMismatch(node, below, candidate, seal));
    if (problem !== null) return { states, problem };
    if (candidate.height !== below.height + 1) return { states, problem: 'height-gap' };
    addOids(oids, candidate);
    below = extend(below, candidate, seal, node.faults);
    states.push(below);
  }
  return { states, problem: null };
}

function addOids(oids: Set<string>, { content }: LogEntry['candidate']): void {
  if (content.kind !== 'records') return;
  for (const { submission, rejected } of content.audited) {
    const out = new Set(rejected.map(({ index }) => index));
    submission.records.forEach(({ oid }, index) => {
      if (!out.has(index)) oids.add(oid);
    });
  }
}
