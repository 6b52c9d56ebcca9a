import { randomBytes } from 'node:crypto';
import { bytesEqual, readReceipt } from '@waymark/protocol';
import {
  caughtUp,
  startTestConsortium,
  type TestConsortium,
  type TestFirm,
  type TestIdentity,
} from '@waymark/testing/consortium';
import {
  type Built,
  buildMessage,
  rawOutlet,
  type RawOutlet,
  rootOf,
  sealBytes,
  sealedRecord,
  sealFor,
  type Spoiled,
} from './harness/raw-outlet.ts';

type Center = Awaited<ReturnType<TestFirm['center']>>;

let consortium: TestConsortium;
let north: TestFirm;
let south: TestFirm;
let center: Center;
let southCenter: Center;
let depot: TestIdentity;
let yard: TestIdentity;
let expired: TestIdentity;
let revokedCertificate: TestIdentity;
let revokedNode: TestIdentity;
let reader: TestIdentity;
let stranger: TestIdentity;
let admin: TestIdentity;
let impostor: TestIdentity;

beforeAll(async () => {
  consortium = await startTestConsortium();
  [north, south] = consortium.firms;
  depot = await north.issue({ enrolmentId: 'depot', role: 'client' });
  const yesterday = new Date(Date.now() - 24 * 3_600_000);
  expired = await north.issue({
    enrolmentId: 'depot',
    role: 'client',
    notBefore: new Date(0 + Date.now() - 48 * 3_600_000),
    notAfter: yesterday,
  });
  revokedCertificate = await north.issue({ enrolmentId: 'depot', role: 'client' });
  admin = await north.issue({ enrolmentId: 'depot', role: 'admin' });
  await north.register('outlet', [depot, expired, revokedCertificate, admin]);
  await submit(north, 'revokeCertificate', {
    enrolmentId: 'depot',
    certificate: revokedCertificate.digest,
    reason: 'key-compromise',
  });
  yard = await north.enrol('yard', 'outlet');
  revokedNode = await north.enrol('closed', 'outlet');
  await submit(north, 'revokeNode', { enrolmentId: 'closed', reason: 'ceased' });
  reader = await north.enrol('reader-1', 'reader');
  stranger = await north.issue({ enrolmentId: 'stranger', role: 'client' });
  impostor = await south.enrol('depot', 'outlet');
  center = await north.center('center');
  southCenter = await south.center('center');
  await center.start();
  await southCenter.start();
  await caughtUp(consortium, center, southCenter);
}, 60_000);

afterAll(async () => {
  await center.stop();
  await southCenter.stop();
  await consortium.stop();
});

async function submit(firm: TestFirm, fn: string, argument: unknown): Promise<void> {
  await (await firm.admin.submit('participants', fn, [JSON.stringify(argument)], { retryable: true })).commit();
}

const connect = (identity: TestIdentity, port = center.ports.grpc): RawOutlet =>
  rawOutlet(north, consortium.channel, port, identity);

/** Sends one message of `depot` that is good but for what is spoiled; the code of the answer. */
async function codeOf(spoiled: Spoiled, identity = depot): Promise<string> {
  const outlet = connect(identity);
  try {
    const message = await next(outlet, spoiled);
    const [answer] = await outlet.upload(message.sealed);
    return answer?.code ?? 'none';
  } finally {
    outlet.close();
  }
}

async function next(outlet: RawOutlet, spoiled: Spoiled = {}): Promise<Built> {
  return buildMessage(
    {
      mspId: north.mspId,
      channel: consortium.channel,
      identity: outlet.identity,
      key: await outlet.transportKey(),
      previous: await outlet.position(),
    },
    spoiled,
  );
}

/** Every check of S4 by one spoiled message each. */
function everyCheck(): void {
  test('a good message is accepted, with a receipt for exactly its batch', async () => {
    const outlet = connect(depot);
    const message = await next(outlet);
    const [answer] = await outlet.upload(message.sealed);
    outlet.close();
    expect(answer?.code).toBe('accepted');
    const { receipt } = readReceipt(answer?.receipt ?? Buffer.alloc(0), consortium.channel);
    expect(bytesEqual(receipt.batchHash, message.batchHash)).toBe(true);
  });

  test('S4: a certificate of another CA is refused at the door', async () => {
    const outlet = rawOutlet(north, consortium.channel, center.ports.grpc, impostor);
    await expect(outlet.position()).rejects.toMatchObject({ code: 'unavailable' });
    outlet.close();
  });

  test('S4: a message signed under another CA is certificate-untrusted', async () => {
    expect(await codeOf({ signer: impostor })).toBe('certificate-untrusted');
  });

  test('S4: a revoked outlet is certificate-revoked', async () => {
    const outlet = connect(revokedNode);
    await expect(outlet.position()).rejects.toMatchObject({ code: 'certificate-revoked' });
    await expect(outlet.upload(Buffer.from('x'))).rejects.toMatchObject({ code: 'certificate-revoked' });
    outlet.close();
  });

  test('S4: a message signed with a revoked certificate of a good outlet is certificate-revoked', async () => {
    expect(await codeOf({ signer: revokedCertificate })).toBe('certificate-revoked');
  });

  test('S4: an expired certificate is refused at the door, and certificate-expired inside a message', async () => {
    const outlet = connect(expired);
    await expect(outlet.position()).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|certificate-expired/) as unknown,
    });
    outlet.close();
    expect(await codeOf({ signer: expired })).toBe('certificate-expired');
  });

  test('S4: the right CA with the wrong role is role-not-permitted: a reader, an admin, somebody not registered', async () => {
    for (const identity of [reader, stranger]) {
      const outlet = connect(identity);
      await expect(outlet.position()).rejects.toMatchObject({ code: 'role-not-permitted' });
      outlet.close();
    }
    expect(await codeOf({ signer: admin })).toBe('role-not-permitted');
  });

  test('S4: a signature over other data is signature-invalid', async () => {
    const others = [sealedRecord(consortium.channel, north.mspId, 'depot')];
    expect(await codeOf({ after: (submission) => ({ ...submission, records: others }) })).toBe('signature-invalid');
    const spoilt = (bytes: Uint8Array): Uint8Array => {
      const copy = Uint8Array.from(bytes);
      copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
      return copy;
    };
    expect(await codeOf({ after: (submission) => ({ ...submission, signature: spoilt(submission.signature) }) })).toBe(
      'signature-invalid',
    );
  });

  test.each([
    ['old', -6 * 60_000],
    ['of the future', 6 * 60_000],
    ['of another year', -366 * 24 * 3_600_000],
  ])('S4: a message %s is message-stale', async (_name, offsetMs) => {
    expect(await codeOf({ statement: { sentAtMs: Date.now() + offsetMs } })).toBe('message-stale');
  });

  test('S4: a replayed message gets the same receipt, byte for byte; another under its number is replay-conflict', async () => {
    const outlet = connect(depot);
    const before = await outlet.position();
    const message = await next(outlet);
    const [first] = await outlet.upload(message.sealed);
    // The `anchored` receipt replaces the first one: compare from then on.
    const anchored = await anchoredReceipt(outlet, message);
    const [again, once] = await outlet.upload(message.sealed, message.sealed);
    const other = buildMessage({
      mspId: north.mspId,
      channel: consortium.channel,
      identity: depot,
      key: await outlet.transportKey(),
      previous: before,
    });
    const [conflict] = await outlet.upload(other.sealed);
    outlet.close();
    expect(first?.code).toBe('accepted');
    expect(again?.receipt).toEqual(anchored);
    expect(once?.receipt).toEqual(anchored);
    expect(conflict?.code).toBe('replay-conflict');
  });

  test('S4: a message that skips a number, or links to another batch, is sequence-gap', async () => {
    const outlet = connect(depot);
    const { seq } = await outlet.position();
    outlet.close();
    expect(await codeOf({ statement: { seq: seq + 2 } })).toBe('sequence-gap');
    expect(await codeOf({ statement: { prevBatchHash: randomBytes(32) } })).toBe('sequence-gap');
  });

  test('S4: a message for another firm does not open here; re-sealed it is recipient-mismatch', async () => {
    const outlet = connect(depot);
    const southOutlet = rawOutlet(south, consortium.channel, southCenter.ports.grpc, impostor);
    const southKey = await southOutlet.transportKey();
    const parts = {
      mspId: south.mspId,
      channel: consortium.channel,
      identity: impostor,
      key: southKey,
      previous: await southOutlet.position(),
    };
    const message = buildMessage(parts);
    const [unopened] = await outlet.upload(message.sealed);
    const [resealed] = await outlet.upload(
      sealFor(message.submission, consortium.channel, await outlet.transportKey()),
    );
    southOutlet.close();
    outlet.close();
    expect(unopened?.code).toBe('key-unknown');
    expect(resealed?.code).toBe('recipient-mismatch');
  });

  test('S4: a message that a leader re-addresses to another center is recipient-mismatch', async () => {
    const outlet = connect(depot);
    const message = await next(outlet, { statement: { leaderKid: (await keyOfSouth()).kid } });
    const [answer] = await outlet.upload(message.sealed);
    outlet.close();
    expect(answer?.code).toBe('recipient-mismatch');
  });

  test('S4: an envelope of another outlet, re-signed, is envelope-mismatch; so is a batch handed in by another outlet', async () => {
    expect(await codeOf({ envelopeOutlet: 'yard' })).toBe('envelope-mismatch');
    expect(await codeOf({ envelopeMsp: south.mspId })).toBe('envelope-mismatch');
    const outlet = connect(depot);
    const thief = connect(yard);
    const message = await next(outlet);
    const [answer] = await thief.upload(message.sealed);
    outlet.close();
    thief.close();
    expect(answer?.code).toBe('envelope-mismatch');
    expect(await codeOf({ signer: yard })).toBe('envelope-mismatch');
  });

  test('S4: a record that was accepted before is conflict', async () => {
    const outlet = connect(depot);
    const first = await next(outlet);
    await outlet.upload(first.sealed);
    const { records } = first.submission;
    const again = await next(outlet, {
      statement: { root: rootOf(records) },
      after: (submission) => ({ ...submission, records }),
    });
    const [answer] = await outlet.upload(again.sealed);
    outlet.close();
    expect(answer?.code).toBe('conflict');
  });

  test('malformed and oversized submissions get a typed error, and the next one is served', async () => {
    const outlet = connect(depot);
    const key = await outlet.transportKey();
    const codes = [];
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('garbage'),
      Buffer.alloc(100_000, 0xff),
      sealBytes(Buffer.alloc(500, 7), consortium.channel, key),
    ]) {
      const [answer] = await outlet.upload(bytes);
      codes.push(answer?.code);
    }
    outlet.close();
    expect(codes).toEqual(['input-invalid', 'input-invalid', 'input-invalid', 'input-invalid']);
    expect(await codeOf({})).toBe('accepted');
    expect(await codeOf({ statement: { count: 2 } })).toBe('input-invalid');
  });
}

async function keyOfSouth() {
  const outlet = rawOutlet(south, consortium.channel, southCenter.ports.grpc, impostor);
  try {
    return await outlet.transportKey();
  } finally {
    outlet.close();
  }
}

async function anchoredReceipt(outlet: RawOutlet, message: Built): Promise<Uint8Array> {
  for (;;) {
    const [answer] = await outlet.upload(message.sealed);
    const receipt = answer?.receipt ?? Buffer.alloc(0);
    if (readReceipt(receipt, consortium.channel).receipt.state === 'anchored') return receipt;
  }
}

describe('S4 on a fresh center', everyCheck);

describe('S4 after a restart of the center on the same folder', () => {
  let receipt: Uint8Array | undefined;
  let message: Built;
  beforeAll(async () => {
    const outlet = connect(depot);
    message = await next(outlet);
    await outlet.upload(message.sealed);
    receipt = await anchoredReceipt(outlet, message);
    outlet.close();
    await center.stop();
    await center.start();
  }, 30_000);

  test('a message from before the restart gets the same receipt, byte for byte', async () => {
    const outlet = connect(depot);
    const [answer] = await outlet.upload(message.sealed);
    outlet.close();
    expect(answer?.receipt).toEqual(receipt);
  });

  everyCheck();
});
