import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cidOfDagCbor, cidOfRaw, isWaymarkError, readPinReceipt, toHex } from '@waymark/protocol';
import type { Register } from '@waymark/service-kit';
import { caughtUp, metric, restClient, type TestConsortium, until } from '@waymark/testing/consortium';
import { certificateVerifier, signingIdentityFromPem } from '@waymark/vault';
import { createPinReceipts } from '../../src/pins/receipts.ts';
import { flipByte, type Pem, type PinningFirm, twoCenters } from '../harness/two-centers.ts';

let consortium: TestConsortium;
let north: PinningFirm;
let south: PinningFirm;

beforeAll(async () => {
  const pins = { replicas: 2, watchIntervalMs: 60_000 };
  ({ consortium, north, south } = await twoCenters([pins, { ...pins, anchorAfterReceipts: true }]));
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

const replicated = (count: number) => async (): Promise<boolean> => (await north.status()).pins.replicated >= count;

async function held(by: PinningFirm, asked: PinningFirm, cids: readonly string[]): Promise<unknown> {
  const { body } = await by.call('POST', '/v1/pins/check', { cids }, asked.asCenter);
  return (body?.['results'] as { held: boolean }[]).map((result) => result.held);
}

describe('S5: every center pins what the channel anchors', () => {
  test('a batch of one firm is pinned by the other, which gives a receipt for it', async () => {
    const { code, cid, leaves } = await north.send({ count: 3 });
    expect(code).toBe('accepted');
    await until(replicated(1));
    const { body } = await north.call('GET', `/v1/pins/${cid}`);
    const receipts = body?.['receipts'] as { mspId: string; state: string; receipt: string }[];
    expect(body).toMatchObject({ cid, anchored: true, replicated: 2 });
    expect(receipts.map(({ mspId, state }) => [mspId, state])).toEqual([
      ['NorthMSP', 'held'],
      ['SouthMSP', 'held'],
    ]);
    const signed = readPinReceipt(Buffer.from(receipts[1]?.receipt ?? '', 'base64'), consortium.channel);
    expect(signed.receipt).toMatchObject({ cid, msp: 'SouthMSP', node: 'center' });
    expect(await held(south, north, [cid])).toEqual([true]);
    for (const leaf of leaves) expect((await south.call('GET', `/ipfs/${leaf}?format=raw`)).status).toBe(200);
    const { pins } = await north.status();
    expect(pins).toMatchObject({ anchored: 1, replicated: 1, missing: 0 });
    expect(pins.members).toEqual([{ mspId: 'SouthMSP', reachable: true, code: null, awaited: 0 }]);
    expect(await metric(north.center, 'waymark_pins_replicated')).toBe(1);
  });

  test('a byte flipped in a stored envelope is data-abnormal for who reads it, and repaired behind the read', async () => {
    const { leaves } = await north.send({ count: 2 });
    await until(replicated(2));
    const [leaf = ''] = leaves;
    flipByte(north.center, leaf);
    const first = await north.call('GET', `/ipfs/${leaf}?format=raw`);
    expect([first.status, first.body?.['code']]).toEqual([500, 'data-abnormal']);
    await until(async () => (await north.call('GET', `/ipfs/${leaf}?format=raw`)).status === 200);
    expect((await north.status()).pins.repairs).toEqual({ waiting: 0, done: 1, failed: 0 });
    expect(await metric(north.center, 'waymark_repairs_done')).toBe(1);
  });

  test('an altered batch block of the other firm is repaired from that firm', async () => {
    const { cid } = await north.send();
    await until(replicated(3));
    flipByte(south.center, cid);
    const first = await south.call('GET', `/ipfs/${cid}?format=raw`);
    expect([first.status, first.body?.['code']]).toEqual([500, 'data-abnormal']);
    await until(async () => ((await held(south, north, [cid])) as boolean[])[0] === true);
  });
});

describe('S5: anchoring waits for pin receipts when the policy says so', () => {
  test('a batch waits while the other organisation is away, over a restart too, and is anchored once its receipt is there', async () => {
    const ready = await south.send();
    expect(ready.code).toBe('accepted');
    await until(async () => (await south.status()).batches['anchored'] === 1);
    await north.center.stop();
    const { code, cid } = await south.send();
    expect(code).toBe('accepted');
    await until(async () => (await south.status()).pins.withoutReceipts === 1);
    expect((await south.status()).batches).toMatchObject({ accepted: 1, anchored: 1 });
    const waiting = await south.call('GET', `/v1/pins/${cid}`);
    expect(waiting.body).toMatchObject({ anchored: false, replicated: 1 });
    await south.center.stop();
    await south.center.start();
    await until(async () => (await south.status()).pins.withoutReceipts === 1);
    expect(await metric(south.center, 'waymark_pins_without_receipts')).toBe(1);
    await north.center.start();
    await until(async () => (await south.status()).batches['anchored'] === 2);
    expect((await south.status()).pins).toMatchObject({ withoutReceipts: 0, anchored: 2 });
    expect((await south.call('GET', `/v1/pins/${cid}`)).body).toMatchObject({ anchored: true, replicated: 2 });
  }, 60_000);
});

describe('who may have batches pinned', () => {
  test('only a registered center of another member organisation', async () => {
    const { cid } = await north.send();
    const ask = async (identity: Pem, cids: readonly string[] = [cid]): Promise<unknown> => {
      const { status, body } = await restClient(north.firm, north.center.ports.api, identity)('POST', '/v1/pins', {
        cids,
      });
      return [status, body?.['code'] ?? body?.['results']];
    };
    for (const kind of ['outlet', 'reader', 'client'] as const) {
      const identity = await south.firm.enrol(`hostile-${kind}`, kind);
      await caughtUp(consortium, north.center);
      expect(await ask(identity)).toEqual([403, 'role-not-permitted']);
    }
    const unregistered = await south.firm.issue({ enrolmentId: 'center-2', role: 'client' });
    expect(await ask(unregistered)).toEqual([403, 'role-not-permitted']);
    expect(await ask(north.asCenter)).toEqual([400, 'recipient-mismatch']);
    // Its own certificate is right, and the batch is another's.
    expect(await ask(south.asCenter)).toEqual([200, [{ cid, code: 'recipient-mismatch' }]]);
    const nowhere = cidOfDagCbor(Uint8Array.of(1)).toString();
    expect(await ask(south.asCenter, [nowhere])).toEqual([200, [{ cid: nowhere, code: 'unavailable' }]]);
    expect(await ask(south.asCenter, [cidOfRaw(Uint8Array.of(1)).toString()])).toEqual([400, 'input-invalid']);
    expect(
      await ask(
        south.asCenter,
        Array.from({ length: 65 }, () => cid),
      ),
    ).toEqual([400, 'input-invalid']);
    expect(await ask(south.asCenter, [])).toEqual([400, 'input-invalid']);
  });
});

describe('pin receipts', () => {
  const signerOf = (mspId: string, pem: Pem) => signingIdentityFromPem({ ...pem, mspId });
  const register: Register = {
    node: (_msp, enrolmentId) => ({
      kind: enrolmentId === 'center' ? 'center' : 'reader',
      revoked: false,
      certificates: new Map([
        [signerDigest(south.asCenter), 'valid'],
        [signerDigest(north.asCenter), 'valid'],
      ]),
    }),
  };
  const signerDigest = (pem: Pem): string => toHex(signingIdentityFromPem({ ...pem, mspId: 'any' }).certificateDigest);
  const cid = cidOfDagCbor(Uint8Array.of(2)).toString();

  test('forged ones, and those for another batch, channel, organisation or node, are refused', () => {
    const member = {
      mspId: 'SouthMSP',
      verifier: certificateVerifier({ rootsPem: [readFileSync(south.firm.rootFile, 'utf8')] }),
    };
    const receipts = (mspId: string, pem: Pem, channel = consortium.channel, node = 'center') =>
      createPinReceipts({ channel, mspId, node, signer: signerOf(mspId, pem), register, nowMs: () => Date.now() });
    const judge = receipts('NorthMSP', north.asCenter);
    const codeOf = (bytes: Uint8Array, asked = cid): string => {
      try {
        judge.verify(bytes, asked, member);
        return 'accepted';
      } catch (error) {
        return isWaymarkError(error) ? error.code : String(error);
      }
    };
    const good = receipts('SouthMSP', south.asCenter).sign(cid).receipt;
    expect(codeOf(good)).toBe('accepted');
    expect(codeOf(good, cidOfDagCbor(Uint8Array.of(3)).toString())).toBe('recipient-mismatch');
    expect(codeOf(receipts('SouthMSP', south.asCenter, 'other').sign(cid).receipt)).toBe('signature-invalid');
    expect(codeOf(receipts('SouthMSP', north.asCenter).sign(cid).receipt)).toBe('certificate-untrusted');
    expect(codeOf(receipts('NorthMSP', south.asCenter).sign(cid).receipt)).toBe('recipient-mismatch');
    expect(codeOf(receipts('SouthMSP', south.asCenter, undefined, 'center-9').sign(cid).receipt)).toBe(
      'recipient-mismatch',
    );
    const altered = Uint8Array.from(good);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    expect(codeOf(altered)).toBe('signature-invalid');
  });
});

/** Of a batch that nobody has. */
const anyCid = 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje';

describe('the members file', () => {
  test('a malformed version is logged and the one before it stays; a new one is taken without a restart', async () => {
    const file = north.center.config.membersFile ?? '';
    const before = readFileSync(file, 'utf8');
    const asSouth = (): Promise<{ status: number }> =>
      restClient(north.firm, north.center.ports.api, south.asCenter)('POST', '/v1/pins/check', { cids: [anyCid] });
    const logged = (text: string): number => north.center.log.filter((line) => line.includes(text)).length;
    writeFileSync(file, '{members: [{mspId: SouthMSP}]}');
    await until(() => logged('the last version stays in force') === 1);
    expect((await asSouth()).status).toBe(200);
    const read = logged('the members file was read');
    writeFileSync(file, '{members: []}');
    await until(() => logged('the members file was read') > read);
    // The very connection is refused: no CA of that organisation is known any more.
    await expect(asSouth()).rejects.toThrow();
    expect((await north.status()).pins.members).toEqual([]);
    writeFileSync(file, before);
    await until(async () => (await asSouth().catch(() => ({ status: 0 }))).status === 200);
  }, 30_000);
});

describe('S5: the watcher', () => {
  test("a copy that was altered in the other firm's store, and that nobody has read, is found and put right", async () => {
    const before = (await north.status()).pins.replicated;
    const { cid, leaves } = await north.send();
    await until(replicated(before + 1));
    flipByte(south.center, leaves[0] ?? '');
    expect(await held(south, north, [cid])).toEqual([false]);
    await north.center.stop();
    await north.center.start();
    await until(async () => ((await held(south, north, [cid])) as boolean[])[0] === true);
    expect(
      north.center.log.some((line) => line.includes('another center does not hold what it gave receipts for')),
    ).toBe(true);
    await until(async () => (await north.status()).pins.missing === 0);
  }, 30_000);

  test("a center whose store was wiped gets everything back: its own batches and the other firm's", async () => {
    const before = (await north.status()).pins.anchored;
    await north.center.stop();
    rmSync(join(north.center.config.dataFolder, 'content'), { recursive: true });
    await north.center.start();
    await until(async () => {
      const { pins } = await north.status();
      return pins.replicated === before && pins.waiting === 0 && pins.missing === 0;
    }, 20_000);
    await south.center.stop();
    rmSync(join(south.center.config.dataFolder, 'content'), { recursive: true });
    await south.center.start();
    await until(async () => (await south.status()).pins.waiting === 0);
    const { cid } = await north.send();
    await until(replicated(before + 1), 20_000);
    expect(await held(south, north, [cid])).toEqual([true]);
  }, 60_000);
});
