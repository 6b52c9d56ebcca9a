import 'reflect-metadata';
import { webcrypto, KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  type X509Certificate,
} from '@peculiar/x509';
import { signingIdentityFromPem, type SigningIdentity } from '../../src/keys/signing-identity.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
export const dayMs = 24 * 3_600_000;
/** A moment at which everything the test authority issues by default is valid. */
export const testNowMs = Date.UTC(2026, 10, 21, 9);

/** What a test may ask for in a certificate. */
interface LeafOptions {
  readonly name?: string;
  readonly units?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly curve?: 'P-256' | 'P-384';
  readonly extensions?: readonly Extension[];
}

/** A CA for tests: as Fabric's tools issue certificates, without any of their files. */
export interface TestAuthority {
  readonly certificate: X509Certificate;
  readonly pem: string;
  issue(options?: LeafOptions): Promise<{
    readonly certificatePem: string;
    readonly privateKeyPem: string;
    readonly der: Uint8Array;
    readonly serialNumber: string;
  }>;
  identity(mspId: string, options?: LeafOptions): Promise<SigningIdentity>;
  subordinate(
    name: string,
    options?: { readonly pathLength?: number; readonly notAfterMs?: number },
  ): Promise<TestAuthority>;
  revoke(
    serialNumbers: readonly string[],
    options?: { readonly thisUpdateMs?: number; readonly extensions?: readonly Extension[] },
  ): Promise<string>;
}

const bytesOf = (view: ArrayBufferView | ArrayBuffer): Uint8Array =>
  view instanceof ArrayBuffer ? new Uint8Array(view) : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

let serial = 1;
const nextSerial = (): string => (serial += 1).toString(16).padStart(16, '5');

function caExtensions(pathLength?: number): Extension[] {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}

function authority(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): TestAuthority {
  const issue: TestAuthority['issue'] = async (options = {}) => {
    const { name = 'outlet-17', units = ['client'], attributes, curve = 'P-256' } = options;
    const leafKeys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, ['sign', 'verify']);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject: [...units.map((unit) => ({ OU: [unit] })), { CN: [name] }],
      issuer: certificate.subject,
      notBefore: new Date(options.notBeforeMs ?? testNowMs - dayMs),
      notAfter: new Date(options.notAfterMs ?? testNowMs + 365 * dayMs),
      signingKey: keys.privateKey,
      publicKey: leafKeys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        ...(attributes === undefined
          ? []
          : [new Extension('1.2.3.4.5.6.7.8.1', false, Buffer.from(JSON.stringify({ attrs: attributes })))]),
        ...(options.extensions ?? []),
      ],
    });
    return {
      certificatePem: leaf.toString('pem'),
      privateKeyPem: KeyObject.from(leafKeys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
      der: bytesOf(leaf.rawData),
      serialNumber: leaf.serialNumber,
    };
  };
  return {
    certificate,
    pem: certificate.toString('pem'),
    issue,
    identity: async (mspId, options) => signingIdentityFromPem({ mspId, ...(await issue(options)) }),
    async subordinate(name, options = {}) {
      const below = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const ca = await X509CertificateGenerator.create({
        serialNumber: nextSerial(),
        subject: `CN=${name}`,
        issuer: certificate.subject,
        notBefore: new Date(testNowMs - 2 * dayMs),
        notAfter: new Date(options.notAfterMs ?? testNowMs + 3_650 * dayMs),
        signingKey: keys.privateKey,
        publicKey: below.publicKey,
        signingAlgorithm: algorithm,
        extensions: caExtensions(options.pathLength),
      });
      return authority(ca, below);
    },
    async revoke(serialNumbers, options = {}) {
      const thisUpdateMs = options.thisUpdateMs ?? testNowMs;
      const crl = await X509CrlGenerator.create({
        issuer: certificate.subject,
        thisUpdate: new Date(thisUpdateMs),
        nextUpdate: new Date(thisUpdateMs + dayMs),
        extensions: [...(options.extensions ?? [])],
        signingAlgorithm: algorithm,
        signingKey: keys.privateKey,
        entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date(testNowMs) })),
      });
      return crl.toString('pem').replaceAll(' CRL', ' X509 CRL');
    },
  };
}

/** A self-signed root. */
export async function rootAuthority(
  name: string,
  options: { readonly pathLength?: number } = {},
): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: nextSerial(),
    name: `CN=${name}`,
    notBefore: new Date(testNowMs - 3 * dayMs),
    notAfter: new Date(testNowMs + 3_650 * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: caExtensions(options.pathLength),
  });
  return authority(certificate, keys);
}
