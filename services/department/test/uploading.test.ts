import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toHex, WaymarkError } from '@waymark/protocol';
import { createOrganisationCa } from '@waymark/testing/consortium';
import { consignmentKeys, signingIdentityFromPem, type SigningIdentity } from '@waymark/vault';
import { openOutbox, type Outbox } from '../src/outbox/outbox.ts';
import { createUploader, type Uploader } from '../src/upload/uploader.ts';
import { fakeCenter, type FakeCenter } from './harness/fake-center.ts';
import { hashOf, newBatch } from './harness/queued-batch.ts';

let identity: SigningIdentity;
let centerIdentity: SigningIdentity;
let folder: string;
let outbox: Outbox;
let center: FakeCenter;
let uploader: Uploader;
let nowMs: number;
let retries: unknown[];
let onChannel: Map<number, string>;

beforeAll(async () => {
  const ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  identity = signingIdentityFromPem(await ca.issue({ enrolmentId: 'depot', role: 'client' }));
  centerIdentity = signingIdentityFromPem(await ca.issue({ enrolmentId: 'center', role: 'client' }));
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  outbox = openOutbox(join(folder, 'outbox.db'));
  nowMs = Date.UTC(2026, 2, 1);
  center = fakeCenter(centerIdentity, () => nowMs);
  retries = [];
  onChannel = new Map();
  uploader = build();
});

afterEach(async () => {
  await uploader.stop();
  outbox.close();
  rmSync(folder, { recursive: true });
});

function build(): Uploader {
  return createUploader({
    channel: 'waymark',
    identity,
    outbox,
    keys: consignmentKeys({
      channel: 'waymark',
      msp: 'NorthMSP',
      wrap: { wrapLocal: (key) => key, unwrapLocal: (key) => key },
      table: outbox.keyTable,
    }),
    centers: center,
    checkCenter: (der) => {
      if (!Buffer.from(der).equals(centerIdentity.certificateDer))
        throw new WaymarkError('role-not-permitted', 'not a center');
    },
    nowMs: () => nowMs,
    maxStampAgeMs: 120_000,
    transactionOf: ({ seq }) => onChannel.get(seq),
    onChanged: () => undefined,
    onRetry: (error) => void retries.push(error),
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in time: ${JSON.stringify(outbox.counts())} ${String(retries.at(-1))}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const oidOf = (name: string): string => toHex(hashOf(`oid ${name}`));
/** Names of the records that the center holds, in order. */
const heldNames = (names: readonly string[]): (string | undefined)[] =>
  center.held.flatMap(({ oids }) => oids.map((oid) => names.find((name) => oidOf(name) === oid)));
const queue = (...names: string[]): number[] => names.map((name) => outbox.queue(newBatch(name)));
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];

describe('S3: the uploader', () => {
  test('batches go in order, each once, and are accepted with their receipts', async () => {
    queue(...letters);
    uploader.start();
    await until(() => outbox.counts().accepted === letters.length);
    expect(heldNames(letters)).toEqual(letters);
    expect(center.arrived.map(({ seq }) => seq)).toEqual(letters.map((_, index) => index + 1));
    expect(center.sessions).toBe(1);
  });

  test('a receipt that was lost with the connection comes again: the same statement is sent, nothing twice', async () => {
    let breaks = 3;
    center.afterTaking = () => {
      if (breaks-- > 0) throw new Error('the connection breaks here');
    };
    queue('a', 'b', 'c', 'd');
    uploader.start();
    await until(() => outbox.counts().accepted === 4);
    expect(heldNames(letters)).toEqual(['a', 'b', 'c', 'd']);
    for (const { seq, batchHash } of center.held) {
      const sent = center.arrived.filter((arrived) => arrived.seq === seq).map((arrived) => arrived.batchHash);
      expect(new Set(sent)).toEqual(new Set([toHex(batchHash)]));
    }
  });

  test('a crash of the outlet after the center accepted: the reopened outbox sends the same statement', async () => {
    queue('a', 'b');
    center.afterTaking = () => {
      throw new Error('and the outlet is gone');
    };
    const first = build();
    first.start();
    await until(() => center.held.length === 1);
    await first.stop();
    outbox.close();
    center.afterTaking = () => undefined;
    outbox = openOutbox(join(folder, 'outbox.db'));
    uploader = build();
    uploader.start();
    await until(() => outbox.counts().accepted === 2);
    expect(heldNames(letters)).toEqual(['a', 'b']);
    expect(center.arrived[1]?.batchHash).toBe(center.arrived[0]?.batchHash);
  });

  test('a refused batch leaves the sequence; those behind it take its number, and its record can be sent again', async () => {
    const bad = oidOf('b');
    center.before = ({ oids }) => {
      if (oids.includes(bad)) throw new WaymarkError('input-invalid', 'no');
    };
    const [, id] = queue('a', 'b', 'c', 'd');
    uploader.start();
    await until(() => outbox.counts().accepted === 3);
    expect(heldNames(letters)).toEqual(['a', 'c', 'd']);
    expect(outbox.state(id ?? 0)).toMatchObject({ state: 'refused', code: 'input-invalid' });
    expect(outbox.record(hashOf('oid b'))).toBeUndefined();
    expect(outbox.findByToken(hashOf('token b'), 10)).toEqual([]);
    center.before = () => undefined;
    queue('b');
    uploader.wake();
    await until(() => outbox.counts().accepted === 4);
    expect(heldNames(letters)).toEqual(['a', 'c', 'd', 'b']);
  });

  test.each([
    ['that passes', 'unavailable'],
    ['of the certificate, which renewal mends,', 'certificate-revoked'],
    ['of the certificate, which renewal mends,', 'certificate-expired'],
    ['of the certificate, which renewal mends,', 'certificate-untrusted'],
  ] as const)('a fault %s refuses nothing (%s): what was taken before it keeps its number', async (_kind, code) => {
    let faults = 3;
    center.before = ({ seq }) => {
      if (seq === 2 && faults-- > 0) throw new WaymarkError(code, 'not now');
    };
    queue('a', 'b', 'c');
    uploader.start();
    await until(() => outbox.counts().accepted === 3);
    expect(heldNames(letters)).toEqual(['a', 'b', 'c']);
    expect(outbox.counts().refused).toBe(0);
    expect(retries).toHaveLength(3);
  });

  test('a statement that has grown old is signed anew; a young one is not', async () => {
    let away = true;
    center.before = () => {
      if (away) throw new WaymarkError('unavailable', 'away');
    };
    queue('a');
    uploader.start();
    await until(() => center.arrived.length >= 2);
    expect(new Set(center.arrived.map(({ batchHash }) => batchHash)).size).toBe(1);
    nowMs += 121_000;
    away = false;
    await until(() => outbox.counts().accepted === 1);
    expect(center.arrived.at(-1)?.sentAtMs).toBe(nowMs);
  });

  test('an outbox that was lost goes on behind what the center has', async () => {
    queue('a', 'b');
    uploader.start();
    await until(() => outbox.counts().accepted === 2);
    await uploader.stop();
    outbox.close();
    rmSync(join(folder, 'outbox.db'));
    outbox = openOutbox(join(folder, 'fresh.db'));
    uploader = build();
    queue('c', 'd');
    uploader.start();
    await until(() => outbox.counts().accepted === 2);
    expect(center.held.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(heldNames(letters)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('what the center has to give back (the channel refused a batch before it) is sent again, in order', async () => {
    queue('a', 'b', 'c');
    uploader.start();
    await until(() => outbox.counts().accepted === 3);
    await uploader.stop();
    center.held = center.held.slice(0, 1);
    uploader = build();
    queue('d');
    uploader.start();
    await until(() => outbox.counts().accepted === 4);
    expect(heldNames(letters)).toEqual(['a', 'b', 'c', 'd']);
    expect(center.held.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test('a center that lost what the channel has is not followed', async () => {
    const ids = queue('a', 'b');
    uploader.start();
    await until(() => outbox.counts().accepted === 2);
    await uploader.stop();
    for (const id of ids) outbox.markAnchored(id, Buffer.from('r'), 'tx');
    center.held = [];
    expect(() => outbox.follow({ seq: 0, batchHash: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: 'replay-conflict' }) as Error,
    );
    expect(outbox.counts()).toMatchObject({ anchored: 2 });
  });

  test('a batch that the center calls anchored is kept until the channel shows it', async () => {
    center.anchors = true;
    queue('a');
    uploader.start();
    await until(() => outbox.counts().accepted === 1);
    await uploader.stop();
    expect(outbox.counts()).toMatchObject({ accepted: 1, anchored: 0 });
    onChannel.set(2, 'tx-2');
    uploader = build();
    queue('b');
    uploader.start();
    await until(() => outbox.counts().anchored === 1);
    expect(outbox.state(2)).toMatchObject({ state: 'anchored', txId: 'tx-2' });
  });

  test('a receipt for another batch, or by somebody else, is not believed', async () => {
    queue('a');
    center.forge = (receipt) => {
      const copy = Uint8Array.from(receipt);
      copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
      return copy;
    };
    uploader.start();
    await until(() => retries.length >= 2);
    expect(outbox.counts()).toMatchObject({ queued: 1, accepted: 0 });
    expect(retries[0]).toMatchObject({ code: 'signature-invalid' });
    center.forge = (receipt) => receipt;
    await until(() => outbox.counts().accepted === 1);
    expect(center.held).toHaveLength(1);
  });
});

describe('the outbox', () => {
  test('everything is there after it is opened again', () => {
    const [a] = queue('a', 'b');
    outbox.close();
    outbox = openOutbox(join(folder, 'outbox.db'));
    expect(outbox.queuedAfter(0, 10).map(({ seq, id }) => [seq, id === a])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(outbox.queuedAfter(0, 1)[0]?.body).toEqual(newBatchBody(outbox));
    expect(outbox.record(hashOf('oid b'))).toMatchObject({ leaf: 0 });
    expect(outbox.queuedCount()).toBe(2);
  });

  test('a record is queued once: a second batch with it fails whole', () => {
    queue('a');
    expect(() => queue('a')).toThrow();
    expect(outbox.queuedCount()).toBe(1);
    queue('b');
    expect(outbox.queuedAfter(0, 10).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('a body lies on the disk until the channel has it, and no longer', () => {
    const [id] = queue('a');
    outbox.stamp(id ?? 0, { statement: hashOf('s'), signature: hashOf('g'), batchHash: hashOf('h') });
    outbox.markAccepted(id ?? 0, Buffer.from('r'));
    expect(outbox.acceptedBySeq(1)).toMatchObject({ id });
    outbox.follow({ seq: 0, batchHash: new Uint8Array(32) });
    expect(outbox.state(id ?? 0)).toEqual({ state: 'queued', seq: 1 });
    expect(outbox.queuedAfter(0, 1)[0]?.body.records).toHaveLength(1);
  });

  test('records are found by token in the order they were queued; emptied tokens are unavailable', () => {
    const shared = hashOf('shared');
    for (const name of ['x', 'y']) {
      const batch = newBatch(name);
      const records = batch.body.records.map((record) => ({ ...record, tokens: [shared, ...record.tokens] }));
      outbox.queue({ ...batch, body: { ...batch.body, records } });
    }
    expect(outbox.findByToken(shared, 10)).toEqual([hashOf('oid x'), hashOf('oid y')]);
    expect(outbox.findByToken(shared, 1)).toEqual([hashOf('oid x')]);
    expect(outbox.findByToken(hashOf('other'), 10)).toEqual([]);
    const other = new DatabaseSync(join(folder, 'outbox.db'));
    other.exec('DELETE FROM token');
    other.close();
    expect(() => outbox.findByToken(shared, 10)).toThrow('emptied');
  });

  test('marks count once, and the first final one stays', () => {
    const [id = 0] = queue('a');
    outbox.stamp(id, { statement: hashOf('s'), signature: hashOf('g'), batchHash: hashOf('h') });
    for (let times = 0; times < 2; times += 1) outbox.markAccepted(id, Buffer.from('r'));
    for (let times = 0; times < 2; times += 1) outbox.markAnchored(id, Buffer.from('r'), 'tx');
    outbox.markRefused(id, { code: 'conflict', message: 'too late' });
    expect(outbox.state(id)).toMatchObject({ state: 'anchored', txId: 'tx' });
    expect(outbox.counts()).toEqual({ queued: 0, accepted: 0, confirmed: 0, anchored: 1, refused: 0 });
    expect(outbox.position()).toMatchObject({ seq: 1 });
  });
});

function newBatchBody(box: Outbox): unknown {
  const [first] = box.queuedAfter(0, 1);
  expect(first?.body.records[0]?.recordOid).toEqual(hashOf('oid a'));
  return first?.body;
}
