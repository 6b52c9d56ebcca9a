import { X509Certificate } from 'node:crypto';
import { sha256, toHex } from '@waymark/protocol';
import type { Firm } from '../support/running-consortium.ts';

/** A call that the chaincode refuses, and the exact words. */
export interface RefusedCall {
  /** The firm's node, or `admin`, that calls. */
  readonly as: string;
  readonly contract: 'evidence' | 'participants';
  readonly fn: string;
  readonly args: readonly string[];
  /** Byte for byte what comes back, on every runtime. */
  readonly text: string;
}

const zeroes = '0'.repeat(64);
const ones = '1'.repeat(64);
const lastSeq = Number.MAX_SAFE_INTEGER;

/**
 * What the chaincode says when it refuses, recorded once. Every call is one of the first firm and is refused as long as the firm's outlet
 * has anchored a batch; none of them changes anything.
 */
export async function refusedCalls(first: Firm, second: Firm): Promise<readonly RefusedCall[]> {
  const { mspId, outletName } = first;
  const { certificatePem } = await first.identity(outletName);
  const certificate = toHex(sha256(new X509Certificate(certificatePem).raw));
  const batch = {
    outlet: outletName,
    seq: lastSeq,
    batchHash: ones,
    prev: ones,
    root: ones,
    cid: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    count: 1,
    collectedFrom: '2026-03-01T12:00:00.000Z',
    collectedTo: '2026-03-01T12:00:00.000Z',
    certificate,
  };
  const call =
    (as: string, contract: RefusedCall['contract'], fn: string) =>
    (text: string, ...args: string[]): RefusedCall => ({ as, contract, fn, args, text });
  const read = (fn: string) => call('reader', 'evidence', fn);
  const look = (fn: string) => call('reader', 'participants', fn);
  const administer = (fn: string) => call('admin', 'participants', fn);
  const record =
    (as: string) =>
    (text: string, ...changes: object[]): RefusedCall =>
      call(as, 'evidence', 'record')(text, JSON.stringify(changes.map((change) => ({ ...batch, ...change }))));
  const carrier = (id: string): object => ({ mspId: id, role: 'carrier' });
  return [
    read('get')(`WAYMARK_REFUSED: {"id":"${mspId}/nobody/1","reason":"not-there"}`, `${mspId}/nobody/1`),
    read('get')('WAYMARK_INPUT_INVALID: {"place":"id","reason":"is not an evidence id"}', `${mspId}/${outletName}/0`),
    read('getMany')('WAYMARK_INPUT_INVALID: {"place":"ids","reason":"has not 1 to 100 items"}', '[]'),
    read('getMany')('WAYMARK_INPUT_INVALID: {"place":"ids","reason":"is not JSON"}', '[1,]'),
    read('getMany')('WAYMARK_INPUT_INVALID: {"place":"ids","reason":"has the same key twice"}', '{"a":1,"a":2}'),
    read('list')(
      'WAYMARK_INPUT_INVALID: {"place":"limit","reason":"is not an integer from 1 to 100"}',
      mspId,
      outletName,
      '1',
      '101',
    ),
    read('nothing')('WAYMARK_UNSUPPORTED: {"contract":"evidence","reason":"no such function"}'),
    read('get')('WAYMARK_LIMIT_EXCEEDED: {"limit":262144,"what":"arguments"}', 'x'.repeat(262_145)),

    record('reader')(
      `WAYMARK_ROLE_NOT_PERMITTED: {"enrolmentId":"reader","kind":"reader","mspId":"${mspId}","reason":"node-kind"}`,
      {},
    ),
    record('admin')(
      `WAYMARK_ROLE_NOT_PERMITTED: {"enrolmentId":"Admin@${first.organisation.domain}","mspId":"${mspId}","reason":"node-not-registered"}`,
      {},
    ),
    record('center')('WAYMARK_INPUT_INVALID: {"place":"batches","reason":"has not 1 to 64 items"}'),
    record('center')(
      'WAYMARK_INPUT_INVALID: {"place":"batches[0].seq","reason":"is not an integer from 1 to 9007199254740991"}',
      { seq: 0 },
    ),
    record('center')(
      'WAYMARK_INPUT_INVALID: {"place":"batches[0].cid","reason":"is not a CIDv1 of a dag-cbor block with sha2-256 in base32"}',
      { cid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG' },
    ),
    record('center')(
      'WAYMARK_INPUT_INVALID: {"place":"batches[0].prev","reason":"is zero for the first batch and for no other"}',
      { prev: zeroes },
    ),
    record('center')('WAYMARK_INPUT_INVALID: {"place":"batches[0]","reason":"has a field that is not known"}', {
      mspId: second.mspId,
    }),
    record('center')(
      'WAYMARK_INPUT_INVALID: {"place":"batches[1]","reason":"has the id of another batch of this call"}',
      {},
      {},
    ),
    record('center')(
      `WAYMARK_ROLE_NOT_PERMITTED: {"enrolmentId":"nobody","mspId":"${mspId}","reason":"node-not-registered"}`,
      { outlet: 'nobody' },
    ),
    record('center')(
      `WAYMARK_ROLE_NOT_PERMITTED: {"enrolmentId":"client","kind":"client","mspId":"${mspId}","reason":"node-kind"}`,
      { outlet: 'client' },
    ),
    record('center')(
      `WAYMARK_CERTIFICATE_UNTRUSTED: {"enrolmentId":"${outletName}","mspId":"${mspId}","reason":"certificate-not-registered"}`,
      { certificate: zeroes },
    ),
    record('center')(
      `WAYMARK_SEQUENCE_GAP: {"id":"${mspId}/${outletName}/${String(lastSeq)}","reason":"missing","seq":${String(lastSeq)}}`,
      {},
    ),
    record('center')(
      `WAYMARK_SEQUENCE_GAP: {"id":"${mspId}/${outletName}/${String(lastSeq)}","reason":"prev","seq":${String(lastSeq)}}`,
      {},
      { seq: lastSeq - 1, batchHash: zeroes },
    ),
    record('center')(`WAYMARK_CONFLICT: {"id":"${mspId}/${outletName}/1"}`, { seq: 1, prev: zeroes }),

    look('registerNode')(
      'WAYMARK_ROLE_NOT_PERMITTED: {"reason":"not-an-admin"}',
      JSON.stringify({ enrolmentId: 'nobody', kind: 'outlet', certificates: [ones] }),
    ),
    administer('registerNode')(
      `WAYMARK_CONFLICT: {"enrolmentId":"center","mspId":"${mspId}","reason":"node-exists"}`,
      JSON.stringify({ enrolmentId: 'center', kind: 'outlet', certificates: [ones] }),
    ),
    administer('registerNode')(
      'WAYMARK_INPUT_INVALID: {"place":"node.kind","reason":"is not one of center, outlet, department, reader, client"}',
      JSON.stringify({ enrolmentId: 'nobody', kind: 'admin', certificates: [ones] }),
    ),
    administer('registerNode')(
      'WAYMARK_INPUT_INVALID: {"place":"node.enrolmentId","reason":"contains a slash or a control character"}',
      JSON.stringify({ enrolmentId: 'no/body', kind: 'outlet', certificates: [ones] }),
    ),
    administer('revokeNode')(
      `WAYMARK_REFUSED: {"enrolmentId":"nobody","mspId":"${mspId}","reason":"no-such-node"}`,
      JSON.stringify({ enrolmentId: 'nobody', reason: 'ceased' }),
    ),
    administer('revokeCertificate')(
      'WAYMARK_REFUSED: {"enrolmentId":"center","reason":"no-such-certificate"}',
      JSON.stringify({ enrolmentId: 'center', certificate: ones, reason: 'superseded' }),
    ),
    administer('renewCertificate')(
      'WAYMARK_INPUT_INVALID: {"place":"renewal.replaces","reason":"is the new certificate itself"}',
      JSON.stringify({ enrolmentId: 'center', certificate: ones, replaces: ones }),
    ),
    administer('found')(
      `WAYMARK_ROLE_NOT_PERMITTED: {"mspId":"${mspId}","reason":"not-in-the-list"}`,
      JSON.stringify({ organisations: [carrier(second.mspId), carrier('NobodyMSP')] }),
    ),
    administer('found')(
      'WAYMARK_INPUT_INVALID: {"place":"founding.organisations","reason":"name one twice"}',
      JSON.stringify({ organisations: [carrier(mspId), carrier(mspId)] }),
    ),
    administer('propose')(
      `WAYMARK_CONFLICT: {"mspId":"${second.mspId}","reason":"already-admitted"}`,
      JSON.stringify({ kind: 'admit', mspId: second.mspId, role: 'carrier' }),
    ),
    administer('propose')(
      'WAYMARK_CONFLICT: {"mspId":"NobodyMSP","reason":"not-admitted"}',
      JSON.stringify({ kind: 'change-role', mspId: 'NobodyMSP', role: 'seller' }),
    ),
    administer('propose')(
      'WAYMARK_INPUT_INVALID: {"place":"change.field","reason":"is for regulators, who must have one"}',
      JSON.stringify({ kind: 'admit', mspId: 'NobodyMSP', role: 'regulator' }),
    ),
    administer('approve')(`WAYMARK_REFUSED: {"hash":"${zeroes}","reason":"no-such-proposal"}`, zeroes),
    look('getOrganisation')('WAYMARK_REFUSED: {"mspId":"NobodyMSP","reason":"not-there"}', 'NobodyMSP'),
    look('getNode')(
      `WAYMARK_REFUSED: {"enrolmentId":"nobody","mspId":"${mspId}","reason":"not-there"}`,
      mspId,
      'nobody',
    ),
    look('getKey')(`WAYMARK_REFUSED: {"msp":"${mspId}","participant":"nobody","reason":"not-there"}`, mspId, 'nobody'),
    look('publishKey')('WAYMARK_INPUT_INVALID: {"place":"statement","reason":"is not base64url"}', '?'),
    look('nothing')('WAYMARK_UNSUPPORTED: {"contract":"participants","reason":"no such function"}'),
  ];
}

/** The chaincode's own words in an error of a ledger call: everything from its mark on, as the gateway gave it. */
export function chaincodeText(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const details = 'details' in cause && Array.isArray(cause.details) ? (cause.details as unknown[]) : [];
    const texts = [...details.map((detail) => messageOf(detail)), cause.message];
    const text = texts.find((candidate) => candidate.includes('WAYMARK_'));
    if (text !== undefined) return text.slice(text.indexOf('WAYMARK_'));
  }
  return error instanceof Error ? error.message : String(error);
}

function messageOf(detail: unknown): string {
  const message = typeof detail === 'object' && detail !== null && 'message' in detail ? detail.message : '';
  return typeof message === 'string' ? message : '';
}
