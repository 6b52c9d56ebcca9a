import { huntPlanted, runSeeds } from '../../sim/run/command.ts';
import { LEAST_EVENTS } from '../../sim/run/seed.ts';

const minutesMs = 60_000;

test(
  'three hundred worlds: every rule holds in each of them (R1)',
  async () => {
    const report = await runSeeds({ kind: 'seeds', count: 300, from: 1, threads: 2 });
    expect(report.failures).toEqual([]);
    expect(report.seeds).toBe(300);
    expect(report.fewestEvents).toBeGreaterThanOrEqual(LEAST_EVENTS);
    expect(report.centerChanges).toBeGreaterThan(300);
    const brought = [
      'drop',
      'duplicate',
      'delay',
      'cut',
      'lost-writes',
      'torn-tail',
      'disk-full',
      'fsync-error',
      'wipe',
    ];
    for (const kind of [...brought, 'clock-jump', 'membership', 'hand-over', 'compaction', 'old-backup', 'liar']) {
      expect({ kind, isBroughtAbout: (report.faults[kind] ?? 0) > 0 }).toEqual({ kind, isBroughtAbout: true });
    }
  },
  5 * minutesMs,
);

test(
  'every planted bug is found, and every checker has something to show for itself (R1)',
  async () => {
    const { planted, missed, checkers } = await huntPlanted(1_000, 2);
    expect(planted.filter(({ seedsNeeded }) => seedsNeeded === null)).toEqual([]);
    expect(missed).toBe(0);
    expect(planted.length).toBeGreaterThanOrEqual(25);
    const idle = Object.entries(checkers).filter(([, { first, also }]) => first + also === 0);
    expect(idle).toEqual([]);
  },
  5 * minutesMs,
);

test(
  'with more departments in league than tolerated, most worlds break, and it is noticed',
  async () => {
    const { failures, seeds } = await runSeeds({ kind: 'control', count: 20, from: 1, threads: 2 });
    expect(new Set(failures.map(({ seed }) => seed)).size).toBeGreaterThan(seeds / 2);
  },
  5 * minutesMs,
);
