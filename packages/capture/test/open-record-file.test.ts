/** Opening files of any content: the form is told by content, and a bad file is refused whole. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { ShipmentRecord } from '@waymark/protocol';
import { openRecordFile } from '../src/index.ts';
import { collected, fileOf, pathOf, recordsOf, refusalOf } from './files.ts';

const record: ShipmentRecord = {
  eventId: 'scan-1',
  revision: 0,
  consignment: 'route-1',
  schema: 'scan-v1',
  collectionTime: '2026-03-01T08:00:00Z',
  businessIds: [{ type: 'parcel', value: 'P1' }],
  payload: { station: 'infeed' },
};
const recordText = JSON.stringify(record);
const event = {
  '@context': 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  type: 'ObjectEvent',
  eventTime: '2026-03-01T08:00:00Z',
  eventTimeZoneOffset: '+00:00',
  action: 'OBSERVE',
  epcList: ['urn:epc:id:sscc:9520011.0880000001'],
};
const { '@context': context, ...eventInDocument } = event;
const document = {
  '@context': context,
  type: 'EPCISDocument',
  schemaVersion: '2.0',
  creationDate: '2026-03-01T09:00:00Z',
  epcisBody: { eventList: [eventInDocument, { ...eventInDocument, eventTime: '2026-03-01T08:30:00Z' }] },
};
const queryDocument = {
  '@context': context,
  type: 'EPCISQueryDocument',
  epcisBody: { queryResults: { queryName: 'Q', resultsBody: { eventList: [eventInDocument] } } },
};

describe('the form is told by content', () => {
  const forms: readonly (readonly [form: string, name: string, content: string, format: string, count: number])[] = [
    ['an EPCIS document', 'a.csv', JSON.stringify(document), 'epcis-2.0', 2],
    ['an EPCIS document with line breaks', 'a.json', JSON.stringify(document, undefined, 2), 'epcis-2.0', 2],
    ['an EPCIS query document', 'b', JSON.stringify(queryDocument), 'epcis-2.0', 1],
    [
      'an EPCIS document without events',
      'c',
      JSON.stringify({ ...document, epcisBody: { eventList: [] } }),
      'epcis-2.0',
      0,
    ],
    ['a bare event', 'd', JSON.stringify(event), 'epcis-2.0', 1],
    ['a list of bare events', 'e', JSON.stringify([event, event]), 'epcis-2.0', 2],
    ['bare events, one per line', 'f', `${JSON.stringify(event)}\n${JSON.stringify(event)}\n`, 'epcis-2.0', 2],
    ['one record', 'g', recordText, 'records-json', 1],
    ['a list of records', 'h', `[${recordText},\n${recordText}]`, 'records-json', 2],
    ['records, one per line', 'i', `${recordText}\r\n\n${recordText}`, 'records-json', 2],
    ['a text behind a byte order mark', 'j', `\uFEFF  ${recordText}`, 'records-json', 1],
  ];
  test.each(forms)('%s', async (_form, name, content, format, count) => {
    const file = await openRecordFile(fileOf(name, content));
    expect(file).toMatchObject({ format, count });
    expect(await collected(file)).toHaveLength(count);
    // The same again: `records` may be called more than once.
    expect(await collected(file)).toHaveLength(count);
  });

  test('a record comes out as it stands in the file', async () => {
    expect(await recordsOf(fileOf('one.json', recordText))).toEqual([record]);
  });

  test('members may come in any order, also the events before the context', async () => {
    const { epcisBody, ...rest } = document;
    const records = await recordsOf(fileOf('order.json', JSON.stringify({ epcisBody, ...rest })));
    const usual = await recordsOf(fileOf('usual.json', JSON.stringify(document)));
    expect(records).toEqual(usual);
  });
});

describe('a bad file is refused with file, place, line and reason', () => {
  test('an absent file, a folder, an empty file', async () => {
    expect(await refusalOf(pathOf('absent.json'))).toMatchObject({ code: 'input-invalid' });
    expect(await refusalOf(pathOf('absent.json') + '\0')).toMatchObject({ code: 'input-invalid' });
    mkdirSync(pathOf('folder.json'));
    expect(await refusalOf(pathOf('folder.json'))).toMatchObject({ code: 'input-invalid', reason: 'is a directory' });
    expect(await refusalOf(fileOf('empty.json', ''))).toMatchObject({ code: 'input-invalid', reason: 'is empty' });
    expect(await refusalOf(fileOf('blank.json', ' \n\t'))).toMatchObject({ reason: 'is empty' });
    expect(await refusalOf(fileOf('nothing.json', '[ ]'))).toMatchObject({ reason: 'the list holds nothing' });
  });

  test('what is known but not read here is `unsupported`', async () => {
    expect(await refusalOf(fileOf('a.gz', gzipSync(recordText)))).toMatchObject({ code: 'unsupported' });
    expect(await refusalOf(fileOf('a.xml', '<?xml version="1.0"?><a/>'))).toMatchObject({ code: 'unsupported' });
    expect(await refusalOf(fileOf('a.utf16', Buffer.from(`\uFEFF${recordText}`, 'utf16le')))).toMatchObject({
      code: 'unsupported',
    });
  });

  test('too large a file, item or frame is `limit-exceeded`', async () => {
    const list = fileOf('list.json', `[${recordText},\n${recordText}]`);
    expect(await refusalOf(list, { fileBytes: 10 })).toMatchObject({ code: 'limit-exceeded' });
    expect(await refusalOf(list, { itemBytes: 50 })).toMatchObject({ code: 'limit-exceeded', line: 1 });
    const lines = fileOf('lines.ndjson', `${recordText}\n${recordText}\n`);
    expect(await refusalOf(lines, { itemBytes: recordText.length - 1 })).toMatchObject({ code: 'limit-exceeded' });
    const large = { ...record, payload: 'x'.repeat(1024 * 1024) };
    expect(await refusalOf(fileOf('large.json', JSON.stringify([record, large])))).toMatchObject({
      code: 'limit-exceeded',
      place: '/1',
    });
  });

  const texts: readonly (readonly [rule: string, content: string, expected: object])[] = [
    ['prose', 'Dear partner', { line: 1, reason: 'is neither JSON nor a table of shipments' }],
    ['a text that ends too early', '[{"eventId":"1"},\n{"eventId"', { line: 2 }],
    ['an object that ends too early', '{"eventId":\n"1"', { line: 2 }],
    ['something behind the list', `[${recordText}]\n\n[]`, { line: 3 }],
    ['a comma too much', `[${recordText},\n]`, { line: 2 }],
    ['a missing comma', `[${recordText}\n${recordText}]`, { line: 2 }],
    ['a syntax error inside a record', `[${recordText},\n{"eventId":\n oops}]`, { line: 3, place: '/1/eventId', reason: 'is not JSON' }],
    ['a line that is no JSON', `${recordText}\n{"a":1,}\n`, { line: 2, reason: 'is not JSON' }],
    ['an equal key', `[${recordText},{"eventId":"1",\n"eventId":"2"}]`, { place: '/1/eventId', reason: 'occurs twice' }],
    ['a number beyond all', `[${recordText.replace('"infeed"', '1e400')}]`, { place: '/0/payload/station' }],
    ['an integer beyond 2^53', `[${recordText.replace('"infeed"', '9007199254740993')}]`, { place: '/0/payload/station' }],
    ['a lone surrogate', `[${recordText.replace('infeed', '\\ud800')}]`, { place: '/0/payload/station' }],
    ['a text that is not in NFC', `[${recordText.replace('infeed', 'e\u0301')}]`, { place: '/0/payload/station' }],
    ['__proto__', `[${recordText.replace('"station"', '"__proto__"')}]`, { place: '/0/payload/__proto__' }],
    ['a record without payload', `[\n${recordText.replace(',"payload":{"station":"infeed"}', '')}]`, { place: '/0/payload', line: 2 }],
    ['a record with a field of its own', `[${recordText.replace('"revision"', '"note"')}]`, { place: '/0/note' }],
    ['a time that is none', `[${recordText.replace('2026-03-01T', '2026-02-30T')}]`, { place: '/0/collectionTime' }],
    ['a record among events', `[${JSON.stringify(event)},\n${recordText}]`, { place: '/1/type', line: 2 }],
    ['an event among records', `[${recordText},\n${JSON.stringify(event)}]`, { line: 2 }],
    ['a number in a list', `[${recordText}, 7]`, { place: '/1' }],
    ['a number alone', '{"a":7}', { line: 1 }],
  ]; // prettier-ignore
  test.each(texts)('%s', async (_rule, content, expected) => {
    expect(await refusalOf(fileOf('text.json', content))).toMatchObject({ code: 'input-invalid', ...expected });
  });

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.from(`[${recordText}]`);
    bytes[bytes.indexOf('infeed')] = 0xff;
    expect(await refusalOf(fileOf('latin.json', bytes))).toMatchObject({ place: '/0', reason: 'is not UTF-8' });
  });

  test('an event deep in a document, with the line it stands on', async () => {
    const { epcisBody, ...rest } = document;
    const events = [...epcisBody.eventList, { ...eventInDocument, action: 'LOOK' }];
    const text = JSON.stringify({ epcisBody: { eventList: events }, ...rest }, undefined, 1);
    const line = text.split('\n').findIndex((part) => part.includes('LOOK')) + 1;
    expect(await refusalOf(fileOf('deep.json', text))).toEqual({
      code: 'input-invalid',
      place: '/epcisBody/eventList/2/action',
      line,
      reason: 'must be one of ADD, OBSERVE, DELETE',
    });
  });

  test('the frame behind the events, with the line it stands on', async () => {
    const text = JSON.stringify(document, undefined, 1).replace(/\}$/, ',\n "schemaVersion2": "2.0"\n}');
    const line = text.split('\n').findIndex((part) => part.includes('schemaVersion2')) + 1;
    expect(await refusalOf(fileOf('frame.json', text))).toMatchObject({ place: '/schemaVersion2', line });
  });

  test('the reason never repeats a value of the file', async () => {
    const canary = 'canary-7f3a';
    const texts_ = [
      `[${recordText.replace('"infeed"', `"${canary}`)}]`,
      `[${recordText},{"eventId":${canary}}]`,
      JSON.stringify({ ...event, action: canary }),
      JSON.stringify({ ...event, eventTime: canary }),
      JSON.stringify({ ...event, epcList: [canary] }),
    ];
    for (const [index, text] of texts_.entries()) {
      const failure: unknown = await openRecordFile(fileOf(`canary-${index}`, text)).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(JSON.stringify([String(failure), (failure as { details: unknown }).details])).not.toContain(`${canary}"`);
      expect(String(failure)).not.toContain('canary-7f');
    }
  });
});

test('a file that changes after it was opened is not handed out as if it were the same', async () => {
  const path = fileOf('growing.ndjson', `${recordText}\n${recordText}\n`);
  const file = await openRecordFile(path);
  appendFileSync(path, `${recordText}\n`);
  await expect(collected(file)).rejects.toMatchObject({
    code: 'input-invalid',
    details: { file: path, reason: 'the file was changed while it was being read' },
  });
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
});

test('a reader that stops early leaves no file open', async () => {
  const file = await openRecordFile(fileOf('long.ndjson', `${recordText}\n`.repeat(20_000)));
  for await (const first of file.records()) {
    expect(first).toEqual(record);
    break;
  }
  expect(await collected(file)).toHaveLength(20_000);
});

describe('lists that only look like those of a document', () => {
  test('an event of an own type may hold an eventList of its own', async () => {
    const own = { ...event, type: 'https://example.com/Own', epcisBody: { eventList: [1, { eventTime: 'x' }] } };
    const [only] = await recordsOf(fileOf('own.json', JSON.stringify(own)));
    expect(only?.payload).toEqual(own);
  });

  test('a document whose body also holds query results is read by its own list', async () => {
    const both = {
      ...document,
      epcisBody: { queryResults: { resultsBody: { eventList: ['no event'] } }, ...document.epcisBody },
    };
    expect(await recordsOf(fileOf('both.json', JSON.stringify(both)))).toHaveLength(2);
    const bad = structuredClone(both);
    Object.assign(bad.epcisBody.eventList[1] ?? {}, { action: 'LOOK' });
    expect(await refusalOf(fileOf('both-bad.json', JSON.stringify(bad, undefined, 1)))).toMatchObject({
      place: '/epcisBody/eventList/1/action',
    });
  });
});
