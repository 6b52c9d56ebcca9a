import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { CoseSigner } from '../../src/index.ts';

/** A signer with a certificate of its own making. */
export interface TestSigner extends CoseSigner {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** One DER element (X.690): short or two-byte length is enough here. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), body]);
}

const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const commonNameId = der(0x06, Buffer.from('550403', 'hex'));

/** Signs with a fresh P-256 key; `der` is a self-signed certificate over it (RFC 5280). */
export function createTestSigner(name = 'outlet-1'): TestSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const distinguishedName = der(0x30, der(0x31, der(0x30, commonNameId, der(0x0c, Buffer.from(name)))));
  const validity = der(0x30, der(0x17, Buffer.from('260101000000Z')), der(0x17, Buffer.from('460101000000Z')));
  const version = der(0xa0, der(0x02, Uint8Array.of(2)));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const toBeSigned = der(
    0x30,
    version,
    der(0x02, Uint8Array.of(1)),
    ecdsaWithSha256,
    distinguishedName,
    validity,
    distinguishedName,
    spki,
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return {
    publicKey,
    privateKey,
    certificateDer: der(0x30, toBeSigned, ecdsaWithSha256, der(0x03, Uint8Array.of(0), signature)),
    sign: (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}
