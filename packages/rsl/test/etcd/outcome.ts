import type { TraceStep } from './trace.ts';

/** What a trace comes to, whatever words it uses. */
export interface Outcome {
  /** Who sends entries or heartbeats in the highest term that has any, unless it gave up its office. */
  readonly leader: string | null;
  /** Data that was seen to be committed, in order. */
  readonly committed: readonly string[];
  /** Last configuration that the leader switched to, if any was printed. */
  readonly voters: readonly string[] | null;
  readonly learners: readonly string[] | null;
}

/** Reads the outcome off what etcd printed. */
export function outcomeOf(steps: readonly TraceStep[]): Outcome {
  const lines = steps.flatMap(({ printed }) => printed.map((line) => line.trim()));
  let leader: string | null = null;
  let highest = -1;
  const committed = new Map<number, string>();
  /** Who gave up its office in which term: what it sent before may still arrive. */
  const gone = new Set<string>();
  let isCommittedList = false;
  for (const line of lines) {
    const leading = /^(\d+)->\d+ Msg(?:App|Heartbeat|Snap) Term:(\d+)/.exec(line);
    const elected = /^INFO (\d+) became leader at term (\d+)/.exec(line);
    const [, id = '', term = '-1'] = leading ?? elected ?? [];
    if (Number(term) >= highest && id !== '' && !gone.has(`${id}/${term}`)) {
      leader = id;
      highest = Number(term);
    }
    const followed = /^INFO (\d+) became follower at term (\d+)/.exec(line);
    if (followed !== null && followed[1] === leader && Number(followed[2]) === highest) {
      gone.add(`${leader}/${highest}`);
      leader = null;
    }
    if (line.startsWith('CommittedEntries')) isCommittedList = true;
    else if (isCommittedList) {
      const entry = /^\d+\/(\d+) EntryNormal "(.+)"/.exec(line);
      if (entry !== null) committed.set(Number(entry[1]), entry[2] ?? '');
      else if (!/^\d+\/\d+ Entry/.test(line)) isCommittedList = false;
    }
  }
  // Where the log is off all the time, the only one that stood is the one.
  const stood = new Set(steps.filter(({ name }) => name === 'campaign').map(({ args }) => args[0] ?? ''));
  if (highest < 0 && stood.size === 1) leader = [...stood][0] ?? null;
  const switches = lines.flatMap((line) => {
    const found =
      /^INFO (\d+) switched to configuration voters=\(([\d ]*)\)(?:&&\([\d ]*\))?(?: learners=\(([\d ]*)\))?/.exec(
        line,
      );
    return found !== null && found[1] === leader ? [{ voters: found[2] ?? '', learners: found[3] ?? '' }] : [];
  });
  const last = switches.at(-1);
  const split = (text: string): string[] => text.split(' ').filter((id) => id !== '');
  return {
    leader,
    committed: [...committed].sort(([a], [b]) => a - b).map(([, data]) => data),
    voters: last === undefined ? null : split(last.voters),
    learners: last === undefined ? null : split(last.learners),
  };
}
