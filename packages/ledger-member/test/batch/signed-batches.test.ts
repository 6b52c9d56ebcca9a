import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { createOrganisationCa } from '@waymark/devnet/ca';
import {
  batchRoot,
  cidOfRaw,
  type CoseSigner,
  encodeBatchStatement,
  ledgerName,
  sha256,
  signCose,
  zeroBatchHash,
} from '@waymark/protocol';
import type { Submission } from '@waymark/rsl';
import { signedBatches, submissionOfBatch } from '../../src/index.ts';

const channel = 'bench';
const leaves = [{ recordOid: randomBytes(32), cid: cidOfRaw(Buffer.from('envelope')) }];
const attached = { tags: [randomBytes(32)], tokens: [[randomBytes(32)]], keys: [] };

async function signerOf(name: string): Promise<CoseSigner> {
  const ca = await createOrganisationCa({ mspId: 'FirmMSP', domain: 'firm.example' });
  const { certificatePem, privateKeyPem } = await ca.issue({ enrolmentId: name, role: 'client' });
  return {
    certificateDer: new X509Certificate(certificatePem).raw,
    sign: (bytes) => sign('sha256', bytes, { key: privateKeyPem, dsaEncoding: 'ieee-p1363' }),
  };
}

function submissionOf(signer: CoseSigner, outlet: string): Submission {
  const statement = encodeBatchStatement({
    channel,
    msp: 'FirmMSP',
    outlet,
    certificateDigest: sha256(signer.certificateDer),
    ledger: ledgerName('FirmMSP', channel),
    leaderKid: 'key',
    seq: 1,
    prevBatchHash: zeroBatchHash,
    root: batchRoot(leaves),
    count: 1,
    collectedFromMs: 1_700_000_000_000,
    collectedToMs: 1_700_000_000_000,
    sentAtMs: 1_700_000_000_000,
    messageId: randomBytes(16),
  });
  const signature = signCose(signer, { type: 'batch', channel }, statement, true);
  return submissionOfBatch({ statement, signature, leaves, attached });
}

describe('whether an outlet signed a submission', () => {
  test('each certificate stands for its own key, however often and in whatever order they come', async () => {
    const [one, two] = [await signerOf('one'), await signerOf('two')];
    const names = new Map([
      [Buffer.from(one.certificateDer).toString('hex'), 'one'],
      [Buffer.from(two.certificateDer).toString('hex'), 'two'],
    ]);
    const holderOf = (der: Uint8Array): string => names.get(Buffer.from(der).toString('hex')) ?? '';
    const { verifySubmission } = signedBatches({ channel, holderOf });
    const submissions = [one, two, one, two].map((signer, index) =>
      submissionOf(signer, index % 2 === 0 ? 'one' : 'two'),
    );
    expect(submissions.map((submission) => verifySubmission(submission))).toEqual([true, true, true, true]);
    // Signed by the other key, under a certificate that is known by now.
    const mixed: CoseSigner = { certificateDer: one.certificateDer, sign: (bytes) => two.sign(bytes) };
    expect(verifySubmission(submissionOf(mixed, 'one'))).toBe(false);
    expect(verifySubmission(submissionOf(two, 'one'))).toBe(false);
  });

  test('what the outlet signed is read once for one submission, and anew for another that looks like it', async () => {
    const one = await signerOf('one');
    const { submissionDigest } = signedBatches({ channel, holderOf: () => 'one' });
    const submission = submissionOf(one, 'one');
    expect(submissionDigest(submission)).toBe(submission.hash);
    expect(submissionDigest({ ...submission, seq: 2 })).toBeNull();
    const other = submissionOf(one, 'one');
    expect(submissionDigest({ ...submission, attachment: other.attachment })).toBe(other.hash);
    expect(submissionDigest({ ...submission, attachment: Uint8Array.of(1) })).toBeNull();
  });

  test('a signature under something that is no certificate is refused', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const nobody: CoseSigner = {
      certificateDer: Uint8Array.of(1, 2, 3),
      sign: (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    };
    const { verifySubmission } = signedBatches({ channel, holderOf: () => 'one' });
    expect(verifySubmission(submissionOf(nobody, 'one'))).toBe(false);
  });
});
