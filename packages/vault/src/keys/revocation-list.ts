import 'reflect-metadata';
import { createHash, verify } from 'node:crypto';
import { X509Crl } from '@peculiar/x509';
import { WaymarkError } from '@waymark/protocol';
import { canonicalSerial, type ParsedCertificate } from './certificate.ts';

const crlNumberOid = '2.5.29.20';

/** What a revocation list says of itself. */
export interface RevocationListFacts {
  /** Subject of the CA that signed it. */
  readonly issuer: string;
  /** SHA-256 of the CA's public key (SPKI), lower-case hex. */
  readonly issuerKey: string;
  /** CRL number (RFC 5280 section 5.2.3); null where the CA counts none, as Fabric CA does not. */
  readonly number: bigint | null;
  readonly thisUpdateMs: number;
  /** When the next one was due; null when it does not say. */
  readonly nextUpdateMs: number | null;
  /** Certificates on it. */
  readonly count: number;
}

/** Certificates an organisation's CAs took back. */
export interface Revocations {
  readonly lists: readonly RevocationListFacts[];
  contains(issuer: ParsedCertificate, subject: ParsedCertificate): boolean;
}

/** A CRL taken apart (RFC 5280 section 5.1): what is signed, by what, and the signature. */
interface SignedList {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Length and content offset of the DER element at `offset`. */
function element(der: Uint8Array, offset: number): { readonly start: number; readonly end: number } {
  const first = der[offset + 1] ?? 0;
  if (first < 0x80) return { start: offset + 2, end: offset + 2 + first };
  let length = 0;
  for (let index = 0; index < (first & 0x7f); index += 1) length = length * 256 + (der[offset + 2 + index] ?? 0);
  const start = offset + 2 + (first & 0x7f);
  return { start, end: start + length };
}

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }. */
function takeApart(der: Uint8Array): SignedList {
  const list = element(der, 0);
  const body = element(der, list.start);
  const algorithm = element(der, body.end);
  const bits = element(der, algorithm.end);
  if (bits.end !== der.length) throw new Error('not exactly one list');
  return { signed: der.subarray(list.start, body.end), signature: der.subarray(bits.start + 1, bits.end) };
}

function refuse(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('configuration-invalid', `A revocation list is not usable: ${reason}.`, { cause });
}

function issuerOf(crl: X509Crl, der: Uint8Array, authorities: readonly ParsedCertificate[]): ParsedCertificate {
  const hash = (crl.signatureAlgorithm as { readonly hash?: { readonly name: string } }).hash?.name;
  const digest = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' }[hash ?? ''];
  if (digest === undefined) throw refuse('its signature algorithm is not supported');
  const { signed, signature } = takeApart(der);
  const issuer = authorities.find(
    (authority) => authority.maySignCrls && verify(digest, signed, authority.publicKey, signature),
  );
  if (issuer === undefined) throw refuse('no CA of the organisation signed it');
  return issuer;
}

function keyDigest(issuer: ParsedCertificate): string {
  return createHash('sha256')
    .update(issuer.publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

function factsOf(crl: X509Crl, issuer: ParsedCertificate): RevocationListFacts {
  // A list that is only part of one, or only changes to one, says so in a critical extension.
  if (crl.extensions.some(({ critical }) => critical))
    throw refuse('it has a critical extension that is not supported');
  return {
    issuer: issuer.node.subject,
    issuerKey: keyDigest(issuer),
    number: numberOf(crl),
    thisUpdateMs: crl.thisUpdate.getTime(),
    nextUpdateMs: crl.nextUpdate?.getTime() ?? null,
    count: crl.entries.length,
  };
}

/** CRLNumber ::= INTEGER (0..MAX), of at most 20 octets. */
function numberOf(crl: X509Crl): bigint | null {
  const value = crl.extensions.find(({ type }) => type === crlNumberOid)?.value;
  if (value === undefined) return null;
  const der = Buffer.from(value);
  const [tag, length] = der;
  if (tag !== 2 || length !== der.length - 2 || length < 1 || length > 21 || (der[2] ?? 0) >= 0x80) {
    throw refuse('its number does not have the required form');
  }
  return BigInt(`0x${der.subarray(2).toString('hex')}`);
}

/**
 * Reads revocation lists, each signed by one of the authorities. Being out of date does not make a list void: what was
 * revoked stays revoked.
 * @throws WaymarkError configuration-invalid
 */
export function readRevocations(crlsPem: readonly string[], authorities: readonly ParsedCertificate[]): Revocations {
  const revoked = new Set<string>();
  const lists: RevocationListFacts[] = [];
  for (const pem of crlsPem) {
    const blocks = pem.match(/-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----/g);
    if (blocks === null) throw refuse('there is none in the PEM text');
    for (const block of blocks) {
      const der = Buffer.from(block.replace(/-----(?:BEGIN|END) X509 CRL-----|\s/g, ''), 'base64');
      try {
        const crl = new X509Crl(new Uint8Array(der));
        const issuer = issuerOf(crl, der, authorities);
        const facts = factsOf(crl, issuer);
        lists.push(facts);
        for (const entry of crl.entries) revoked.add(`${facts.issuerKey}:${canonicalSerial(entry.serialNumber)}`);
      } catch (error) {
        throw error instanceof WaymarkError ? error : refuse('it cannot be read', error);
      }
    }
  }
  return {
    lists,
    contains: (issuer, subject) => revoked.size > 0 && revoked.has(`${keyDigest(issuer)}:${subject.serialNumber}`),
  };
}
