import { WaymarkError, decodeFields, encodeCbor, readSign1, signCose, verifySign1 } from '@waymark/protocol';
import type { CertificateVerifier } from '../keys/certificate-verifier.ts';
import type { SigningIdentity } from '../keys/signing-identity.ts';

const type = 'allow-list';
const maxKeys = 1_024;
const maxBytes = 64 * 1024;

/** Who outside the consortium may ask for the records of one consignment (S9), as its outlet signed it. */
export interface AllowList {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id of the outlet. */
  readonly outlet: string;
  /** 16 bytes. */
  readonly consignmentOid: Uint8Array;
  /** 1, 2, 3, ...: a list with a higher number takes the place of those before. */
  readonly seq: number;
  readonly issuedAtMs: number;
  /** RFC 7638 thumbprints (base64url) of the askers' signing keys. */
  readonly askerKids: readonly string[];
}

/**
 * Signs an allow-list: COSE_Sign1 over {v, type, channel, msp, outlet, consignment, seq, issuedAt, keys}; keys are sorted 32-byte thumbprints.
 * @throws WaymarkError input-invalid: a key id that is none; limit-exceeded: more than 1,024 keys
 */
export function signAllowList(identity: SigningIdentity, list: Omit<AllowList, 'msp' | 'outlet'>): Uint8Array {
  const { channel, consignmentOid, seq, issuedAtMs, askerKids } = list;
  if (askerKids.length > maxKeys) {
    throw new WaymarkError('limit-exceeded', 'An allow-list has at most 1,024 keys.', { details: { maxKeys } });
  }
  const keys = [...new Set(askerKids)].map((kid) => thumbprint(kid)).sort((a, b) => Buffer.compare(a, b));
  const payload = encodeCbor({
    v: 1,
    type,
    channel,
    msp: identity.mspId,
    outlet: identity.enrolmentId,
    consignment: consignmentOid,
    seq,
    issuedAt: issuedAtMs,
    keys,
  });
  return signCose(identity, { type, channel }, payload);
}

function thumbprint(kid: string): Uint8Array {
  const bytes = Buffer.from(kid, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== kid) {
    throw new WaymarkError('input-invalid', 'A key id is an RFC 7638 thumbprint in base64url.');
  }
  return bytes;
}

/**
 * Verifies an allow-list: the outlet it names signed it, with a certificate of its organisation.
 * @throws WaymarkError input-invalid, signature-invalid, certificate-untrusted, certificate-expired, certificate-revoked,
 *   recipient-mismatch: another organisation's
 */
export function verifyAllowList(
  bytes: Uint8Array,
  expected: {
    readonly channel: string;
    readonly msp: string;
    readonly verifier: CertificateVerifier;
    readonly nowMs: number;
  },
): AllowList {
  const { channel, msp, verifier, nowMs } = expected;
  const message = readSign1(bytes);
  const payload = verifySign1(message, { type, channel });
  const certificate = verifier.verify(message.certificateDer, { atMs: nowMs });
  const fields = decodeFields(payload, 'allow-list', maxBytes);
  fields.constant('v', 1);
  fields.constant('type', type);
  fields.constant('channel', channel);
  const list: AllowList = {
    channel,
    msp: fields.text('msp'),
    outlet: fields.text('outlet'),
    consignmentOid: fields.bytes('consignment', 16),
    seq: fields.integer('seq', 1),
    issuedAtMs: fields.integer('issuedAt'),
    askerKids: fields.list('keys', maxKeys).map((key) => kidOf(key)),
  };
  fields.end();
  if (list.msp !== msp) throw new WaymarkError('recipient-mismatch', 'The allow-list is that of another organisation.');
  if (list.outlet !== certificate.enrolmentId) {
    throw new WaymarkError('signature-invalid', 'The allow-list was not signed by the outlet it names.');
  }
  return list;
}

function kidOf(key: unknown): string {
  if (!(key instanceof Uint8Array) || key.length !== 32) {
    throw new WaymarkError('input-invalid', 'An allow-list holds key thumbprints of 32 bytes.');
  }
  return Buffer.from(key).toString('base64url');
}
