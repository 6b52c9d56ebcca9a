import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGatewaySource } from '@waymark/content';
import { decodeRecordProof } from '@waymark/ledger-chain/proof';
import { decodeBatchStatement, decodeCid, formatEvidenceId, toHex } from '@waymark/protocol';
import { createTrustedReader, type TrustedRecord } from '@waymark/reading';
import { connect, loadProfile, type Waymark } from '@waymark/sdk';
import { certificateVerifier, generateEncryptionKeyPair, unwrapConsignmentKey } from '@waymark/vault';
import { readTopology, type RunningService } from '@waymark/network';
import { allow, askExternally, newAsker } from './support/external-query.ts';
import { restClient } from './support/rest-client.ts';
import { type Firm, type RunningConsortium, runConsortium, shippedTopology } from './support/running-consortium.ts';
import { connectLedger } from './support/trusted-reading.ts';

/** An outlet of a firm with a private ledger that is no member of it. */
const outsider = 'annex';

let running: RunningConsortium;
let firm: Firm;
/** A firm whose batches go to the channel as evidence. */
let plain: Firm;
const opened: Waymark[] = [];

function service(node: string, of = firm): RunningService {
  const found = running.consortium.services.find((one) => one.organisation.mspId === of.mspId && one.node === node);
  if (found === undefined) throw new Error(`no service ${node}`);
  return found;
}

/** A fresh connection of the firm's reader to one of its nodes. */
function readerAt(node: string, of = firm): Waymark {
  const profile = loadProfile(running.consortium.layout.node(of.organisation, 'reader').profile);
  const { tlsRootFile = '' } = profile.api ?? {};
  const { apiUrl } = service(node, of);
  const waymark = connect({ ...profile, api: { url: apiUrl, tlsRootFile } });
  opened.push(waymark);
  return waymark;
}

async function submit(names: readonly string[], at: Firm, node = at.outletName): Promise<void> {
  const profile = loadProfile(running.consortium.layout.node(at.organisation, 'reader').profile);
  const { tlsRootFile = '' } = profile.outlet ?? {};
  const plan = running.consortium.ports.services[`${at.organisation.domain}-${node}`];
  const waymark = connect({ ...profile, outlet: { endpoint: `127.0.0.1:${String(plan?.grpcPort)}`, tlsRootFile } });
  opened.push(waymark);
  const records = names.map((name) => ({
    eventId: `event-${name}`,
    consignment: `consignment-${name}`,
    schema: 'test',
    collectionTime: new Date().toISOString(),
    businessIds: [{ type: 'order', value: `order-${name}` }],
    payload: { name },
  }));
  for await (const result of waymark.submit(records)) if ('error' in result) throw result.error;
}

const one = async (waymark: Waymark, name: string): Promise<TrustedRecord> => {
  const { records } = await waymark.trace({ eventId: `event-${name}` });
  expect(records).toHaveLength(1);
  return records[0] as TrustedRecord;
};

beforeAll(async () => {
  const shipped = await readTopology(shippedTopology);
  const topology = {
    ...shipped,
    organisations: shipped.organisations.map((organisation, index) => ({
      ...organisation,
      ...(index === 0 ? { outlets: [...organisation.outlets, { name: outsider, peer: false }] } : {}),
      privateLedger: index === 0 ? ({ members: 3, profile: 'lying', colluding: 0 } as const) : ('none' as const),
    })),
  };
  running = await runConsortium({ topology });
  [firm, plain] = running.firms;
  await submit(['a', 'b', 'c'], firm);
  await submit(['d'], firm, outsider);
  await submit(['e'], plain);
}, 120_000);

afterAll(async () => {
  for (const waymark of opened) await waymark.close();
  await running.end();
}, 60_000);

test('a trusted query shows the way from a record to the transaction that anchored its block, whichever node is asked (S7)', async () => {
  for (const [node, names] of [
    [firm.outletName, ['a', 'b']],
    ['center', ['a', 'd']],
    ['standby', ['a', 'd']],
    [outsider, ['d']],
  ] as const) {
    const waymark = readerAt(node);
    for (const name of names) {
      const record = await one(waymark, name);
      expect(record).toMatchObject({ trust: 'anchored', evidence: null, content: { payload: { name } } });
      const { height, anchor } = record.ledger ?? {};
      expect(anchor?.first).toBeLessThanOrEqual(height ?? 0);
      expect(anchor?.last).toBeGreaterThanOrEqual(height ?? 0);
      const ledger = connectLedger(firm, await firm.identity('reader'));
      const stored = await ledger.evaluate('anchors', 'get', [firm.mspId, String(anchor?.last)]);
      ledger.close();
      expect(JSON.parse(Buffer.from(stored).toString())).toMatchObject({ txId: anchor?.txId, first: anchor?.first });
    }
  }
});

test('what the channel said of an anchor is not asked for again', async () => {
  const { recordOid } = await one(readerAt('center'), 'd');
  const waymark = readerAt('center');
  const startedMs = performance.now();
  expect((await waymark.trace({ recordOid })).records[0]).toMatchObject({
    trust: 'anchored',
    evidenceId: `${firm.mspId}/${outsider}/1`,
  });
  const firstMs = performance.now() - startedMs;
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1) await waymark.trace({ recordOid });
  const nextMs = (performance.now() - startedMs - firstMs) / rounds;
  process.stdout.write(`trusted query: first ${firstMs.toFixed(1)} ms, next ${nextMs.toFixed(1)} ms\n`);
  expect(nextMs).toBeLessThan(firstMs);
});

test('in one consortium, a firm without private ledger is read by its evidence as before, with the same answer but for the place', async () => {
  const record = await one(readerAt(plain.outletName, plain), 'e');
  expect(record).toMatchObject({ trust: 'anchored', ledger: null, evidence: { msp: plain.mspId, seq: 1 } });
});

test('a record is traced as soon as it is confirmed, and is anchored by and by', async () => {
  const waymark = readerAt('center');
  const trusts = new Set<string>();
  const sent = submit(['soon'], firm);
  const until = Date.now() + 30_000;
  while (!trusts.has('anchored') && Date.now() < until) {
    const { value: outcome } = await waymark.traceMany([{ eventId: 'event-soon' }]).next();
    if (outcome !== undefined && 'answer' in outcome) {
      trusts.add(outcome.answer.trust);
      const [record] = outcome.answer.records as TrustedRecord[];
      expect(record?.ledger?.anchor === null).toBe(outcome.answer.trust === 'confirmed');
    } else expect(['refused', 'unavailable']).toContain(outcome?.error.code);
  }
  await sent;
  process.stdout.write(`a record on its way: ${[...trusts].join(', then ')}\n`);
  expect([...trusts]).toContain('anchored');
});

test('a fast query answers from one node, unverified (S8)', async () => {
  for (const [node, name] of [
    [firm.outletName, 'a'],
    ['center', 'a'],
    [outsider, 'd'],
  ] as const) {
    const { trust, records } = await readerAt(node).trace({ eventId: `event-${name}` }, { mode: 'fast' });
    expect(trust).toBe('unverified');
    expect(records[0]?.content.payload).toEqual({ name });
  }
});

test('somebody outside gets a record of the private ledger from its outlet (S9)', async () => {
  const asker = newAsker();
  expect((await allow(firm, 'consignment-a', asker)).status).toBe(200);
  const { recordOid } = await one(readerAt('center'), 'a');
  const { opened: answer } = await askExternally(firm, asker, { recordOid });
  expect(answer?.content).toMatchObject({ payload: { name: 'a' } });
});

test('a member of another organisation that was handed the key proves a record with what the owner’s center gives it', async () => {
  const { recordOid } = await one(readerAt('center'), 'a');
  const foreign = await plain.identity('reader');
  const own = generateEncryptionKeyPair('P-256');
  const asForeign = restClient(firm, firm.ports.center.apiPort, foreign);
  const { status, body } = await asForeign('GET', `/v1/records/${recordOid}/proof`);
  expect(status).toBe(200);
  const proof = Buffer.from(String(body?.['proof']), 'base64url');
  expect((await asForeign('GET', `/v1/records/${'0'.repeat(64)}/proof`)).status).toBe(403);
  expect((await asForeign('POST', '/v1/lookups', { queries: [{ recordOid }], proofs: true })).status).toBe(403);
  const { cid, index, statement } = decodeRecordProof(proof);
  const verifier = certificateVerifier({ rootsPem: [firm.rootPem] });
  const ledger = connectLedger(plain, foreign);
  const content = createGatewaySource({
    baseUrl: service('center').apiUrl,
    tls: { ca: firm.tlsRootPem, certificate: foreign.certificatePem, privateKey: foreign.privateKeyPem },
  });
  const reader = createTrustedReader({
    ledger,
    content,
    verifierOf: (msp) => (msp === firm.mspId ? verifier : undefined),
    keys: {
      // The owner's reader has the key sealed to the other one's public key.
      async consignmentKeys([place]) {
        const owner = restClient(firm, firm.ports.outlet.apiPort, await firm.identity('reader'));
        const { msp, consignmentOid, epoch } = place ?? { msp: '', consignmentOid: new Uint8Array(), epoch: 0 };
        const asked = { encryptionKey: own.publicKey.jwk, consignments: [{ consignmentOid: toHex(consignmentOid), epoch }] }; // prettier-ignore
        const { ownerKid, keys } = (await owner('POST', '/v1/keys', asked)).body as unknown as {
          ownerKid: string;
          keys: { jwe: string }[];
        };
        const context = { channel: firm.channel, msp, consignmentOid, epoch };
        return [await unwrapConsignmentKey(keys[0]?.jwe ?? '', { context, ownerKid, reader: own })];
      },
    },
  });
  const hint = {
    recordOid: Buffer.from(recordOid, 'hex'),
    evidenceId: formatEvidenceId(decodeBatchStatement(statement)),
    leafIndex: index,
    cid: decodeCid(cid).toString(),
    proof,
  };
  const record = await reader.read(hint);
  expect(record).toMatchObject({ trust: 'anchored', attestedBy: [plain.mspId], content: { payload: { name: 'a' } } });
  ledger.close();
  await content.close();
});

test('a chain that was altered on the disk of the node that is asked is data-abnormal; another node answers', async () => {
  await submit(['f'], firm);
  const chain = join(running.consortium.layout.node(firm.organisation, firm.outletName).dir, 'data', 'ledger', 'chain');
  expect(await alterFiles(chain)).toBeGreaterThan(0);
  await expect(readerAt(firm.outletName).trace({ eventId: 'event-f' })).rejects.toMatchObject({
    code: 'data-abnormal',
  });
  expect(await one(readerAt('center'), 'f')).toMatchObject({ trust: 'anchored' });
});

/** Flips a bit of every hundredth byte of the stored blocks. @returns files that were altered */
async function alterFiles(folder: string): Promise<number> {
  let altered = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.(?:db|db-wal|db-shm|sqlite.*)$|lock/.test(entry.name)) continue;
    const { size } = await stat(path);
    if (size === 0) continue;
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    for (let at = 90; at < size; at += 100) {
      await file.read(byte, 0, 1, at);
      byte[0] = (byte[0] ?? 0) ^ 1;
      await file.write(byte, 0, 1, at);
    }
    await file.close();
    altered += 1;
  }
  return altered;
}
