import { WaymarkError } from '@waymark/protocol';
import type { AuditedSubmission, BlockHash, Content, DepartmentCursor, Rejection } from '@waymark/rsl';
import { eachDigest, packDigest } from '../body/columns.ts';
import type { AnchoredRange, IndexFacts, MissingRange, RecordPlace, SubmissionPlace } from './ledger-chain.ts';
import { placesOfSubmission } from './schema.ts';
import type { Database, Row } from './statements.ts';

/** A block's row. */
export interface BlockRow {
  readonly height: number;
  readonly hash: BlockHash;
  readonly seal: Uint8Array;
  readonly candidateSignature: string;
}

/** How far the chain goes. */
export interface Tip {
  readonly height: number;
  readonly hash: BlockHash;
}

/** SQL of the chain's index. */
export type ChainIndex = ReturnType<typeof createChainIndex>;

const insertRecord = 'INSERT INTO record (oid, place) VALUES (?, ?) ON CONFLICT DO NOTHING';
const insertRejection = 'INSERT INTO rejection (oid, place, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
const findAccepted = 'SELECT place FROM record WHERE oid = ?';
const submissionColumns = 'id, height, item, department, seq, hash, records';

/** @throws WaymarkError recipient-mismatch: the file is of another ledger */
export function createChainIndex(database: Database, ledger: string) {
  const { run, one, all, prepared } = database;
  const known = one('SELECT ledger FROM chain');
  if (known === undefined) run(`INSERT INTO chain (one, ledger, height, hash) VALUES (1, ?, 0, '')`, ledger);
  else if (known['ledger'] !== ledger)
    throw new WaymarkError('recipient-mismatch', 'The folder holds the chain of another ledger.');

  function addSubmission(height: number, item: number, { submission, rejected }: AuditedSubmission): void {
    const { department, seq, hash, records } = submission;
    run(
      `INSERT INTO submission (height, item, department, seq, hash, records) VALUES (?, ?, ?, ?, ?, ?)`,
      height,
      item,
      department,
      seq,
      hash,
      records.length,
    );
    const { id } = one('SELECT last_insert_rowid() AS id') as { id: number };
    const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
    const accept = prepared(insertRecord);
    for (const [index, oid] of eachDigest(records.map((record) => record.oid)).entries()) {
      const place = id * placesOfSubmission + index;
      const reason = reasons.get(index);
      if (reason === undefined) accept.run(oid, place);
      else run(insertRejection, oid, place, reason);
    }
  }

  function rejectedOf(id: number): Rejection[] {
    return all(
      'SELECT place, reason FROM rejection WHERE place >= ? AND place < ? ORDER BY place',
      id * placesOfSubmission,
      (id + 1) * placesOfSubmission,
    ).map((row) => ({ index: number(row, 'place') % placesOfSubmission, reason: text(row, 'reason') }));
  }

  return {
    tip(): Tip {
      const row = one('SELECT height, hash FROM chain') ?? {};
      return { height: number(row, 'height'), hash: text(row, 'hash') };
    },
    setTip({ height, hash }: Tip): void {
      run('UPDATE chain SET height = ?, hash = ?', height, hash);
    },
    /** Part of the caller's transaction. */
    addBlock({ height, hash, seal, candidateSignature }: BlockRow, content: Content): void {
      run(
        'INSERT INTO block (height, hash, seal, candidate_signature) VALUES (?, ?, ?, ?)',
        height,
        hash,
        seal,
        candidateSignature,
      );
      if (content.kind !== 'records') return;
      for (const [item, audited] of content.audited.entries()) addSubmission(height, item, audited);
    },
    setCursor({ department, seq, hash }: DepartmentCursor): void {
      run(
        `INSERT INTO cursor (department, seq, hash) VALUES (?, ?, ?)
         ON CONFLICT (department) DO UPDATE SET seq = excluded.seq, hash = excluded.hash WHERE excluded.seq > seq`,
        department,
        seq,
        hash,
      );
    },
    cursor(department: string) {
      const row = one('SELECT seq, hash FROM cursor WHERE department = ?', department);
      return row === undefined ? null : { seq: number(row, 'seq'), hash: text(row, 'hash') };
    },
    block(height: number): BlockRow | null {
      const row = one('SELECT height, hash, seal, candidate_signature FROM block WHERE height = ?', height);
      return row === undefined ? null : blockRow(row);
    },
    blocks: (first: number, last: number): BlockRow[] =>
      all(
        'SELECT height, hash, seal, candidate_signature FROM block WHERE height BETWEEN ? AND ? ORDER BY height',
        first,
        last,
      ).map(blockRow),
    isRecorded: (oid: string): boolean => one(findAccepted, packDigest(oid)) !== undefined,
    findRecord(oid: string): RecordPlace | null {
      const key = packDigest(oid);
      const accepted = one(findAccepted, key);
      const rejected =
        accepted === undefined
          ? one('SELECT place, reason FROM rejection WHERE oid = ? ORDER BY place DESC LIMIT 1', key)
          : undefined;
      const found = accepted ?? rejected;
      if (found === undefined) return null;
      const place = number(found, 'place');
      const id = Math.floor(place / placesOfSubmission);
      const row = one(`SELECT ${submissionColumns} FROM submission WHERE id = ?`, id);
      if (row === undefined) throw damaged();
      return {
        oid,
        height: number(row, 'height'),
        item: number(row, 'item'),
        index: place % placesOfSubmission,
        department: text(row, 'department'),
        seq: number(row, 'seq'),
        reason: rejected === undefined ? null : text(rejected, 'reason'),
      };
    },
    submission(department: string, seq: number): SubmissionPlace | null {
      const row = one(`SELECT ${submissionColumns} FROM submission WHERE department = ? AND seq = ?`, department, seq);
      return row === undefined ? null : { ...submissionRow(row), rejected: rejectedOf(number(row, 'id')) };
    },
    submissionsOf: (height: number): SubmissionPlace[] =>
      all(`SELECT ${submissionColumns} FROM submission WHERE height = ? ORDER BY item`, height).map((row) => ({
        ...submissionRow(row),
        rejected: rejectedOf(number(row, 'id')),
      })),
    gaps: (): MissingRange[] =>
      all('SELECT first, last, hash FROM gap ORDER BY last DESC').map((row) => ({
        first: number(row, 'first'),
        last: number(row, 'last'),
        hash: text(row, 'hash'),
      })),
    addGap({ first, last, hash }: MissingRange): void {
      run('INSERT INTO gap (first, last, hash) VALUES (?, ?, ?)', first, last, hash);
    },
    removeGap(last: number): void {
      run('DELETE FROM gap WHERE last = ?', last);
    },
    addAnchor({ first, last, hash, txId }: AnchoredRange): void {
      run(
        `INSERT INTO anchor (first, last, hash, tx_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        first,
        last,
        hash,
        txId,
      );
    },
    anchorOf(height: number): AnchoredRange | null {
      const row = one('SELECT first, last, hash, tx_id FROM anchor WHERE last >= ? ORDER BY last LIMIT 1', height);
      return row === undefined || number(row, 'first') > height ? null : anchorRow(row);
    },
    anchoredUpTo: (): number => number(one('SELECT coalesce(max(last), 0) AS last FROM anchor') ?? {}, 'last'),
    anchors: (): AnchoredRange[] => all('SELECT first, last, hash, tx_id FROM anchor ORDER BY last').map(anchorRow),
    sync: () => database.sync(),
    facts(): IndexFacts {
      const count = (table: string): number => number(one(`SELECT count(*) AS rows FROM ${table}`) ?? {}, 'rows');
      return {
        blocks: count('block'),
        submissions: count('submission'),
        records: count('record'),
        rejections: count('rejection'),
        problems: database.problems().length === 0 ? [] : ['index-damaged'],
      };
    },
    transaction: database.transaction,
    close: database.close,
  };
}

function blockRow(row: Row): BlockRow {
  const seal = row['seal'];
  if (!(seal instanceof Uint8Array)) throw damaged();
  return {
    height: number(row, 'height'),
    hash: text(row, 'hash'),
    seal,
    candidateSignature: text(row, 'candidate_signature'),
  };
}

function submissionRow(row: Row): Omit<SubmissionPlace, 'rejected'> {
  return {
    department: text(row, 'department'),
    seq: number(row, 'seq'),
    hash: text(row, 'hash'),
    height: number(row, 'height'),
    item: number(row, 'item'),
    records: number(row, 'records'),
  };
}

function anchorRow(row: Row): AnchoredRange {
  return { first: number(row, 'first'), last: number(row, 'last'), hash: text(row, 'hash'), txId: text(row, 'tx_id') };
}

function number(row: Row, key: string): number {
  const value = row[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged();
  return value;
}

function text(row: Row, key: string): string {
  const value = row[key];
  if (typeof value !== 'string') throw damaged();
  return value;
}

function damaged(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The index of the chain is damaged.', { details: { reason: 'index' } });
}
