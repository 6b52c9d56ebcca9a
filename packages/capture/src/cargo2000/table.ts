/** Reads the table row by row, and refuses it at the first thing that is off. */
import { pipeline, Readable } from 'node:stream';
import { parse, CsvError } from 'csv-parse';
import { refusedFile } from '../file/refusal.ts';
import { columns } from './layout.ts';
import { ColumnFault, readShipment, type Shipment } from './shipment.ts';

/** A shipment with its position among the shipments of the file, from 0. */
export interface TableRow {
  readonly index: number;
  readonly shipment: Shipment;
}

/** Longest row that is read: 98 columns of nine digits need a tenth of it. */
const rowLimitBytes = 16 * 1024;

interface RawRow {
  readonly cells: readonly string[];
  readonly line: number;
}

async function* rawRows(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<RawRow> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: false,
    max_record_size: rowLimitBytes,
    info: true,
  });
  // A failure of the source destroys the parser, so the loop below is told of it.
  pipeline(Readable.from(bytes), parser, () => undefined);
  let line = 0;
  try {
    for await (const entry of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      line = entry.info.lines;
      yield { cells: entry.record, line };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw refusedFile(
      { file, place: '', line: line + 1, reason: `is no row of a table (${error.code})` },
      'input-invalid',
      error,
    );
  } finally {
    parser.destroy();
  }
}

function refuseRow(file: string, line: number, column: string, reason: string): Error {
  const position = columns.indexOf(column) + 1;
  return refusedFile({ file, line, place: `column ${column} (${position})`, reason });
}

function checkHeader(file: string, { cells, line }: RawRow): void {
  const wrong = columns.findIndex((column, index) => cells[index] !== column);
  if (wrong >= 0) throw refuseRow(file, line, columns[wrong] ?? '', 'the header does not have this column here');
  if (cells.length > columns.length)
    throw refusedFile({ file, line, place: `column ${columns.length + 1}`, reason: 'the header has further columns' });
}

function isBlank(cells: readonly string[]): boolean {
  return cells.every((cell) => cell === '');
}

/** Numbers of shipments and legs are keys: none may come twice in a file. */
function distinctKeys(file: string): (shipment: Shipment, line: number) => void {
  const shipments = new Set<number>();
  const legs = new Set<number>();
  return (shipment, line) => {
    if (shipments.has(shipment.number)) throw refuseRow(file, line, 'nr', 'is the number of an earlier shipment');
    shipments.add(shipment.number);
    for (const leg of [...shipment.incoming, shipment.outgoing]) {
      if (legs.has(leg.id)) throw refuseRow(file, line, `${leg.position}_legid`, 'is the id of an earlier leg');
      legs.add(leg.id);
    }
  };
}

function parseRow(file: string, { cells, line }: RawRow): Shipment {
  try {
    return readShipment(cells);
  } catch (error) {
    if (error instanceof ColumnFault) throw refuseRow(file, line, error.column, error.message);
    throw error;
  }
}

/**
 * The shipments of a table, in file order. The last line may be empty but for commas.
 * @throws WaymarkError input-invalid with file, line, column and reason
 */
export async function* readTable(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<TableRow> {
  const checkKeys = distinctKeys(file);
  let header = false;
  let blankLine: number | undefined;
  let index = 0;
  for await (const row of rawRows(bytes, file)) {
    if (!header) {
      checkHeader(file, row);
      header = true;
      continue;
    }
    if (blankLine !== undefined)
      throw refusedFile({ file, line: blankLine, place: '', reason: 'only the last line may be empty' });
    if (isBlank(row.cells)) {
      blankLine = row.line;
      continue;
    }
    const shipment = parseRow(file, row);
    checkKeys(shipment, row.line);
    yield { index, shipment };
    index += 1;
  }
  if (!header) throw refusedFile({ file, line: 1, place: '', reason: 'has no header' });
  if (index === 0) throw refusedFile({ file, line: 2, place: '', reason: 'holds no shipment' });
}
