import { WaymarkError } from '@waymark/protocol';
import type { Ack } from '../block/ack.ts';
import type { Candidate } from '../block/candidate.ts';
import type { Seal } from '../block/header.ts';
import type { LogEnd } from '../election/vote.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import { type ChainState, extend } from './chain.ts';

/** One place of a member's log. */
export interface Entry {
  readonly candidate: Candidate;
  readonly seal: Seal | null;
  /** This member's own acknowledgement, if it gave one. */
  readonly ack: Ack | null;
  /** State after it; null while it is not sealed. */
  readonly after: ChainState | null;
  /** Oids it accepts. */
  readonly oids: ReadonlySet<string>;
}

/**
 * A member's log: a state at its base and the entries above, all sealed but perhaps the topmost. It knows no rules but its own shape.
 */
export interface Log {
  /** State at the compaction point. */
  readonly base: ChainState;
  readonly lastHeight: number;
  /** State after the last sealed block. */
  readonly top: ChainState;
  /** The unsealed topmost entry, if there is one. */
  readonly open: Entry | null;
  entry(height: number): Entry | null;
  /** State after a sealed height, from the base on. */
  state(height: number): ChainState | null;
  /** Puts a candidate at its height, which is the one above the last sealed one or below; what was there or above goes. */
  put(candidate: Candidate, ack: Ack | null): void;
  acknowledge(ack: Ack): void;
  seal(seal: Seal): ChainState;
  truncate(height: number): void;
  /** Drops entries up to a sealed height. */
  compact(height: number): void;
  /** Drops everything. */
  reset(state: ChainState): void;
  end(): LogEnd;
}

export function createLog(start: ChainState, faults: PlantedFaults): Log {
  let base = start;
  let entries: Entry[] = [];

  const at = (height: number): Entry | null => entries[height - base.height - 1] ?? null;
  const last = (): Entry | null => entries.at(-1) ?? null;
  const top = (): ChainState => {
    const entry = last();
    if (entry === null) return base;
    return entry.after ?? entries.at(-2)?.after ?? base;
  };
  const openEntry = (): Entry => {
    const entry = last();
    if (entry === null || entry.seal !== null) broken('there is no candidate to seal');
    return entry;
  };

  return {
    get base() {
      return base;
    },
    get lastHeight() {
      return base.height + entries.length;
    },
    get top() {
      return top();
    },
    get open() {
      const entry = last();
      return entry?.seal === null ? entry : null;
    },
    entry: at,
    state(height) {
      if (height === base.height) return base;
      return at(height)?.after ?? null;
    },
    put(candidate, ack) {
      const index = candidate.height - base.height - 1;
      if (index < 0 || index > entries.length) broken('a candidate does not fit the log');
      if (index < entries.length) entries = entries.slice(0, index);
      if (index > 0 && entries[index - 1]?.seal === null) broken('a candidate stands on one that is not sealed');
      entries.push({ candidate, seal: null, ack, after: null, oids: acceptedOids(candidate) });
    },
    acknowledge(ack) {
      entries[entries.length - 1] = { ...openEntry(), ack };
    },
    seal(seal) {
      const entry = openEntry();
      const after = extend(top(), entry.candidate, seal, faults);
      entries[entries.length - 1] = { ...entry, seal, after };
      return after;
    },
    truncate(height) {
      if (height <= base.height) broken('the log cannot be cut below its base');
      entries = entries.slice(0, height - base.height - 1);
    },
    compact(height) {
      const state = height === base.height ? base : at(height)?.after;
      if (state === null || state === undefined) broken('the log can be compacted up to a sealed block only');
      entries = entries.slice(height - base.height);
      base = state;
    },
    reset(state) {
      base = state;
      entries = [];
    },
    end() {
      const { height, term, hash } = top();
      const entry = last();
      const sealed = { height, term, hash };
      if (entry === null || entry.seal !== null) return { sealed, candidate: null };
      const { candidate } = entry;
      return {
        sealed,
        candidate: {
          height: candidate.height,
          term: candidate.term,
          prev: candidate.prev,
          root: candidate.root,
          count: candidate.count,
        },
      };
    },
  };
}

function acceptedOids({ content }: Candidate): ReadonlySet<string> {
  const oids = new Set<string>();
  if (content.kind !== 'records') return oids;
  for (const { submission, rejected } of content.audited) {
    if (rejected.length === submission.records.length) continue;
    let next = 0;
    for (let index = 0; index < submission.records.length; index += 1) {
      if (rejected[next]?.index === index) next += 1;
      else oids.add((submission.records[index] as { oid: string }).oid);
    }
  }
  return oids;
}

function broken(what: string): never {
  throw new WaymarkError('internal', `The log of a ledger member is broken: ${what}.`);
}
