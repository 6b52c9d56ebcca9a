/** The Cargo 2000 tracking table: what is read from it, and what it is refused for. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { JsonObject } from '@waymark/protocol';
import { columns } from '../src/cargo2000/layout.ts';
import { openRecordFile } from '../src/index.ts';
import { dataFolder, describeWithData } from './epcis-corpus.ts';
import { fileOf, recordsOf, refusalOf } from './files.ts';

type Row = Record<string, string>;

/** What these tests look at in a payload. */
interface Milestone {
  readonly leg: { readonly id: number; readonly position: string };
  readonly service: string;
  readonly planned: { readonly minutes: number; readonly startTime: string };
  readonly effective: { readonly minutes: number };
}

/** A shipment of one incoming and one outgoing leg; `changes` replace single columns. */
function row(number: number, changes: Row = {}): string {
  const cells: Row = {
    nr: String(number),
    legs: '1',
    ...Object.fromEntries<string>(
      (['i1', 'o'] as const).flatMap((leg, index): [string, string][] => [
        [`${leg}_legid`, String(number * 10 + index)],
        [`${leg}_hops`, '1'],
        ...['rcs', 'dep_1', 'rcf_1', 'dlv'].flatMap((service, position): [string, string][] => [
          [`${leg}_${service}_p`, String(10 * (position + 1))],
          [`${leg}_${service}_e`, String(10 * (position + 1) + index + 1)],
        ]),
        [`${leg}_dep_1_place`, index === 0 ? '600' : '601'],
        [`${leg}_rcf_1_place`, index === 0 ? '601' : '602'],
      ]),
    ),
    ...changes,
  };
  return columns.map((column) => cells[column] ?? '?').join(',');
}

const header = columns.join(',');
const blank = ','.repeat(columns.length - 1);

function table(...rows: readonly string[]): string {
  return fileOf('table.csv', `${[header, ...rows].join('\n')}\n`);
}

describe('milestones of a shipment', () => {
  test('each service is one record, in the order in which it happens', async () => {
    const records = await recordsOf(table(row(7)));
    expect(records.map(({ eventId }) => eventId)).toEqual([
      'c2k:7:70:RCS',
      'c2k:7:70:DEP:1',
      'c2k:7:70:RCF:1',
      'c2k:7:70:DLV',
      'c2k:7:71:RCS',
      'c2k:7:71:DEP:1',
      'c2k:7:71:RCF:1',
      'c2k:7:71:DLV',
    ]);
    expect(new Set(records.map(({ consignment }) => consignment))).toEqual(new Set(['c2k:7']));
    expect(records[1]?.businessIds).toEqual([
      { type: 'c2k-shipment', value: '7' },
      { type: 'c2k-leg', value: '70' },
    ]);
  });

  test('durations are added up, and the outgoing leg starts when the last incoming one is delivered', async () => {
    const slow = { i2_legid: '75', i2_hops: '1', i2_dep_1_place: '605', i2_rcf_1_place: '601', legs: '2' };
    const minutes = Object.fromEntries(
      ['rcs', 'dep_1', 'rcf_1', 'dlv'].flatMap((service) => [
        [`i2_${service}_p`, '100'],
        [`i2_${service}_e`, '5'],
      ]),
    );
    const records = await recordsOf(table(row(7, { ...slow, ...minutes })));
    const start = Date.UTC(2010, 0, 4);
    const payload = (eventId: string): JsonObject =>
      records.find((record) => record.eventId === eventId)?.payload as JsonObject;
    const minutesAfterStart = (time: unknown): number => (Date.parse(String(time)) - start) / 60_000;
    // i1: planned 10+20+30+40, effective one more each; i2: planned 4 × 100, effective 4 × 5.
    const outgoing = payload('c2k:7:71:RCS');
    expect(minutesAfterStart((outgoing['planned'] as JsonObject)['startTime'])).toBe(400);
    expect(minutesAfterStart((outgoing['effective'] as JsonObject)['startTime'])).toBe(104);
    expect(payload('c2k:7:70:RCF:1')).toMatchObject({
      shipment: 7,
      leg: { id: 70, role: 'incoming', position: 'i1', hops: 1 },
      service: 'RCF',
      hop: 1,
      place: 601,
      planned: { minutes: 30, endTime: '2010-01-04T01:00:00.000Z' },
      effective: { minutes: 31, endTime: '2010-01-04T01:03:00.000Z' },
      deviationMinutes: 1,
    });
    expect(payload('c2k:7:70:RCS')['place']).toBe(600);
    expect(payload('c2k:7:70:DLV')['place']).toBe(601);
  });

  test('the start of a shipment depends on its row alone', async () => {
    const alone = await recordsOf(table(row(1), row(2)));
    const more = await recordsOf(table(row(1), row(2), row(3), blank));
    expect(more.slice(0, alone.length)).toEqual(alone);
    expect(alone[8]?.collectionTime).toBe('2010-01-04T01:07:00.000Z');
  });

  test('the last line may be empty but for commas, and line ends may be CRLF', async () => {
    expect(await recordsOf(table(row(1), blank))).toHaveLength(8);
    const windows = fileOf('windows.csv', `\uFEFF${header}\r\n${row(1)}\r\n${blank}\r\n`);
    expect(await recordsOf(windows)).toHaveLength(8);
  });
});

describe('a table is refused whole, with line, column and reason', () => {
  const refusals: readonly (readonly [rule: string, rows: readonly string[], line: number, place: string])[] = [
    ['a duration that is no integer', [row(1), row(2, { o_dep_1_e: '1.5' })], 3, 'column o_dep_1_e (78)'],
    ['a negative duration', [row(1, { i1_rcs_p: '-1' })], 2, 'column i1_rcs_p (3)'],
    ['a duration of more than seven digits', [row(1, { i1_rcs_p: '12345678' })], 2, 'column i1_rcs_p (3)'],
    ['a service that is missing within the hops', [row(1, { i1_dep_1_p: '?' })], 2, 'column i1_dep_1_p (5)'],
    ['a service beyond the hops', [row(1, { i1_dep_2_p: '3' })], 2, 'column i1_dep_2_p (11)'],
    ['fewer services than hops', [row(1, { i1_hops: '2' })], 2, 'column i1_dep_2_p (11)'],
    ['hops out of range', [row(1, { o_hops: '4' })], 2, 'column o_hops (97)'],
    ['more legs than are given', [row(1, { legs: '2' })], 2, 'column i2_hops (49)'],
    ['a leg beyond the number of legs', [row(1, { i2_legid: '99' })], 2, 'column i2_legid (26)'],
    ['no incoming leg', [row(1, { legs: '0' })], 2, 'column legs (98)'],
    ['a missing outgoing leg', [row(1, { o_hops: '?' })], 2, 'column o_hops (97)'],
    ['a leg id that came before', [row(1), row(2, { o_legid: '11' })], 3, 'column o_legid (74)'],
    ['a shipment number that came before', [row(1), row(1, { i1_legid: '5', o_legid: '6' })], 3, 'column nr (1)'],
    ['a row that is too short', [row(1).split(',').slice(0, 97).join(',')], 2, 'column legs (98)'],
    ['a row that is too long', [`${row(1)},1`], 2, 'column legs (98)'],
    ['an empty cell', [row(1, { i1_dlv_e: '' })], 2, 'column i1_dlv_e (24)'],
    ['a quoted cell with a line in it', [row(1, { i1_dlv_e: '"4\n4"' })], 3, 'column i1_dlv_e (24)'],
    ['data behind the empty line', [row(1), blank, row(2)], 3, ''],
    ['two empty lines', [row(1), blank, blank], 3, ''],
    ['no shipment at all', [], 2, ''],
    ['a quotation mark that is never closed', [row(1), `"${row(2)}`], 3, ''],
  ];
  test.each(refusals)('%s', async (_rule, rows, line, place) => {
    expect(await refusalOf(table(...rows))).toMatchObject({ code: 'input-invalid', line, place });
  });

  test('a header that is not the known one', async () => {
    const renamed = fileOf('renamed.csv', `${header.replace('i2_rcs_p', 'i2_rcs')}\n${row(1)}\n`);
    expect(await refusalOf(renamed)).toMatchObject({ line: 1, place: 'column i2_rcs_p (27)' });
    const longer = fileOf('longer.csv', `${header},more\n${row(1)},1\n`);
    expect(await refusalOf(longer)).toMatchObject({ line: 1, place: 'column 99' });
    const other = fileOf('other.csv', 'a,b,c\n1,2,3\n');
    expect(await refusalOf(other)).toMatchObject({ line: 1, place: 'column nr (1)' });
  });

  test('no record is handed out before the last row was found good', async () => {
    const rows = Array.from({ length: 500 }, (_, index) => row(index + 1));
    const bad = table(...rows, row(900, { legs: 'x' }));
    await expect(openRecordFile(bad)).rejects.toMatchObject({ code: 'input-invalid', details: { line: 502 } });
  });
});

describeWithData('the published tracking table', () => {
  const path = join(dataFolder ?? '', 'cargo2000/c2k_data_comma.csv');

  test('holds 3,942 shipments with 11,874 legs and 56,082 milestones, each under an id of its own', async () => {
    const file = await openRecordFile(path);
    expect(file).toMatchObject({ path, format: 'cargo2000', count: 56_082 });
    const ids = new Set<string>();
    const shipments = new Set<string>();
    const legs = new Set<unknown>();
    const starts: string[] = [];
    let longestMinutes = 0;
    for await (const record of file.records()) {
      const { leg, planned, effective, service } = record.payload as unknown as Milestone;
      ids.add(record.eventId);
      shipments.add(record.consignment);
      legs.add(leg.id);
      longestMinutes = Math.max(longestMinutes, planned.minutes, effective.minutes);
      if (service === 'RCS' && leg.position === 'i1') starts.push(planned.startTime);
    }
    expect([ids.size, shipments.size, legs.size]).toEqual([56_082, 3_942, 11_874]);
    expect(longestMinutes).toBe(560_130);
    // The shipments start over five months, in the order of the file.
    expect(starts).toEqual(starts.toSorted());
    const days = (Date.parse(starts.at(-1) ?? '') - Date.parse(starts[0] ?? '')) / 86_400_000;
    expect(days).toBeGreaterThan(150);
    expect(days).toBeLessThan(155);
    console.info(`Cargo 2000: ${ids.size} milestones of ${shipments.size} shipments read`);
  });

  test('two readings give the same content digests', async () => {
    const digest = async (): Promise<string> => {
      const hash = createHash('sha256');
      const file = await openRecordFile(path);
      for await (const record of file.records()) hash.update(JSON.stringify(record));
      return hash.digest('hex');
    };
    expect(await digest()).toBe(await digest());
  });
});
