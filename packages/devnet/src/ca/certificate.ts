import 'reflect-metadata';
import { KeyObject, createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import type { X509Certificate } from '@peculiar/x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  type JsonName,
} from '@peculiar/x509';
import { isIP } from 'node:net';
import { normaliseLowS } from '../asn1/ecdsa-signature.ts';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };
/** Fabric's certificate extension for attributes: `{"attrs": {...}}` as JSON (fabric-ca, internal/pkg/attrmgr). */
const ATTRIBUTE_EXTENSION_OID = '1.2.3.4.5.6.7.8.1';

export type KeyPair = webcrypto.CryptoKeyPair;

/** What a certificate is issued for: decides key usages and extensions. */
export type CertificateUse = 'ca' | 'enrolment' | 'tls';

export interface Issuer {
  readonly certificate: X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

export interface CertificateRequest {
  readonly use: CertificateUse;
  readonly subject: JsonName;
  readonly publicKey: webcrypto.CryptoKey;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Fabric attributes (name → value), for chaincode that reads them. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** DNS names and IP addresses. */
  readonly subjectAltNames?: readonly string[];
}

/** WebCrypto whose signatures are low-S: Fabric rewrites the signature of a high-S certificate, which changes its bytes. */
const lowSCrypto: webcrypto.Crypto = {
  ...webcrypto,
  getRandomValues: webcrypto.getRandomValues.bind(webcrypto),
  randomUUID: webcrypto.randomUUID.bind(webcrypto),
  subtle: new Proxy(webcrypto.subtle, {
    get(target, property) {
      if (property === 'sign') {
        return async (...args: Parameters<webcrypto.SubtleCrypto['sign']>) => {
          const signature = normaliseLowS(new Uint8Array(await target.sign(...args)));
          return signature.buffer.slice(signature.byteOffset, signature.byteOffset + signature.length);
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  }),
};

export function generateKeyPair(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

/** The key as PKCS #8 PEM, the form Fabric's keystore reads. */
export function privateKeyToPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }) as string;
}

export function privateKeyFromPem(pem: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, KEY_ALGORITHM, true, ['sign']);
}

export async function keyPairFromPem(pem: string): Promise<KeyPair> {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await privateKeyFromPem(pem),
    publicKey: await webcrypto.subtle.importKey('spki', spki, KEY_ALGORITHM, true, ['verify']),
  };
}

/** Issues a certificate; without an issuer it is self-signed by `selfKey`. */
export async function createCertificate(
  request: CertificateRequest,
  issuer: Issuer | { readonly selfKey: webcrypto.CryptoKey },
): Promise<X509Certificate> {
  const selfSigned = 'selfKey' in issuer;
  const extensions: Extension[] = [...usageExtensions(request.use)];
  if (request.use === 'ca') {
    extensions.push(await SubjectKeyIdentifierExtension.create(request.publicKey, false, lowSCrypto));
  }
  if (!selfSigned) {
    extensions.push(await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey, false, lowSCrypto));
  }
  if (request.subjectAltNames !== undefined && request.subjectAltNames.length > 0) {
    extensions.push(
      new SubjectAlternativeNameExtension(
        request.subjectAltNames.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
    );
  }
  if (request.attributes !== undefined) {
    extensions.push(
      new Extension(ATTRIBUTE_EXTENSION_OID, false, Buffer.from(JSON.stringify({ attrs: request.attributes }))),
    );
  }
  return X509CertificateGenerator.create(
    {
      serialNumber: createSerialNumber(),
      subject: request.subject,
      issuer: selfSigned ? request.subject : issuer.certificate.subjectName,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      publicKey: request.publicKey,
      signingKey: selfSigned ? issuer.selfKey : issuer.privateKey,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions,
    },
    lowSCrypto,
  );
}

/** A revocation list over serial numbers (hexadecimal), valid from `thisUpdate`. */
export async function createCrlPem(
  issuer: Issuer,
  serialNumbers: readonly string[],
  thisUpdate: Date,
  nextUpdate: Date,
): Promise<string> {
  const crl = await X509CrlGenerator.create(
    {
      issuer: issuer.certificate.subjectName,
      thisUpdate,
      nextUpdate,
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: thisUpdate })),
      extensions: [await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey, false, lowSCrypto)],
      signingAlgorithm: SIGNING_ALGORITHM,
      signingKey: issuer.privateKey,
    },
    lowSCrypto,
  );
  return PemConverter.encode(crl.rawData, 'X509 CRL');
}

function usageExtensions(use: CertificateUse): Extension[] {
  switch (use) {
    case 'ca':
      return [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(
          KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
          true,
        ),
      ];
    case 'enrolment':
      return [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ];
    case 'tls':
      return [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ];
  }
}

/** 16 random octets, positive (RFC 5280, 4.1.2.2). */
function createSerialNumber(): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.toString('hex');
}
