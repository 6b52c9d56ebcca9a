import type { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { cryptoProvider, X509CertificateGenerator } from '@peculiar/x509';
import { msp } from '@hyperledger/fabric-protos';
import type { Random } from './random.ts';
import { encodeVarint } from './wire.ts';

/** Creators that no network issued, each with what is wrong with it. */
export interface HostileIdentity {
  readonly name: string;
  readonly serialized: Uint8Array;
}

/** Built around the certificate of a right identity. */
export async function createHostileIdentities(
  mspId: string,
  certificatePem: string,
): Promise<readonly HostileIdentity[]> {
  const der = Buffer.from(certificatePem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const flipped = (at: number) => {
    const copy = Buffer.from(der);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return pem(copy);
  };
  const of = (name: string, text: string | Buffer, id = mspId): HostileIdentity => ({
    name,
    serialized: serialize(id, Buffer.from(text)),
  });
  return [
    { name: 'no bytes', serialized: new Uint8Array() },
    { name: 'noise', serialized: Buffer.from('not an identity') },
    {
      name: 'length past the end',
      serialized: Buffer.concat([Buffer.from([0x0a]), encodeVarint(2 ** 31 - 1), Buffer.from('x')]),
    },
    of('no certificate', ''),
    of('not PEM', 'hello'),
    of('PEM of nothing', pem(Buffer.alloc(0))),
    of('PEM of noise', pem(Buffer.alloc(600, 0x30))),
    of('a key instead of a certificate', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
    of('endless BEGIN lines', '-----BEGIN CERTIFICATE-----\n'.repeat(20_000)),
    of('cut DER', pem(der.subarray(0, der.length / 2))),
    of(
      'DER with a length past the end',
      pem(Buffer.concat([Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), der.subarray(4)])),
    ),
    of(
      'DER of indefinite length',
      pem(Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(4), Buffer.from([0, 0])])),
    ),
    of('deep DER', pem(deepDer(20_000))),
    of('trailing bytes', pem(Buffer.concat([der, Buffer.alloc(1000, 1)]))),
    of('two certificates', certificatePem + certificatePem),
    of('one mebibyte of certificate', Buffer.concat([Buffer.from(certificatePem), Buffer.alloc(1024 * 1024, 0x0a)])),
    ...[20, 60, 120, 200, der.length - 80, der.length - 5].map((at) => of(`byte ${at} flipped`, flipped(at))),
    of('negative serial number', pem(negativeSerial(der))),
    of('unknown MSP', certificatePem, 'NoneMSP'),
    of('MSP named __proto__', certificatePem, '__proto__'),
    of('MSP of a mebibyte', certificatePem, 'M'.repeat(1024 * 1024)),
    of('own authority', await selfSigned('ES256')),
    of('curve P-384', await selfSigned('ES384')),
    of('curve P-521', await selfSigned('ES512')),
    of('RSA', await selfSigned('RS256')),
    of('Ed25519', await selfSigned('EdDSA')),
    of('huge extension', await selfSigned('ES256', 200_000)),
  ];
}

/** Signatures that are right for nothing, or right in a form that Fabric refuses. */
export function hostileSignature(random: Random, right: Uint8Array): Uint8Array {
  const der = Buffer.from(right);
  return random.pick([
    () => Buffer.alloc(0),
    () => Buffer.from([0x30]),
    () => Buffer.from([0x30, 0x00]),
    () => Buffer.from([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]),
    () => Buffer.from([0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0xff]),
    () => Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
    () => Buffer.concat([der, Buffer.alloc(100_000)]),
    () => der.subarray(0, der.length - 1),
    () => highS(der),
    () => random.bytes(70),
    () => Buffer.concat([Buffer.from([0x30, 0x82, 0x10, 0x00, 0x02, 0x82, 0x0f, 0xfc]), Buffer.alloc(4092, 1)]),
  ])();
}

/** The same signature with s replaced by n - s: valid by the algorithm, refused by Fabric. */
function highS(der: Buffer): Buffer {
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const rLength = der[3] ?? 0;
  const s = BigInt(`0x${der.subarray(4 + rLength + 2).toString('hex') || '0'}`);
  const high = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  const integer = (high[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), high]) : high;
  const body = Buffer.concat([der.subarray(2, 4 + rLength), Buffer.from([0x02, integer.length]), integer]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function serialize(mspId: string, idBytes: Buffer): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(idBytes);
  return identity.serializeBinary();
}

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function deepDer(depth: number): Buffer {
  let content = Buffer.from([0x05, 0x00]);
  const heads: Buffer[] = [];
  let length = content.length;
  for (let i = 0; i < depth; i++) {
    const head = Buffer.from([0x30, 0x83, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]);
    heads.push(head);
    length += head.length;
  }
  content = Buffer.concat([...heads.reverse(), content]);
  return content;
}

/** The first INTEGER after the version is the serial number. */
function negativeSerial(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  const at = copy.indexOf(Buffer.from([0xa0, 0x03, 0x02, 0x01, 0x02, 0x02]));
  if (at >= 0) copy[at + 7] = 0x80 | (copy[at + 7] ?? 0);
  return copy;
}

const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

async function selfSigned(kind: keyof typeof ALGORITHMS, extensionBytes = 0): Promise<string> {
  const { Extension } = await import('@peculiar/x509');
  cryptoProvider.set(globalThis.crypto);
  const algorithm = ALGORITHMS[kind];
  const keys = (await globalThis.crypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=stranger,OU=client',
    keys,
    signingAlgorithm: algorithm,
    serialNumber: '01',
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2049-01-01'),
    extensions: extensionBytes === 0 ? [] : [new Extension('1.2.3.4', false, Buffer.alloc(extensionBytes, 0x30))],
  });
  return certificate.toString('pem');
}
