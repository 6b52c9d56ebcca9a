import 'reflect-metadata';
import { X509Certificate as NodeCertificate, createHash, type KeyObject } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
} from '@peculiar/x509';
import { WaymarkError } from '@waymark/protocol';

/** Roles a Fabric MSP tells apart by the organisational unit of a certificate (NodeOUs). */
export type NodeRole = 'client' | 'peer' | 'admin' | 'orderer';

const nodeRoles: ReadonlySet<string> = new Set<NodeRole>(['client', 'peer', 'admin', 'orderer']);
/** Fabric's attribute extension: JSON `{"attrs": {name: value}}`. */
const fabricAttributesOid = '1.2.3.4.5.6.7.8.1';
/** Basic constraints, key usage, extended key usage, subject alternative name, key ids: all others must not be critical. */
const knownExtensions = new Set(['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17', '2.5.29.14', '2.5.29.35']);
const maxCertificateBytes = 16 * 1024;

/** What we read in a certificate. Whether it is to be trusted is another question (`certificateVerifier`). */
export interface ParsedCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER: its name in COSE headers (x5t) and batch statements. */
  readonly digest: Uint8Array;
  /** Common name of the subject. */
  readonly enrolmentId: string;
  /** Null when no unit, or more than one, names a role. */
  readonly role: NodeRole | null;
  readonly attributes: ReadonlyMap<string, string>;
  /** Lower-case hex without leading zeros. */
  readonly serialNumber: string;
  /** Name of the key that signed it; null when it does not say. */
  readonly authorityKeyId: Uint8Array | null;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCa: boolean;
  readonly maySignCertificates: boolean;
  readonly maySignCrls: boolean;
  readonly pathLength: number | null;
  readonly publicKey: KeyObject;
  readonly node: NodeCertificate;
}

function untrusted(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('certificate-untrusted', `The certificate is not usable: ${reason}.`, { cause });
}

function attributesOf(certificate: X509Certificate): ReadonlyMap<string, string> {
  const extension = certificate.getExtension(fabricAttributesOid);
  if (extension === null) return new Map();
  const parsed: unknown = JSON.parse(Buffer.from(extension.value).toString('utf8'));
  const attrs: unknown = typeof parsed === 'object' && parsed !== null && 'attrs' in parsed ? parsed.attrs : null;
  if (typeof attrs !== 'object' || attrs === null) throw untrusted('its attribute extension is malformed');
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(attrs) as [string, unknown][]) {
    if (typeof value !== 'string') throw untrusted('its attribute extension is malformed');
    entries.push([name, value]);
  }
  return new Map(entries);
}

function roleOf(certificate: X509Certificate): NodeRole | null {
  const roles = certificate.subjectName.getField('OU').filter((unit) => nodeRoles.has(unit));
  return roles.length === 1 ? (roles[0] as NodeRole) : null;
}

/** SHA-256 of a certificate's DER. */
export function certificateDigest(der: Uint8Array): Uint8Array {
  return createHash('sha256').update(der).digest();
}

/**
 * Reads an X.509 certificate (RFC 5280) as Fabric issues them.
 * @throws WaymarkError certificate-untrusted: not a certificate, SHA-1, unknown critical extension, no common name
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  if (der.length === 0 || der.length > maxCertificateBytes) throw untrusted('its size is out of bounds');
  try {
    const node = new NodeCertificate(der);
    // OpenSSL reads the first of several concatenated certificates and PEM as well: only the exact DER is one.
    if (!node.raw.equals(der)) throw untrusted('it is not exactly one DER certificate');
    return read(node, new X509Certificate(new Uint8Array(node.raw)));
  } catch (error) {
    throw error instanceof WaymarkError ? error : untrusted('it cannot be read', error);
  }
}

function read(node: NodeCertificate, certificate: X509Certificate): ParsedCertificate {
  const algorithm = certificate.signatureAlgorithm as { readonly hash?: { readonly name: string } };
  if (algorithm.hash?.name === 'SHA-1') throw untrusted('it is signed over SHA-1');
  for (const extension of certificate.extensions) {
    if (extension.critical && !knownExtensions.has(extension.type))
      throw untrusted('it has an unknown critical extension');
  }
  const names = certificate.subjectName.getField('CN');
  const [enrolmentId] = names;
  if (names.length !== 1 || enrolmentId === undefined || !/^[^\p{Control}\p{Surrogate}]{1,64}$/u.test(enrolmentId)) {
    throw untrusted('it does not have exactly one common name of 1 to 64 characters');
  }
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  const usages = certificate.getExtension(KeyUsagesExtension)?.usages;
  const keyId = certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  const isCa = constraints?.ca === true;
  return {
    der: node.raw,
    digest: certificateDigest(node.raw),
    enrolmentId,
    role: roleOf(certificate),
    attributes: attributesOf(certificate),
    serialNumber: canonicalSerial(certificate.serialNumber),
    authorityKeyId: keyId === undefined ? null : Buffer.from(keyId, 'hex'),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
    isCa,
    maySignCertificates: isCa && (usages === undefined || (usages & KeyUsageFlags.keyCertSign) !== 0),
    maySignCrls: isCa && (usages === undefined || (usages & KeyUsageFlags.cRLSign) !== 0),
    pathLength: constraints?.pathLength ?? null,
    publicKey: node.publicKey,
    node,
  };
}

/** Serial numbers are integers: leading zeros and case do not count. */
export function canonicalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

/**
 * Every certificate in a PEM text.
 * @throws WaymarkError certificate-untrusted
 */
export function parseCertificatesPem(pem: string): readonly ParsedCertificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    const body = block.replace(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, '');
    return parseCertificate(Buffer.from(body, 'base64'));
  });
}
