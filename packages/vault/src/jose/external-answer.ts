import { base64url, compactVerify, decodeProtectedHeader } from 'jose';
import {
  WaymarkError,
  canonicalJsonBytes,
  parseContent,
  parseJsonStrict,
  type JsonValue,
  type RecordContent,
} from '@waymark/protocol';
import { parseCertificate, type ParsedCertificate } from '../keys/certificate.ts';
import type { CertificateVerifier } from '../keys/certificate-verifier.ts';
import type { EncryptionKeyPair, EncryptionPublicKey } from '../keys/encryption-key.ts';
import type { SigningIdentity } from '../keys/signing-identity.ts';
import { decryptCompact, encryptCompact } from './compact-jwe.ts';

const outerType = 'waymark-external-answer+jwe';
const innerType = 'waymark-external-answer+jws';
/** A record of 1 MiB, twice base64url, with room for the rest. */
const maxBytes = 2 * 1024 * 1024;

/** What an outlet answers somebody outside the consortium (S9). */
export interface ExternalAnswer {
  /** Lower-case hex. */
  readonly recordOid: string;
  readonly content: RecordContent;
  /** `<msp>/<outlet>/<seq>`: where the evidence lies on the channel. */
  readonly evidenceId: string;
  /** The nonce of the query. */
  readonly nonce: string;
}

/** An opened answer and who signed it. */
export interface OpenedExternalAnswer extends ExternalAnswer {
  /** DER of the outlet's certificate. It is only trusted when the reader gave a verifier. */
  readonly certificateDer: Uint8Array;
}

/**
 * Signs an answer with the outlet's certificate (JWS, x5c) and encrypts it for the asker (JWE): the center between the two can
 * neither read nor replace it.
 * @param nonce the query's; together with the outlet it is bound into the key agreement
 */
export async function sealExternalAnswer(
  answer: ExternalAnswer,
  outlet: SigningIdentity,
  asker: EncryptionPublicKey,
): Promise<string> {
  const header = {
    alg: 'ES256',
    typ: innerType,
    x5c: [Buffer.from(outlet.certificateDer).toString('base64')],
  };
  const signed = `${encodeJson(header)}.${encodeJson(answer)}`;
  const signature = outlet.sign(Buffer.from(signed, 'ascii'));
  const jws = `${signed}.${base64url.encode(signature)}`;
  return await encryptCompact(Buffer.from(jws, 'ascii'), asker, bindingOf(outlet.enrolmentId, answer.nonce));
}

/**
 * Opens an answer: it must be for this key, from this outlet, to this query, and signed by the outlet's certificate.
 * @param expected.verifier checks that certificate against the organisation's CA; without it the caller knows only that one and the same
 *   key signed, not whose it is
 * @throws WaymarkError decryption-failed, signature-invalid, certificate-untrusted, certificate-expired, limit-exceeded
 */
export async function openExternalAnswer(
  jwe: string,
  asker: EncryptionKeyPair,
  expected: {
    readonly outlet: string;
    readonly nonce: string;
    readonly nowMs: number;
    readonly verifier?: CertificateVerifier;
  },
): Promise<OpenedExternalAnswer> {
  const inner = await decryptCompact(jwe, asker, bindingOf(expected.outlet, expected.nonce), maxBytes);
  const jws = Buffer.from(inner).toString('latin1');
  const certificate = signerOf(jws);
  if (certificate.enrolmentId !== expected.outlet) throw invalid();
  expected.verifier?.verify(certificate.der, { atMs: expected.nowMs });
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(jws, certificate.publicKey, { algorithms: ['ES256'] }));
  } catch {
    throw invalid();
  }
  const answer = readAnswer(payload);
  if (answer.nonce !== expected.nonce) throw invalid();
  return { ...answer, certificateDer: certificate.der };
}

function bindingOf(outlet: string, nonce: string): Parameters<typeof encryptCompact>[2] {
  return { typ: outerType, apu: Buffer.from(outlet, 'utf8'), apv: Buffer.from(nonce, 'utf8') };
}

function encodeJson(value: unknown): string {
  return base64url.encode(Buffer.from(JSON.stringify(value), 'utf8'));
}

function invalid(): WaymarkError {
  return new WaymarkError('signature-invalid', 'The answer is not signed by this outlet, or has another form.');
}

function signerOf(jws: string): ParsedCertificate {
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(jws);
  } catch {
    throw invalid();
  }
  const x5c: readonly unknown[] = Array.isArray(header['x5c']) ? header['x5c'] : [];
  const [first] = x5c;
  if (Object.keys(header).length !== 3 || header['alg'] !== 'ES256' || header['typ'] !== innerType) throw invalid();
  if (typeof first !== 'string' || x5c.length !== 1) throw invalid();
  return parseCertificate(Buffer.from(first, 'base64'));
}

function readAnswer(payload: Uint8Array): ExternalAnswer {
  let answer: JsonValue;
  try {
    answer = parseJsonStrict(payload, { maxBytes });
  } catch {
    throw invalid();
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw invalid();
  const { recordOid, content, evidenceId, nonce } = answer as Partial<Record<keyof ExternalAnswer, JsonValue>>;
  if (typeof recordOid !== 'string' || !/^[0-9a-f]{64}$/.test(recordOid)) throw invalid();
  if (typeof evidenceId !== 'string' || typeof nonce !== 'string' || content === undefined) throw invalid();
  if (Object.keys(answer).length !== 4) throw invalid();
  return { recordOid, content: parseContent(canonicalJsonBytes(content)), evidenceId, nonce };
}
