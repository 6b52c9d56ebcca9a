import { createHash } from 'node:crypto';
import { Refusal } from '../errors.ts';
import { identifierProblem } from '../state/keys.ts';
import { readElement, readElements, type DerElement } from './der.ts';

/** Who signed the transaction: taken from its creator, whose certificate the peer has verified against the MSP. */
export interface Caller {
  readonly mspId: string;
  /** Common name of the certificate. */
  readonly enrolmentId: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly certificate: string;
  /** Organisational units: Fabric's NodeOU roles are among them. */
  readonly units: readonly string[];
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** What a creator looks like to the shim. */
export interface Creator {
  readonly mspid: string;
  readonly idBytes: Uint8Array;
}

const commonNameOid = '550403';
const organisationalUnitOid = '55040b';
const textTags = new Set([0x0c, 0x13, 0x16]); // UTF8String, PrintableString, IA5String

/**
 * Reads the caller from the transaction's creator. The subject is taken from the DER itself: its printed form differs between
 * versions of Node, and two endorsers must agree.
 *
 * @throws `certificate-untrusted` when the certificate has not exactly one common name that can be an id, or is not readable
 */
export function readCaller(creator: Creator): Caller {
  if (identifierProblem(creator.mspid) !== undefined) return untrusted('msp-id');
  return { mspId: creator.mspid, ...readIdentity(decodePem(Buffer.from(creator.idBytes).toString('latin1'))) };
}

/**
 * Who a certificate is for. Who issued it is not looked at.
 *
 * @throws `certificate-untrusted` as `readCaller`
 */
export function readIdentity(der: Uint8Array): Omit<Caller, 'mspId'> {
  const parts = readCertificate(der);
  const [commonName, ...others] = parts.subject.get(commonNameOid) ?? [];
  if (commonName === undefined || others.length > 0) return untrusted('common-name');
  if (identifierProblem(commonName) !== undefined) return untrusted('common-name');
  return {
    enrolmentId: commonName,
    certificate: createHash('sha256').update(der).digest('hex'),
    units: parts.subject.get(organisationalUnitOid) ?? [],
    publicKey: parts.publicKey,
  };
}

function untrusted(reason: string): never {
  throw new Refusal('certificate-untrusted', { reason });
}

function decodePem(text: string): Uint8Array {
  const match = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text);
  return Buffer.from(match?.[1] ?? untrusted('encoding'), 'base64');
}

function readCertificate(der: Uint8Array): { subject: ReadonlyMap<string, readonly string[]>; publicKey: Uint8Array } {
  try {
    const certificate = readElement(der);
    if (certificate.bytes.length !== der.length) return untrusted('encoding');
    const [body] = readElements(certificate.content);
    const fields = body === undefined ? [] : readElements(body.content).filter((field) => field.tag !== 0xa0);
    // serial, signature algorithm, issuer, validity, subject, public key (RFC 5280 section 4.1); the version is tagged [0].
    const [, , , , subject, publicKey] = fields;
    if (subject === undefined || publicKey === undefined) return untrusted('encoding');
    return { subject: readName(subject), publicKey: publicKey.bytes };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return untrusted('encoding');
  }
}

function readName(name: DerElement): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, string[]>();
  for (const relativeName of readElements(name.content)) {
    for (const attribute of readElements(relativeName.content)) {
      const [type, value] = readElements(attribute.content);
      if (type === undefined || value === undefined) return untrusted('encoding');
      const oid = Buffer.from(type.content).toString('hex');
      if (oid !== commonNameOid && oid !== organisationalUnitOid) continue;
      if (!textTags.has(value.tag)) return untrusted('encoding');
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.content);
      attributes.set(oid, [...(attributes.get(oid) ?? []), text]);
    }
  }
  return attributes;
}
