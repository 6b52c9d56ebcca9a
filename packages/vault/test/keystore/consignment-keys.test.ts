import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { secretKey } from '../../src/derivation/hkdf.ts';
import {
  consignmentKeys,
  newConsignmentOid,
  type ConsignmentKeys,
  type WrappedKeyTable,
} from '../../src/keystore/consignment-keys.ts';
import { localWrap } from '../../src/keystore/local-wrap.ts';
import { codeOf, codeOfAsync, spellings } from '../support/outcome.ts';

const root = secretKey(randomBytes(32));

function memoryTable(): WrappedKeyTable & { readonly rows: Map<string, Uint8Array> } {
  const rows = new Map<string, Uint8Array>();
  const name = (oid: Uint8Array, epoch: number): string => `${Buffer.from(oid).toString('hex')}/${epoch}`;
  return {
    rows,
    get: (oid, epoch) => Promise.resolve(rows.get(name(oid, epoch)) ?? null),
    putIfAbsent(oid, epoch, wrapped) {
      const there = rows.get(name(oid, epoch));
      if (there === undefined) rows.set(name(oid, epoch), wrapped);
      return Promise.resolve(there ?? wrapped);
    },
  };
}
const keysOver = (table: WrappedKeyTable, maxCached = 10_000): ConsignmentKeys =>
  consignmentKeys({ channel: 'shipments', msp: 'Org1MSP', wrap: localWrap(root), table, maxCached });
const input = {
  outlet: 'outlet-17',
  recordOid: randomBytes(32),
  schema: 'json',
  collectedMs: 1,
  content: Buffer.from('{}'),
};

test('the key of a consignment and epoch is made once, also by two at once and after a restart', async () => {
  const table = memoryTable();
  const keys = keysOver(table);
  const oid = newConsignmentOid();
  const [a, b] = await Promise.all([keys.create(oid, 0), keys.create(oid, 0)]);
  const { bytes } = a.seal(input);
  expect(codeOf(() => b.open(bytes))).toBe('done');
  const later = await keysOver(table).cipher(oid, 0);
  expect(codeOf(() => later.open(bytes))).toBe('done');
  expect(table.rows.size).toBe(1);
});

test('epochs have independent keys', async () => {
  const keys = keysOver(memoryTable());
  const oid = newConsignmentOid();
  await keys.create(oid, 0);
  await keys.create(oid, 1);
  expect(Buffer.from(await keys.reveal(oid, 0)).equals(await keys.reveal(oid, 1))).toBe(false);
});

test('a key that is not held is unknown', async () => {
  const keys = keysOver(memoryTable());
  expect(await codeOfAsync(() => keys.cipher(newConsignmentOid(), 0))).toBe('key-unknown');
  expect(await codeOfAsync(() => keys.reveal(newConsignmentOid(), 0))).toBe('key-unknown');
});

test('a handed key is kept; another one for the same place is a conflict', async () => {
  const outlet = keysOver(memoryTable());
  const center = keysOver(memoryTable());
  const oid = newConsignmentOid();
  const { bytes } = (await outlet.create(oid, 0)).seal(input);
  const key = await outlet.reveal(oid, 0);
  await center.adopt(oid, 0, key);
  const adopted = await center.adopt(oid, 0, key);
  expect(codeOf(() => adopted.open(bytes))).toBe('done');
  expect(await codeOfAsync(() => center.adopt(oid, 0, randomBytes(32)))).toBe('conflict');
  expect(await codeOfAsync(() => center.adopt(oid, 1, randomBytes(16)))).toBe('key-invalid');
});

test('more consignments than are kept ready work as well', async () => {
  const keys = keysOver(memoryTable(), 3);
  const oids = Array.from({ length: 10 }, () => newConsignmentOid());
  const sealed = await Promise.all(oids.map(async (oid) => (await keys.create(oid, 0)).seal(input).bytes));
  for (const [index, oid] of oids.entries()) {
    const cipher = await keys.cipher(oid, 0);
    expect(codeOf(() => cipher.open(sealed[index] as Uint8Array))).toBe('done');
  }
});

test('a row that was altered or moved to another consignment opens nothing', async () => {
  const table = memoryTable();
  const keys = keysOver(table);
  const [a, b] = [newConsignmentOid(), newConsignmentOid()];
  await keys.create(a, 0);
  await keys.create(b, 0);
  const [nameA, nameB] = [...table.rows.keys()] as [string, string];
  table.rows.set(nameA, table.rows.get(nameB) as Uint8Array);
  expect(await codeOfAsync(() => keysOver(table).cipher(a, 0))).toBe('decryption-failed');
});

test('keys are not in the table, not in a print and not in an error', async () => {
  const table = memoryTable();
  const keys = keysOver(table);
  const oid = newConsignmentOid();
  await keys.create(oid, 0);
  const secret = await keys.reveal(oid, 0);
  const texts = [
    inspect(keys, { depth: 9, showHidden: true }),
    Buffer.concat([...table.rows.values()]).toString('latin1'),
  ];
  await keys.adopt(oid, 0, randomBytes(32)).catch((error: unknown) => texts.push(inspect(error, { depth: 9 })));
  expect(texts).toHaveLength(3);
  for (const text of texts) for (const form of spellings(secret)) expect(text).not.toContain(form);
});
