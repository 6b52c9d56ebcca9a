import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import {
  caughtUp,
  metric,
  recordMessage,
  restClient,
  startTestConsortium,
  submitClient,
  until,
  type SubmitClient,
  type TestConsortium,
  type TestFirm,
  type TestIdentity,
} from '@waymark/testing/consortium';

type Center = Awaited<ReturnType<TestFirm['center']>>;
type Outlet = Awaited<ReturnType<TestFirm['outlet']>>;

let consortium: TestConsortium;
let north: TestFirm;
let center: Center;
let outlet: Outlet;
let client: SubmitClient;
let second: SubmitClient;
let person: TestIdentity;
let reader: TestIdentity;
let foreigner: TestIdentity;
let stranger: TestIdentity;

beforeAll(async () => {
  consortium = await startTestConsortium();
  [north] = consortium.firms;
  person = await north.enrol('client-1', 'client');
  reader = await north.enrol('reader-1', 'reader');
  stranger = await north.issue({ enrolmentId: 'stranger', role: 'client' });
  foreigner = await consortium.firms[1].enrol('reader-1', 'reader');
  const other = await north.enrol('client-2', 'client');
  center = await north.center('center');
  await center.start();
  outlet = await north.outlet('depot', center, { limits: { maxOpenRecordsPerStream: 2_000 } });
  await outlet.start();
  await caughtUp(consortium, center, outlet);
  client = submitClient(north, outlet.ports.grpc, person);
  second = submitClient(north, outlet.ports.grpc, other);
}, 60_000);

afterAll(async () => {
  client.close();
  second.close();
  await outlet.stop();
  await center.stop();
  await consortium.stop();
});

async function codeOf(record: Parameters<SubmitClient['submit']>[0][number]): Promise<string> {
  const [outcome] = await client.submit([record]);
  return outcome?.failure?.code ?? outcome?.anchored?.state ?? 'nothing';
}

describe('S3, S5: a record on its way', () => {
  test('a submitted record is accepted, then anchored, with the transaction that did it', async () => {
    const [outcome] = await client.submit([{ eventId: 'first' }]);
    expect(outcome).toMatchObject({
      accepted: { evidenceId: 'NorthMSP/depot/1', state: 'accepted', repeated: false, txId: '' },
      anchored: {
        evidenceId: 'NorthMSP/depot/1',
        state: 'anchored',
        txId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      },
    });
    const evidence = JSON.parse(
      Buffer.from(await north.admin.evaluate('evidence', 'get', ['NorthMSP/depot/1'])).toString(),
    ) as Record<string, unknown>;
    expect(evidence).toMatchObject({ batchHash: outcome?.anchored?.batchHash, count: 1, node: 'center' });
  });

  test('the same record again gets the same receipt; with other content it is conflict; as a revision it is new', async () => {
    const [first] = await client.submit([{ eventId: 'twice', payload: { n: 1 } }]);
    const [again] = await client.submit([{ eventId: 'twice', payload: { n: 1 } }]);
    expect(again?.anchored).toEqual({ ...first?.anchored, repeated: true });
    expect(await codeOf({ eventId: 'twice', payload: { n: 2 } })).toBe('conflict');
    expect(await codeOf({ eventId: 'twice', revision: 1, payload: { n: 2 } })).toBe('anchored');
  });

  test('two clients that submit the same records at once: one evidence and one receipt each', async () => {
    const records = Array.from({ length: 50 }, (_, index) => ({ eventId: `shared-${String(index)}` }));
    const [mine, theirs] = await Promise.all([client.submit(records), second.submit(records)]);
    for (const [index, outcome] of mine.entries()) {
      const own = outcome.anchored;
      const other = theirs[index]?.anchored;
      expect(own).toBeDefined();
      expect({ ...other, repeated: false }).toEqual({ ...own, repeated: false });
      expect([own?.repeated, other?.repeated].filter((repeated) => repeated === false)).toHaveLength(1);
    }
    const status = await restClient(north, outlet.ports.api, reader)('GET', '/v1/status');
    expect(status.body).toMatchObject({ batches: { refused: 0 } });
  });

  test('two clients that submit other content under one id at once: one is anchored, the other is conflict', async () => {
    const [mine, theirs] = await Promise.all([
      client.submit([{ eventId: 'contested', payload: { by: 1 } }]),
      second.submit([{ eventId: 'contested', payload: { by: 2 } }]),
    ]);
    const ends = [mine[0], theirs[0]].map((outcome) => outcome?.failure?.code ?? outcome?.anchored?.state);
    expect(ends.toSorted()).toEqual(['anchored', 'conflict']);
  });

  test('records of many requests share batches: thousands cost a few transactions', async () => {
    const before = await metric(center, 'waymark_batches_anchored');
    const stream = client.open();
    const count = 4_000;
    const anchored = (async () => {
      const refs = new Set<number>();
      for await (const { receipts } of stream.responses) {
        for (const { ref, state } of receipts) if (state === 'anchored') refs.add(ref);
      }
      return refs.size;
    })();
    for (let ref = 0; ref < count; ref += 100) {
      const records = Array.from({ length: 100 }, (_, index) =>
        recordMessage({ eventId: `many-${String(ref + index)}` }, ref + index),
      );
      await stream.write({ records, flush: false });
    }
    stream.finish();
    expect(await anchored).toBe(count);
    expect((await metric(center, 'waymark_batches_anchored')) - before).toBeLessThanOrEqual(count / 100);
  });

  test('what was accepted while the channel could not be reached is anchored later, once', async () => {
    await center.stop();
    const stream = client.open();
    await stream.write({ records: [recordMessage({ eventId: 'waiting' }, 0)], flush: true });
    stream.finish();
    await until(async () => (await metric(outlet, 'waymark_batches_queued')) >= 1);
    await center.start();
    const states = [];
    for await (const { receipts } of stream.responses) states.push(...receipts.map(({ state }) => state));
    expect(states.at(-1)).toBe('anchored');
    expect(states.filter((state) => state === 'anchored')).toHaveLength(1);
  });

  test('after a restart of the outlet the same record gets the same receipt', async () => {
    const [before] = await client.submit([{ eventId: 'restart' }]);
    await outlet.stop();
    await outlet.start();
    await caughtUp(consortium, outlet);
    const again = submitClient(north, outlet.ports.grpc, person);
    const [after] = await again.submit([{ eventId: 'restart' }]);
    again.close();
    expect(after?.anchored).toEqual({ ...before?.anchored, repeated: true });
  });
});

describe('quality.md: bad input by gRPC', () => {
  const good = { eventId: 'good', payload: { fine: true } };
  test.each([
    ['no event id', { ...good, eventId: '' }],
    ['an event id of 2,000 bytes', { ...good, eventId: 'x'.repeat(2_000) }],
    ['a lone surrogate', { ...good, eventId: 'x\ud800y' }],
    ['U+0000 in an id', { ...good, eventId: 'a\u0000b' }],
    ['a time that is none', { ...good, collectionTime: 'yesterday' }],
    [
      '33 business ids',
      { ...good, businessIds: Array.from({ length: 33 }, (_, n) => ({ type: 'order', value: String(n) })) },
    ],
    ['a business id without type', { ...good, businessIds: [{ type: '', value: 'x' }] }],
    ['a consignment without name', { ...good, consignment: '' }],
  ])('%s is input-invalid for that record; the one beside it is anchored', async (name, record) => {
    const [bad, fine] = await client.submit([record, { eventId: `beside ${name}` }]);
    // Protocol buffers cannot carry a lone surrogate: it arrives as U+FFFD, which is a character like any other.
    const expected =
      name === 'a lone surrogate' ? undefined : (expect.stringMatching(/^(input-invalid|limit-exceeded)$/) as unknown);
    expect(bad?.failure?.code).toEqual(expected);
    expect(fine?.anchored?.state).toBe('anchored');
  });

  test.each([
    ['equal keys', '{"a":1,"a":2}'],
    ['__proto__ as a second key', '{"__proto__":1,"__proto__":2}'],
    ['1e400', '{"a":1e400}'],
    ['an integer over 2^53', '{"a":9007199254740993}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['U+0000', '{"a":"\\u0000"}'],
    ['text that is no JSON', '{"a":'],
    ['nothing', ''],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['nesting of 100 levels', `${'['.repeat(100)}${']'.repeat(100)}`],
    ['more than 1 MiB', JSON.stringify({ a: 'x'.repeat(1_100_000) })],
  ])('a payload with %s is refused for that record; the one beside it is anchored', async (name, payload) => {
    const stream = client.open();
    const bad = { ...recordMessage(good, 0), payloadJson: Buffer.from(payload) };
    await stream.write({ records: [bad, recordMessage({ eventId: `near ${name}` }, 1)], flush: true });
    stream.finish();
    const ends = new Map<number, string>();
    for await (const { receipts, failures } of stream.responses) {
      for (const { ref, state } of receipts) ends.set(ref, state);
      for (const { ref, failure } of failures) ends.set(ref, failure?.code ?? '');
    }
    expect(ends.get(0)).toMatch(/^(input-invalid|limit-exceeded)$/);
    expect(ends.get(1)).toBe('anchored');
  });

  test('a request with too many records ends that stream with limit-exceeded, and no other', async () => {
    const stream = client.open();
    const records = Array.from({ length: 10_001 }, (_, index) =>
      recordMessage({ eventId: `flood-${String(index)}` }, index),
    );
    await stream.write({ records, flush: false });
    await expect(drain(stream.responses)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(await codeOf({ eventId: 'after the flood' })).toBe('anchored');
  });

  test('a message of more than 16 MiB ends the call, and the next one is served', async () => {
    const stream = client.open();
    const huge = { ...recordMessage(good, 0), payloadJson: Buffer.alloc(17 * 1024 * 1024, 0x20) };
    await stream.write({ records: [huge], flush: false }).catch(() => undefined);
    await expect(drain(stream.responses)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(await codeOf({ eventId: 'after 17 MiB' })).toBe('anchored');
  });

  test('a client that breaks off, and one that never reads, hold nobody up', async () => {
    const broken = client.open();
    await broken.write({ records: [recordMessage({ eventId: 'broken off' }, 0)], flush: false });
    broken.cancel();
    const silent = second.open();
    for (let ref = 0; ref < 2; ref += 1) {
      await silent.write({ records: [recordMessage({ eventId: `silent-${String(ref)}` }, ref)], flush: true });
    }
    expect(await codeOf({ eventId: 'beside the silent' })).toBe('anchored');
    silent.cancel();
    expect(await codeOf({ eventId: 'broken off' })).toBe('anchored');
  });

  test('who is not registered may not submit', async () => {
    const outsider = submitClient(north, outlet.ports.grpc, stranger);
    await expect(outsider.submit([{ eventId: 'x' }])).rejects.toMatchObject({ code: 'role-not-permitted' });
    outsider.close();
    const other = submitClient(north, outlet.ports.grpc, foreigner);
    await expect(other.submit([{ eventId: 'x' }])).rejects.toMatchObject({ code: 'unavailable' });
    other.close();
  });
});

describe('quality.md: bad input by REST', () => {
  const services = (): [string, number][] => [
    ['center', center.ports.api],
    ['outlet', outlet.ports.api],
  ];
  const bodies: [string, string | Buffer, number][] = [
    ['text that is no JSON', '{"queries":', 400],
    ['equal keys', '{"queries":[],"queries":[]}', 400],
    ['an unknown field', '{"queries":[{"recordOid":"00","x":1}]}', 400],
    ['__proto__', '{"__proto__":{"queries":[]}}', 400],
    ['no query', '{"queries":[]}', 400],
    [
      '501 queries',
      JSON.stringify({ queries: Array.from({ length: 501 }, () => ({ type: 'order', value: 'x' })) }),
      400,
    ],
    ['an oid of another form', '{"queries":[{"recordOid":"zz"}]}', 400],
    ['a list instead of an object', '[]', 400],
    ['more than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 0x20), 413],
  ];

  test.each(bodies)('%s is refused as problem details', async (_name, body, status) => {
    for (const [, port] of services()) {
      const answer = await restClient(north, port, reader)('POST', '/v1/lookups', undefined, {
        raw: Buffer.from(body),
        headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
      });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.body?.['code']).toMatch(/^(input-invalid|limit-exceeded)$/);
    }
  });

  test('another content type, a compressed body, an unknown address and an unknown method are refused by name', async () => {
    for (const [, port] of services()) {
      const rest = restClient(north, port, reader);
      const raw = Buffer.from('{}');
      const text = await rest('POST', '/v1/lookups', undefined, {
        raw,
        headers: { 'content-type': 'text/plain', 'content-length': '2' },
      });
      const packed = await rest('POST', '/v1/lookups', undefined, {
        raw,
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': '2' },
      });
      expect([text.status, packed.status]).toEqual([415, 415]);
      expect((await rest('GET', '/v1/nothing')).status).toBe(404);
      expect((await rest('PUT', '/v1/lookups', { queries: [] })).status).toBe(405);
    }
  });

  test.each([
    'x',
    'bafkqaaa',
    'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR',
    '..%2f..%2fetc',
    `b${'a'.repeat(300)}`,
  ])('the address %p gives no block', async (cid) => {
    for (const [, port] of services()) {
      const { status, body } = await restClient(north, port, reader)('GET', `/ipfs/${cid}?format=raw`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(body?.['code']).toBeDefined();
    }
  });

  test('evidence that is not there is refused; that of another firm is served as the replica has it', async () => {
    const rest = restClient(north, center.ports.api, reader);
    expect((await rest('GET', '/v1/evidence/NorthMSP/depot/1')).body).toMatchObject({ seq: 1, outlet: 'depot' });
    expect((await rest('GET', '/v1/evidence/NorthMSP/depot/999999')).body).toMatchObject({ code: 'refused' });
    for (const seq of ['0', '-1', 'x', '1e3']) {
      const { status, body } = await rest('GET', `/v1/evidence/NorthMSP/depot/${seq}`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(body?.['code']).toMatch(/^(input-invalid|refused)$/);
    }
  });

  test('a member of another firm gets blocks and evidence, and nothing of the index or of how the firm is doing', async () => {
    const rest = restClient(north, center.ports.api, foreigner);
    expect((await rest('GET', '/v1/evidence/NorthMSP/depot/1')).status).toBe(200);
    expect((await rest('GET', '/v1/status')).status).toBe(403);
    for (const [path, body] of [
      ['/v1/lookups', { queries: [{ type: 'event', value: 'first' }] }],
      ['/v1/keys', { encryptionKey: { kty: 'EC' }, consignments: [{ consignmentOid: '0'.repeat(32), epoch: 0 }] }],
      ['/v1/fast-queries', { encryptionKey: { kty: 'EC' }, query: { type: 'event', value: 'first' } }],
    ] as const) {
      expect((await rest('POST', path, body)).body).toMatchObject({ code: 'refused' });
    }
  });

  test('a client may look up, and gets no keys', async () => {
    const rest = restClient(north, outlet.ports.api, person);
    expect((await rest('POST', '/v1/lookups', { queries: [{ type: 'event', value: 'first' }] })).status).toBe(200);
    const keys = { encryptionKey: { kty: 'EC' }, consignments: [{ consignmentOid: '0'.repeat(32), epoch: 0 }] };
    expect((await rest('POST', '/v1/keys', keys)).body).toMatchObject({ code: 'role-not-permitted' });
  });

  test('a bad encryption key is key-invalid', async () => {
    const rest = restClient(north, outlet.ports.api, reader);
    const zero = { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') };
    for (const encryptionKey of [{ kty: 'oct', k: 'AAAA' }, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, zero]) {
      const answer = await rest('POST', '/v1/fast-queries', {
        encryptionKey,
        query: { type: 'event', value: 'first' },
      });
      expect(answer.body).toMatchObject({ code: 'key-invalid' });
    }
  });
});

describe('policy: silent and slow connections', () => {
  test('connections that never speak, and one without a certificate, hold nobody up', async () => {
    const silent = Array.from({ length: 50 }, () =>
      connect(outlet.ports.api, '127.0.0.1').on('error', () => undefined),
    );
    const anonymous: TLSSocket = connectTls({ host: '127.0.0.1', port: outlet.ports.api, rejectUnauthorized: false });
    const ended = new Promise<void>((resolve) => {
      anonymous.on('error', () => resolve());
      anonymous.on('close', () => resolve());
    });
    anonymous.on('secureConnect', () => anonymous.write('GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n'));
    await ended;
    const rest = restClient(north, outlet.ports.api, reader);
    expect((await rest('GET', '/v1/status')).status).toBe(200);
    for (const socket of silent) socket.destroy();
    expect(await codeOf({ eventId: 'beside the silent connections' })).toBe('anchored');
  });

  test('more streams than one client may have are limit-exceeded; another client is served', async () => {
    const streams = Array.from({ length: 65 }, () => client.open());
    const ends = await Promise.race(
      streams.map(async (stream) => {
        await drain(stream.responses).catch((error: unknown) => Promise.reject(error as Error));
      }),
    ).catch((error: unknown) => error);
    expect(ends).toMatchObject({ code: 'limit-exceeded' });
    const [outcome] = await second.submit([{ eventId: 'beside the many streams' }]);
    expect(outcome?.anchored?.state).toBe('anchored');
    for (const stream of streams) stream.cancel();
  });
});

async function drain(responses: AsyncIterable<unknown>): Promise<void> {
  const reader = responses[Symbol.asyncIterator]();
  while ((await reader.next()).done !== true);
}
