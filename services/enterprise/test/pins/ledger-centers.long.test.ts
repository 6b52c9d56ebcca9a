import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBodyRoot } from '@waymark/ledger-chain';
import { decodeCid } from '@waymark/protocol';
import { decodeHeader, type Header } from '@waymark/rsl';
import { caughtUp, type TestConsortium, until } from '@waymark/testing/consortium';
import { parseCertificatesPem } from '@waymark/vault';
import { flipByte, type PinningFirm, twoCenters } from '../harness/two-centers.ts';

let consortium: TestConsortium;
let north: PinningFirm;
let south: PinningFirm;

/** A ledger whose one member is the center: what is kept by whom does not depend on how many confirm it. */
const configuration = { epoch: 1, members: ['center'], learners: [], eligible: ['center'] };
const ledgerFiles = ['first', 'second'].map((name) => ({ configurationFile: `ledger-${name}.json`, membersFile: `ledger-members-${name}.yaml` })); // prettier-ignore

beforeAll(async () => {
  const pins = { replicas: 2, watchIntervalMs: 60_000 };
  const sections = ledgerFiles.map((privateLedger) => ({
    privateLedger: { ...privateLedger, tickMs: 50, anchor: { minIntervalMs: 100 } },
  })) as [object, object] as [Record<string, unknown>, Record<string, unknown>];
  ({ consortium, north, south } = await twoCenters([pins, { ...pins, anchorAfterReceipts: true }], sections));
  for (const [index, { firm, center, asCenter }] of [north, south].entries()) {
    const folder = join(center.file, '..');
    const { configurationFile = '', membersFile = '' } = ledgerFiles[index] ?? {};
    writeFileSync(
      join(folder, configurationFile),
      JSON.stringify({ ...configuration, profile: { center: 'trusted' } }),
    );
    const member = {
      id: 'center',
      endpoint: `127.0.0.1:${String(center.config.listen.grpcPort)}`,
      tlsRootFile: firm.tlsRootFile,
      certificateFiles: [center.config.identity.certificateFile],
    };
    writeFileSync(join(folder, membersFile), JSON.stringify({ members: [member] }));
    const certificates = parseCertificatesPem(asCenter.certificatePem).slice(0, 1);
    const registration = {
      configuration: { ...configuration, colluding: null },
      certificates: certificates.map(({ der }) => Buffer.from(der).toString('base64url')),
      inclusionBlocks: 64,
    };
    await (await firm.admin.submit('anchors', 'registerLedger', [JSON.stringify(registration)])).commit();
  }
  await north.center.start();
  await south.center.start();
  await caughtUp(consortium, north.center, south.center);
}, 60_000);

afterAll(async () => {
  (await north.outlet()).close();
  (await south.outlet()).close();
  await north.center.stop();
  await south.center.stop();
  await consortium.stop();
});

/** Whether everything of the firm that is on the channel is held by both organisations, and there is as much of it. */
const isKept = (firm: PinningFirm, anchored: number) => async (): Promise<boolean> => {
  const { pins } = await firm.status();
  return pins.anchored >= anchored && pins.missing === 0;
};

async function read(at: PinningFirm, cid: string): Promise<Uint8Array> {
  const { status, bytes } = await at.call('GET', `/ipfs/${cid}?format=raw`);
  expect([cid, status]).toEqual([cid, 200]);
  return bytes;
}

interface KeptBlock {
  readonly header: Header;
  readonly hash: string;
  readonly parts: readonly string[];
  readonly envelopes: readonly string[];
}

/** The anchored chain of a firm from its head down, read from the blocks that one center has. */
async function chainOf(firm: PinningFirm, at: PinningFirm): Promise<KeptBlock[]> {
  const answer = await firm.firm.admin.evaluate('anchors', 'ledger', [firm.firm.mspId]);
  let { hash } = (JSON.parse(Buffer.from(answer).toString()) as { head: { hash: string } }).head;
  const blocks: KeptBlock[] = [];
  while (hash !== '') {
    const header = decodeHeader(await read(at, hash));
    const { parts, links } = decodeBodyRoot(await read(at, header.body));
    const envelopes = links.map((link) => decodeCid(link).toString());
    blocks.unshift({ header, hash, parts: parts.map(String), envelopes });
    for (const cid of [...parts.map(String), ...envelopes]) await read(at, cid);
    hash = header.prev;
  }
  expect(blocks.map(({ header }) => header.height)).toEqual(blocks.map((_, index) => index + 1));
  return blocks;
}

async function heldBy(by: PinningFirm, asked: PinningFirm, blocks: readonly KeptBlock[]): Promise<boolean[]> {
  const cids = blocks.map(({ header }) => header.body);
  const { body } = await by.call('POST', '/v1/pins/check', { cids }, asked.asCenter);
  return (body?.['results'] as { held: boolean }[]).map(({ held }) => held);
}

test('S5, D2: every block that is anchored is kept by the other member as well: header, body and envelopes, with a receipt', async () => {
  for (const count of [3, 2]) expect((await north.send({ count })).code).toBe('accepted');
  await until(async () => (await north.status()).pins.anchored > 0);
  await until(async () => (await chainOf(north, north)).flatMap(({ envelopes }) => envelopes).length === 5);
  await until(isKept(north, (await chainOf(north, north)).length));
  const blocks = await chainOf(north, south);
  expect(await heldBy(south, north, blocks)).toEqual(blocks.map(() => true));
  const { body } = await north.call('GET', `/v1/pins/${blocks[0]?.header.body ?? ''}`);
  expect(body).toMatchObject({ anchored: true, replicated: 2 });
  const { pins } = await north.status();
  expect(pins).toMatchObject({ replicated: pins.anchored, missing: 0, waiting: 0, withoutReceipts: 0 });
  expect(pins.anchored).toBeGreaterThanOrEqual(blocks.length);
}, 60_000);

test('S7: a part or an envelope that was altered at one member is repaired from the other', async () => {
  const blocks = (await chainOf(north, south)).filter(({ envelopes }) => envelopes.length > 0);
  const part = blocks[0]?.parts[0] ?? '';
  const envelope = blocks[0]?.envelopes[0] ?? '';
  for (const [at, cid] of [
    [north, part],
    [south, envelope],
  ] as const) {
    // prettier-ignore
    flipByte(at.center, cid);
    const altered = await at.call('GET', `/ipfs/${cid}?format=raw`);
    expect([altered.status, altered.body?.['code']]).toEqual([500, 'data-abnormal']);
    await until(async () => (await at.call('GET', `/ipfs/${cid}?format=raw`)).status === 200);
  }
}, 30_000);

test('S5: pins that are gone are set again, and what was anchored while a member was away is caught up with', async () => {
  const before = await chainOf(north, north);
  await south.center.stop();
  rmSync(join(south.center.config.dataFolder, 'content', 'pins.log'));
  expect((await north.send({ count: 2 })).code).toBe('accepted');
  await until(async () => (await chainOf(north, north)).length > before.length);
  expect((await north.status()).pins.missing).toBeGreaterThan(0);
  await south.center.start();
  const blocks = await chainOf(north, north);
  await until(async () => (await heldBy(south, north, blocks)).every(Boolean));
  expect((await chainOf(north, south)).length).toBeGreaterThanOrEqual(blocks.length);
  await until(isKept(north, blocks.length), 45_000);
}, 90_000);

test('S5: with anchorAfterReceipts no block is anchored before another member has given a receipt for its body', async () => {
  expect((await south.send()).code).toBe('accepted');
  await until(isKept(south, 1), 30_000);
  await north.center.stop();
  const { anchored } = (await south.status()).pins;
  expect((await south.send()).code).toBe('accepted');
  await until(async () => (await south.status()).pins.withoutReceipts > 0, 30_000);
  expect((await south.status()).pins.anchored).toBe(anchored);
  await north.center.start();
  await until(async () => (await south.status()).pins.anchored > anchored, 60_000);
  await until(isKept(south, anchored + 1), 30_000);
  expect((await south.status()).pins.withoutReceipts).toBe(0);
}, 120_000);
