import { createHash, createPrivateKey, createPublicKey, type webcrypto } from 'node:crypto';
import { isWaymarkError } from '@waymark/protocol';
import { startTestConsortium, type TestConsortium } from '@waymark/testing/consortium';
import { createAuthority, type TestIdentity } from './harness/identities.ts';
import {
  anchorArgument,
  createTestLedger,
  registrationOf,
  standardMembers,
  type TestLedger,
} from './harness/private-ledger.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };

async function keysOf(privateKeyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, true, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']),
  };
}

describe('a private ledger anchored on a running network', () => {
  let consortium: TestConsortium;
  let ledger: TestLedger;

  beforeAll(async () => {
    consortium = await startTestConsortium();
    const [north] = consortium.firms;
    const identities = new Map<string, TestIdentity>();
    for (const member of standardMembers) {
      const kind = member.startsWith('center') ? 'center' : 'department';
      const { certificatePem, privateKeyPem, certificateDer } = await north.enrol(member, kind);
      identities.set(member, {
        mspId: north.mspId,
        enrolmentId: member,
        certificatePem,
        digest: createHash('sha256').update(certificateDer).digest('hex'),
        keys: await keysOf(privateKeyPem),
      });
    }
    const admin = identities.get('center-1');
    if (admin === undefined) throw new Error('no member');
    ledger = await createTestLedger({ admin, authority: await createAuthority(north.mspId) }, { identities });
    ledger.elect('center-1');
    for (let round = 0; round < 4; round += 1) ledger.submit('department-1');
  }, 120_000);
  afterAll(async () => {
    await consortium.stop();
  });

  const submit = async (fn: string, ...args: string[]) => {
    const submitted = await consortium.firms[0].admin.submit('anchors', fn, args);
    await submitted.commit();
    return JSON.parse(Buffer.from(submitted.result).toString()) as Record<string, unknown>;
  };

  test('two organisations endorse the registration and every anchor, and what two relays send at once is anchored once', async () => {
    await submit('registerLedger', JSON.stringify(registrationOf(ledger)));
    const [north, south] = consortium.firms;
    const relay = await north.enrol('center-3', 'center');
    const as = north.ledgerAs(relay);
    const send = async (first: number, last: number, withElection: boolean) => {
      const submitted = await as.submit('anchors', 'anchor', [
        anchorArgument(ledger.anchorOf(first, last, { withElection })),
      ]);
      await submitted.commit();
    };
    await send(1, 3, true);
    const results = await Promise.allSettled([send(4, 6, false), send(4, 5, false)]);
    const taken = results.filter(({ status }) => status === 'fulfilled');
    expect(taken).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(isWaymarkError(result.reason)).toBe(true);
    }
    const { head } = JSON.parse(
      Buffer.from(await south.admin.evaluate('anchors', 'ledger', [north.mspId])).toString(),
    ) as { head: { last: number } };
    expect([5, 6]).toContain(head.last);
    const page = await south.admin.evaluate('anchors', 'list', [north.mspId, '1', '10']);
    const { items } = JSON.parse(Buffer.from(page).toString()) as { items: { first: number; last: number }[] };
    expect(items.map(({ first, last }) => [first, last])).toEqual([
      [1, 3],
      [4, head.last],
    ]);
  }, 60_000);
});
