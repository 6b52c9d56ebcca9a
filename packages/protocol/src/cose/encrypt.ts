import { isUtf8 } from 'node:buffer';
import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { cborTag, encodeCbor } from '../encoding/cbor.ts';
import { WaymarkError } from '../errors.ts';
import { a256gcm, decryptContent, ecdhEsHkdf256, encryptContent } from './algorithms.ts';
import { encryptAad } from './encrypt0.ts';
import {
  bytesOf,
  decodeProtected,
  decodeStructure,
  type DecodedHeader,
  encodeProtected,
  headerOf,
  label,
  malformed,
  structureTag,
} from './structure.ts';

const coordinateBytes = 32;
/** COSE_Key labels and values for an EC2 key on P-256 (RFC 9053 section 7.1). */
const coseKey = { kty: 1, crv: -1, x: -2, y: -3, ec2: 2, p256: 1 } as const;

/** A COSE_Encrypt as read: for whom it is says `kid`. */
export interface Encrypt {
  readonly kid: string;
  readonly open: (privateKey: KeyObject, externalAad: Uint8Array) => Uint8Array;
}

/**
 * Public P-256 key as COSE_Key.
 * @throws WaymarkError key-invalid
 */
export function toCoseKey(publicKey: KeyObject): ReadonlyMap<number, number | Uint8Array> {
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new WaymarkError('key-invalid', 'The key is not on P-256.');
  const { x, y } = publicKey.export({ format: 'jwk' });
  return new Map<number, number | Uint8Array>([
    [coseKey.kty, coseKey.ec2],
    [coseKey.crv, coseKey.p256],
    [coseKey.x, Buffer.from(x ?? '', 'base64url')],
    [coseKey.y, Buffer.from(y ?? '', 'base64url')],
  ]);
}

/**
 * Public P-256 key from a COSE_Key; a point off the curve is refused.
 * @throws WaymarkError input-invalid
 */
export function fromCoseKey(map: DecodedHeader): KeyObject {
  const x = bytesOf(map.get(coseKey.x));
  const y = bytesOf(map.get(coseKey.y));
  const fits = x.length === coordinateBytes && y.length === coordinateBytes && map.size === 4;
  if (!fits || map.get(coseKey.kty) !== coseKey.ec2 || map.get(coseKey.crv) !== coseKey.p256)
    throw malformed('a key is not on P-256');
  try {
    return createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: Buffer.from(x).toString('base64url'),
        y: Buffer.from(y).toString('base64url'),
      },
    });
  } catch {
    throw malformed('a key is not a point of P-256');
  }
}

/** Key derivation with the COSE_KDF_Context of RFC 9053 section 5.2; nonces and identities are empty. */
function contentKey(privateKey: KeyObject, publicKey: KeyObject, recipientProtected: Uint8Array): KeyObject {
  const party = [null, null, null];
  const context = encodeCbor([a256gcm.id, party, party, [a256gcm.keyBits, recipientProtected]]);
  return createSecretKey(ecdhEsHkdf256.deriveKey({ privateKey, publicKey }, context, a256gcm.keyBits));
}

/** Seals as COSE_Encrypt (RFC 9052 section 5.1) to one recipient's P-256 key with a fresh ephemeral key. */
export function encryptCose(
  recipient: { kid: string; publicKey: KeyObject },
  plaintext: Uint8Array,
  externalAad: Uint8Array,
): Uint8Array {
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const recipientProtected = encodeProtected(new Map([[label.alg, ecdhEsHkdf256.id]]));
  const key = contentKey(ephemeral.privateKey, recipient.publicKey, recipientProtected);
  const protectedBytes = encodeProtected(new Map([[label.alg, a256gcm.id]]));
  const iv = randomBytes(a256gcm.ivBytes);
  const ciphertext = encryptContent(key, iv, plaintext, encryptAad(protectedBytes, externalAad));
  const recipientHeaders = new Map<number, Uint8Array | ReadonlyMap<number, number | Uint8Array>>([
    [label.kid, Buffer.from(recipient.kid, 'utf8')],
    [label.ephemeralKey, toCoseKey(ephemeral.publicKey)],
  ]);
  const recipients = [[recipientProtected, recipientHeaders, new Uint8Array(0)]];
  return encodeCbor(cborTag(structureTag.encrypt, [protectedBytes, new Map([[label.iv, iv]]), ciphertext, recipients]));
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw malformed('its recipient is not a text');
  return Buffer.from(bytes).toString('utf8');
}

/**
 * Reads a COSE_Encrypt with one recipient.
 * @throws WaymarkError input-invalid, limit-exceeded; its `open` throws decryption-failed
 */
export function readEncrypt(bytes: Uint8Array, maxBytes: number): Encrypt {
  const [first, second, third, recipients] = decodeStructure(bytes, structureTag.encrypt, 4, maxBytes);
  const protectedBytes = bytesOf(first);
  const header = decodeProtected(protectedBytes);
  if (header.get(label.alg) !== a256gcm.id || header.size !== 1) throw malformed('its algorithm is not A256GCM');
  const unprotected = headerOf(second);
  const iv = bytesOf(unprotected.get(label.iv));
  const ciphertext = bytesOf(third);
  const recipient: unknown = Array.isArray(recipients) && recipients.length === 1 ? recipients[0] : undefined;
  if (!Array.isArray(recipient) || recipient.length !== 3) throw malformed('it has not exactly one recipient');
  const recipientProtected = bytesOf(recipient[0] as Uint8Array);
  const recipientHeader = decodeProtected(recipientProtected);
  if (recipientHeader.get(label.alg) !== ecdhEsHkdf256.id || recipientHeader.size !== 1)
    throw malformed('its key agreement is not ECDH-ES');
  const recipientHeaders = headerOf(recipient[1] as DecodedHeader);
  const ephemeral = fromCoseKey(headerOf(recipientHeaders.get(label.ephemeralKey)));
  if (bytesOf(recipient[2] as Uint8Array).length !== 0 || recipientHeaders.size !== 2 || unprotected.size !== 1) {
    throw malformed('it has unknown parts');
  }
  return {
    kid: textOf(bytesOf(recipientHeaders.get(label.kid))),
    open: (privateKey, externalAad) =>
      decryptContent(
        contentKey(privateKey, ephemeral, recipientProtected),
        iv,
        ciphertext,
        encryptAad(protectedBytes, externalAad),
      ),
  };
}
