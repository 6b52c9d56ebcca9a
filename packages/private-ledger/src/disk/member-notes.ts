import { DatabaseSync } from 'node:sqlite';
import type { LogPosition } from '@waymark/ledger-log';
import type { Configuration, MemberId } from '@waymark/rsl';

/** A block that holds a configuration. */
export interface ConfigurationPlace {
  readonly height: number;
  readonly configuration: Configuration;
}

/** What a member notes beside its chain and its log; durable when a call returns. */
export interface MemberNotes {
  /** What the other members have said of their logs (docs/rsl.md, "Lost disks"). */
  positions(): ReadonlyMap<MemberId, LogPosition>;
  notePosition(member: MemberId, position: LogPosition): void;
  /** The block that brought an epoch. */
  configuration(epoch: number): ConfigurationPlace | null;
  noteConfiguration(place: ConfigurationPlace): void;
  /** How far something that follows the chain has come; 0 before it began. */
  mark(name: string): number;
  noteMark(name: string, height: number): void;
  close(): void;
}

const schema = `
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS position (
  member TEXT PRIMARY KEY, log TEXT NOT NULL, opens INTEGER NOT NULL, session TEXT NOT NULL, seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS configuration (epoch INTEGER PRIMARY KEY, height INTEGER NOT NULL, configuration TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, height INTEGER NOT NULL) WITHOUT ROWID;`;

export function openMemberNotes(path: string): MemberNotes {
  const database = new DatabaseSync(path);
  database.exec(schema);
  const insertPosition = database.prepare(
    'INSERT OR REPLACE INTO position (member, log, opens, session, seq) VALUES (?, ?, ?, ?, ?)',
  );
  const insertConfiguration = database.prepare(
    'INSERT OR REPLACE INTO configuration (epoch, height, configuration) VALUES (?, ?, ?)',
  );
  const insertMark = database.prepare('INSERT OR REPLACE INTO mark (name, height) VALUES (?, ?)');
  return {
    positions: () =>
      new Map(
        database
          .prepare('SELECT * FROM position')
          .all()
          .map((row) => [
            String(row['member']),
            {
              log: String(row['log']),
              opens: Number(row['opens']),
              session: String(row['session']),
              seq: Number(row['seq']),
            },
          ]),
      ),
    notePosition: (member, { log, opens, session, seq }) => void insertPosition.run(member, log, opens, session, seq),
    configuration(epoch) {
      const row = database.prepare('SELECT height, configuration FROM configuration WHERE epoch = ?').get(epoch);
      if (row === undefined) return null;
      return {
        height: Number(row['height']),
        configuration: JSON.parse(String(row['configuration'])) as Configuration,
      };
    },
    noteConfiguration: ({ height, configuration }) =>
      void insertConfiguration.run(configuration.epoch, height, JSON.stringify(configuration)),
    mark: (name) => Number(database.prepare('SELECT height FROM mark WHERE name = ?').get(name)?.['height'] ?? 0),
    noteMark: (name, height) => void insertMark.run(name, height),
    close: () => database.close(),
  };
}
