import { KeyObject, sign } from 'node:crypto';
import {
  batchRoot,
  cidOfRaw,
  type CoseSigner,
  encodeBatchStatement,
  encodeLedgerAttachment,
  sha256,
  signCose,
  WaymarkError,
} from '@waymark/protocol';
import type { Submission } from '@waymark/rsl';
import { createAuthority, type TestIdentity } from '../../../../chaincode/test/harness/identities.ts';
import { attachmentOf, signedBatches, submissionOfBatch } from '../../src/index.ts';

const channel = 'waymark';
const sentAtMs = 1_767_225_600_000;
let outlet: TestIdentity;
let other: TestIdentity;

beforeAll(async () => {
  const authority = await createAuthority('NorthMSP');
  outlet = await authority.issue('depot');
  other = await authority.issue('hub');
});

const derOf = ({ certificatePem }: TestIdentity): Buffer =>
  Buffer.from(certificatePem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
const signerOf = (identity: TestIdentity): CoseSigner => {
  const key = KeyObject.from(identity.keys.privateKey);
  return {
    certificateDer: derOf(identity),
    sign: (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  };
};
const times: number[] = [];
const crypto = signedBatches({
  channel,
  holderOf: (der, atMs) => {
    times.push(atMs);
    if (Buffer.from(der).equals(derOf(outlet))) return 'depot';
    if (Buffer.from(der).equals(derOf(other))) return 'hub';
    throw new WaymarkError('certificate-untrusted', 'a stranger');
  },
});

function submission(signer = outlet): Submission {
  const leaves = [1, 2].map((n) => ({ recordOid: sha256(Buffer.of(n)), cid: cidOfRaw(Buffer.of(n)) }));
  const statement = encodeBatchStatement({
    channel,
    msp: 'NorthMSP',
    outlet: 'depot',
    certificateDigest: sha256(derOf(signer)),
    ledger: `NorthMSP/${channel}`,
    leaderKid: 'kid',
    seq: 1,
    prevBatchHash: new Uint8Array(32),
    root: batchRoot(leaves),
    count: 2,
    collectedFromMs: sentAtMs,
    collectedToMs: sentAtMs,
    sentAtMs,
    messageId: new Uint8Array(16),
  });
  return submissionOfBatch({
    statement,
    signature: signCose(signerOf(signer), { type: 'batch', channel }, statement, true),
    leaves,
    attached: { tags: leaves.map(() => new Uint8Array(32)), tokens: [[], []], keys: [] },
  });
}

test('a batch that its outlet signed is a submission of the outlet, and its certificate is judged at the time of signing', () => {
  const made = submission();
  expect(made).toMatchObject({ ledger: 'NorthMSP/waymark', department: 'depot', seq: 1, prev: '' });
  expect(crypto.submissionDigest(made)).toBe(made.hash);
  expect(crypto.verifySubmission(made)).toBe(true);
  expect(times.at(-1)).toBe(sentAtMs);
  expect(attachmentOf(made).cids).toHaveLength(2);
});

test('a submission that says something else than the signed statement has no digest', () => {
  const made = submission();
  const said: Partial<Submission>[] = [
    { ledger: 'SouthMSP/waymark' },
    { department: 'hub' },
    { seq: 2 },
    { prev: '00' },
    { root: made.hash },
    { records: made.records.slice(1) },
    { attachment: new Uint8Array(3) },
  ];
  for (const change of said) expect(crypto.submissionDigest({ ...made, ...change })).toBeNull();
});

test('a signature by another outlet, by a stranger, of other bytes or in another text is none', () => {
  const made = submission();
  expect(crypto.verifySubmission(submission(other))).toBe(false);
  expect(crypto.verifySubmission({ ...made, signature: 'AAAA' })).toBe(false);
  expect(crypto.verifySubmission({ ...made, signature: `${made.signature}=` })).toBe(false);
  const attached = attachmentOf(made);
  const altered = Uint8Array.from(attached.statement);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  expect(
    crypto.verifySubmission({ ...made, attachment: encodeLedgerAttachment({ ...attached, statement: altered }) }),
  ).toBe(false);
});
