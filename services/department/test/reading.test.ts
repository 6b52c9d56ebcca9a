import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseCid } from '@waymark/protocol';
import { fastKeyPlace, openFastRecord } from '@waymark/reading';
import {
  caughtUp,
  restClient,
  startTestConsortium,
  submitClient,
  until,
  type TestConsortium,
  type TestFirm,
  type TestIdentity,
} from '@waymark/testing/consortium';
import {
  certificateVerifier,
  generateEncryptionKeyPair,
  generateSigningKeyPair,
  openExternalAnswer,
  parseEncryptionPublicKey,
  signExternalQuery,
  unwrapConsignmentKey,
} from '@waymark/vault';
import { bodyOf, testReader, type LookupQuery, type TestReader } from './harness/test-reader.ts';

type Center = Awaited<ReturnType<TestFirm['center']>>;
type Outlet = Awaited<ReturnType<TestFirm['outlet']>>;

const canary = `canary-${randomBytes(12).toString('hex')}`;
let consortium: TestConsortium;
let north: TestFirm;
let center: Center;
let outlet: Outlet;
let readerIdentity: TestIdentity;
let clientIdentity: TestIdentity;

beforeAll(async () => {
  consortium = await startTestConsortium();
  [north] = consortium.firms;
  readerIdentity = await north.enrol('reader-1', 'reader');
  clientIdentity = await north.enrol('client-1', 'client');
  center = await north.center('center', { centerIsRecipient: false });
  await center.start();
  outlet = await north.outlet('depot', center);
  await outlet.start();
  await caughtUp(consortium, center, outlet);
  const client = submitClient(north, outlet.ports.grpc, clientIdentity);
  const records = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    eventId: `event-${name}`,
    consignment: `consignment-${name}`,
    businessIds: [{ type: 'order', value: `order-${name}` }],
    payload: { name, canary },
  }));
  const outcomes = await client.submit(records);
  client.close();
  expect(outcomes.map(({ anchored }) => anchored?.state)).toEqual(records.map(() => 'anchored'));
}, 60_000);

afterAll(async () => {
  await outlet.stop();
  await center.stop();
  await consortium.stop();
});

/** A fresh reader: nothing proven before helps it. */
async function asReader<T>(work: (reader: TestReader) => Promise<T>): Promise<T> {
  const contentPort = center.ports.api;
  const ports = { indexPort: outlet.ports.api, keysPort: outlet.ports.api, contentPort };
  const reader = testReader(north, consortium.channel, readerIdentity, ports);
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

const viaCenter = { indexPort: () => center.ports.api };
const order = (name: string): LookupQuery => ({ type: 'order', value: `order-${name}` });

describe('S7: trusted query', () => {
  test.each([
    ['event id', { type: 'event', value: 'event-a' }],
    ['business id', { type: 'order', value: 'order-a' }],
    ['consignment', { type: 'consignment', value: 'consignment-a' }],
  ])('a record comes back by its %s, proven against the channel', async (_name, query) => {
    const record = await asReader((reader) => reader.trusted(query));
    expect(record).toMatchObject({
      trust: 'anchored',
      content: { eventId: 'event-a', payload: { name: 'a', canary } },
    });
  });

  test('a record comes back by its oid, from the index of the center as well as from that of the outlet', async () => {
    const recordOid = await asReader(async (reader) => (await reader.trusted(order('a'))).recordOid);
    for (const indexPort of [outlet.ports.api, viaCenter.indexPort()]) {
      const reader = testReader(north, consortium.channel, readerIdentity, {
        indexPort,
        keysPort: outlet.ports.api,
        contentPort: center.ports.api,
      });
      const record = await reader.trusted({ recordOid });
      await reader.close();
      expect(record.content.eventId).toBe('event-a');
    }
  });

  test('a hint that points at another record, or at another address, is data-abnormal', async () => {
    await asReader(async (reader) => {
      const [a] = await reader.lookUp(order('a'));
      const [b] = await reader.lookUp(order('b'));
      if (a === undefined || b === undefined) throw new Error('two hints expected');
      const wrong = [
        { ...a, leafIndex: b.leafIndex },
        { ...a, leafIndex: 4_000 },
        { ...a, cid: b.cid },
        { ...b, recordOid: a.recordOid },
      ];
      for (const hint of wrong)
        await expect(reader.reader.read(hint, order('a'))).rejects.toMatchObject({ code: 'data-abnormal' });
      await expect(reader.reader.read(b, order('a'))).rejects.toMatchObject({ code: 'data-abnormal' });
      const missing = { ...a, evidenceId: 'NorthMSP/depot/999' };
      await expect(reader.reader.read(missing, order('a'))).rejects.toMatchObject({ code: 'unavailable' });
    });
  });

  test('another block under the id of a record is data-abnormal, even from a content store that does not check', async () => {
    await asReader(async (honest) => {
      const [a] = await honest.lookUp(order('a'));
      const [b] = await honest.lookUp(order('b'));
      if (a === undefined || b === undefined) throw new Error('two hints expected');
      const get = async (cid: unknown): Promise<Uint8Array> => {
        const wanted = String(cid) === a.cid ? b.cid : String(cid);
        const { bytes } = await honest.rest('GET', `/ipfs/${wanted}?format=raw`);
        return bytes;
      };
      const ports = { indexPort: outlet.ports.api, keysPort: outlet.ports.api, contentPort: center.ports.api };
      const fooled = testReader(
        north,
        consortium.channel,
        readerIdentity,
        { ...ports, indexPort: center.ports.api },
        { content: { get } },
      );
      await expect(fooled.trusted(order('a'))).rejects.toMatchObject({ code: 'data-abnormal' });
      await fooled.close();
    });
  });

  test('an address swapped on the replica is data-abnormal by trusted query, and never data by fast query', async () => {
    const file = join(outlet.config.dataFolder, 'replica.db');
    await asReader(async (reader) => {
      const [b] = await reader.lookUp(order('b'));
      const [c] = await reader.lookUp(order('c'));
      if (b === undefined || c === undefined) throw new Error('two hints expected');
      alter(file, 'UPDATE leaf SET cid = ? WHERE record_oid = ?', parseCid(c.cid).bytes, b.recordOid);
      await expect(reader.trusted(order('b'))).rejects.toMatchObject({ code: 'data-abnormal' });
      await expect(fast(reader, order('b'))).rejects.toMatchObject({ code: 'data-abnormal' });
      alter(file, 'UPDATE leaf SET cid = ? WHERE record_oid = ?', parseCid(b.cid).bytes, b.recordOid);
      expect((await reader.trusted(order('b'))).content.eventId).toBe('event-b');
    });
  });

  test('a byte flipped in a stored envelope is data-abnormal for that record; the others are served', async () => {
    const cid = await asReader(async (reader) => (await reader.lookUp(order('d')))[0]?.cid ?? '');
    const flipBack = flipByte(join(center.config.dataFolder, 'content', 'segments'), parseCid(cid).bytes);
    await asReader(async (reader) => {
      await expect(reader.trusted(order('d'))).rejects.toMatchObject({ code: 'data-abnormal' });
      await expect(fast(reader, order('d'))).rejects.toMatchObject({ code: 'data-abnormal' });
      expect((await reader.trusted(order('a'))).content.eventId).toBe('event-a');
    });
    flipBack();
    await asReader(async (reader) => expect((await reader.trusted(order('d'))).content.eventId).toBe('event-d'));
  });

  test('an index that was emptied answers unavailable, and the outlet reads its own again', async () => {
    const file = join(outlet.config.dataFolder, 'replica.db');
    alter(file, 'DELETE FROM leaf');
    alter(file, 'DELETE FROM evidence');
    alter(file, 'DELETE FROM pending_leaves');
    await asReader(async (reader) => {
      await expect(reader.lookUp(order('a'))).rejects.toMatchObject({ code: 'unavailable' });
    });
    await caughtUp(consortium, outlet);
    await asReader(async (reader) => {
      await eventually(async () => (await reader.lookUp(order('a'))).length === 1);
      expect((await reader.trusted(order('a'))).content.eventId).toBe('event-a');
    });
  });

  test("an emptied journal makes the center's index unavailable", async () => {
    const file = join(center.config.dataFolder, 'journal.db');
    alter(file, 'CREATE TABLE kept AS SELECT * FROM token');
    alter(file, 'DELETE FROM token');
    const rest = restClient(north, center.ports.api, readerIdentity);
    const answer = await rest('POST', '/v1/lookups', { queries: [order('a')] });
    alter(file, 'INSERT INTO token SELECT * FROM kept');
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await rest('POST', '/v1/lookups', { queries: [order('a')] })).status).toBe(200);
  });
});

/** A fast query, opened by the key that came with it. */
async function fast(reader: TestReader, query: LookupQuery) {
  const body = bodyOf(
    await reader.rest('POST', '/v1/fast-queries', { encryptionKey: reader.encryptionKey.publicKey.jwk, query }),
  );
  const { trust, ownerKid, records } = body as {
    trust: string;
    ownerKid: string;
    records: { recordOid: string; evidenceId: string; leafIndex: number; cid: string; envelope: string; jwe: string }[];
  };
  const [record] = records;
  if (record === undefined) return { trust, record: undefined };
  const hint = { ...record, recordOid: Buffer.from(record.recordOid, 'hex') };
  const envelope = Buffer.from(record.envelope, 'base64');
  const { msp, consignmentOid, epoch } = fastKeyPlace(consortium.channel, hint, envelope);
  const key = await unwrapConsignmentKey(record.jwe, {
    context: { channel: consortium.channel, msp, consignmentOid, epoch },
    ownerKid,
    reader: reader.encryptionKey,
  });
  return { trust, record: openFastRecord(consortium.channel, hint, envelope, key, query) };
}

describe('S8: fast query', () => {
  test('a record comes in one answer, and says that it is unverified', async () => {
    const answer = await asReader((reader) => fast(reader, order('c')));
    expect(answer).toMatchObject({
      trust: 'unverified',
      record: { trust: 'unverified', content: { eventId: 'event-c' } },
    });
  });

  test('an id that nobody has used gives no records', async () => {
    expect(await asReader((reader) => fast(reader, order('z')))).toEqual({ trust: 'unverified', record: undefined });
  });
});

describe('S9: external query', () => {
  const signer = generateSigningKeyPair();
  const asker = generateEncryptionKeyPair('P-256');
  const own = () => ({
    certificatePem: readFileSync(outlet.config.identity.certificateFile, 'utf8'),
    privateKeyPem: readFileSync(outlet.config.identity.privateKeyFile, 'utf8'),
  });

  async function ask(name: string, parts: { nonce?: string; issuedAtMs?: number; signer?: typeof signer } = {}) {
    const nonce = parts.nonce ?? randomBytes(16).toString('base64url');
    const request = await signExternalQuery(
      {
        businessId: { type: 'order', value: `order-${name}` },
        channel: consortium.channel,
        msp: north.mspId,
        nonce,
        issuedAtMs: parts.issuedAtMs ?? Date.now(),
        encryptionKey: parseEncryptionPublicKey(asker.publicKey.jwk),
      },
      parts.signer ?? signer,
    );
    const rest = restClient(north, center.ports.api, clientIdentity);
    return { nonce, answer: await rest('POST', '/v1/external-queries', { request }) };
  }

  beforeAll(async () => {
    const rest = restClient(north, outlet.ports.api, own());
    const answer = await rest('PUT', '/v1/allow-list', {
      consignment: 'consignment-e',
      askerKids: [signer.publicKey.kid],
    });
    expect(answer).toMatchObject({ status: 200, body: { seq: 1, askerKids: [signer.publicKey.kid] } });
    expect((await rest('GET', '/v1/allow-list')).body).toMatchObject({ lists: [{ seq: 1 }] });
  });

  test('who is on the allow-list gets the record, sealed by the outlet for the asker alone', async () => {
    const { nonce, answer } = await ask('e');
    expect(answer.status).toBe(200);
    const { outlet: name, answer: jwe } = answer.body as { outlet: string; answer: string };
    const verifier = certificateVerifier({ rootsPem: [readFileSync(north.rootFile, 'utf8')] });
    const opened = await openExternalAnswer(jwe, asker, { outlet: name, nonce, nowMs: Date.now(), verifier });
    expect(opened).toMatchObject({ content: { eventId: 'event-e', payload: { canary } }, nonce });
    await expect(
      openExternalAnswer(jwe, generateEncryptionKeyPair('P-256'), { outlet: name, nonce, nowMs: Date.now() }),
    ).rejects.toMatchObject({ name: 'WaymarkError' });
  });

  test('not on the list and not there give the same answer', async () => {
    const answers = [(await ask('a')).answer, (await ask('nothing')).answer];
    for (const { status, body } of answers)
      expect({ status, code: body?.['code'], detail: body?.['detail'] }).toEqual({
        status: 403,
        code: 'refused',
        detail: answers[0]?.body?.['detail'],
      });
  });

  test('who is on no list does not even learn that a record is there and damaged', async () => {
    const cid = await asReader(async (reader) => (await reader.lookUp(order('a')))[0]?.cid ?? '');
    const flipBack = flipByte(join(center.config.dataFolder, 'content', 'segments'), parseCid(cid).bytes);
    try {
      const stranger = generateSigningKeyPair();
      const there = (await ask('a', { signer: stranger })).answer;
      const notThere = (await ask('nothing', { signer: stranger })).answer;
      expect([there.status, there.body?.['code'], there.body?.['detail']]).toEqual([
        notThere.status,
        'refused',
        notThere.body?.['detail'],
      ]);
    } finally {
      flipBack();
    }
  });

  test('a query is answered once, and only while it is fresh', async () => {
    const { nonce } = await ask('e');
    expect((await ask('e', { nonce })).answer.body).toMatchObject({ code: 'replay-conflict' });
    const { answer } = await ask('e', { issuedAtMs: Date.now() - 6 * 60_000 });
    expect(answer.body).toMatchObject({ code: 'message-stale' });
  });

  test('only the outlet itself decides who may ask, and only a client passes a query on', async () => {
    const rest = restClient(north, outlet.ports.api, readerIdentity);
    expect((await rest('GET', '/v1/allow-list')).body).toMatchObject({ code: 'role-not-permitted' });
    const asReaderOfCenter = restClient(north, center.ports.api, readerIdentity);
    expect((await asReaderOfCenter('POST', '/v1/external-queries', { request: 'x' })).body).toMatchObject({
      code: 'role-not-permitted',
    });
  });

  test('a center that is not a recipient holds neither keys nor plaintext', async () => {
    const consignmentOid = randomBytes(16).toString('hex');
    const rest = restClient(north, center.ports.api, readerIdentity);
    const encryptionKey = asker.publicKey.jwk;
    expect(
      (await rest('POST', '/v1/keys', { encryptionKey, consignments: [{ consignmentOid, epoch: 0 }] })).body,
    ).toMatchObject({ code: 'key-unknown' });
    expect((await rest('POST', '/v1/fast-queries', { encryptionKey, query: order('a') })).body).toMatchObject({
      code: 'key-unknown',
    });
    const journal = new DatabaseSync(join(center.config.dataFolder, 'journal.db'), { readOnly: true });
    expect(journal.prepare('SELECT count(*) AS n FROM consignment_key').get()).toEqual({ n: 0 });
    journal.close();
    const plain = filesBelow(center.config.dataFolder).filter((file) => readFileSync(file).includes(canary));
    expect(plain).toEqual([]);
    expect(center.log.filter((line) => line.includes(canary))).toEqual([]);
    expect(outlet.log.filter((line) => line.includes(canary))).toEqual([]);
  });

  test('an outlet that is away makes its records unavailable to others', async () => {
    await outlet.stop();
    expect((await ask('e')).answer.body).toMatchObject({ code: 'unavailable' });
    await outlet.start();
    await eventually(async () => (await ask('e')).answer.status === 200);
  });
});

describe('S7: blocks that are gone', () => {
  test('a missing block is unavailable', async () => {
    await center.stop();
    const folder = join(center.config.dataFolder, 'content');
    renameSync(folder, `${folder}.away`);
    await center.start();
    await caughtUp(consortium, center);
    await asReader(async (reader) => {
      await expect(reader.trusted(order('a'))).rejects.toMatchObject({ code: 'unavailable' });
      await expect(fast(reader, order('a'))).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
});

function alter(file: string, sql: string, ...values: Uint8Array[]): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA busy_timeout = 5000');
  database.prepare(sql).run(...values);
  database.close();
}

/** Flips a bit in the middle of a block as it lies in a CAR segment; returns how to undo it. */
function flipByte(folder: string, cid: Uint8Array): () => void {
  for (const file of filesBelow(folder)) {
    const bytes = readFileSync(file);
    const at = bytes.indexOf(cid);
    if (at === -1) continue;
    const place = at + cid.length + 200;
    const flip = (): void => {
      const now = readFileSync(file);
      now[place] = (now[place] ?? 0) ^ 1;
      writeFileSync(file, now);
    };
    flip();
    return flip;
  }
  throw new Error('the block is in no segment');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  await until(() => condition().catch(() => false));
}
