import type { KeyObject } from 'node:crypto';
import { cborTag, type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { a256gcm, decryptContent, encryptContent } from './algorithms.ts';
import {
  bytesOf,
  decodeProtected,
  decodeStructure,
  type DecodedHeader,
  headerOf,
  label,
  malformed,
  structureTag,
} from './structure.ts';

/** A COSE_Encrypt0 as read. */
export interface Encrypt0 {
  readonly protectedBytes: Uint8Array;
  readonly header: DecodedHeader;
  readonly unprotected: DecodedHeader;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const noAad = new Uint8Array(0);

function encStructure(
  context: 'Encrypt0' | 'Encrypt',
  protectedBytes: Uint8Array,
  externalAad: Uint8Array,
): Uint8Array {
  return encodeCbor([context, protectedBytes, externalAad]);
}

/**
 * Seals as COSE_Encrypt0 (RFC 9052 section 5.2), A256GCM. `protectedBytes` must name that algorithm.
 * @param unprotected further unprotected headers beside the IV
 */
export function encryptCose0(
  key: KeyObject,
  parts: {
    protectedBytes: Uint8Array;
    iv: Uint8Array;
    unprotected?: ReadonlyMap<number | string, CborValue>;
    plaintext: Uint8Array;
    externalAad?: Uint8Array;
  },
): Uint8Array {
  const {
    protectedBytes,
    iv,
    unprotected = new Map<number | string, CborValue>(),
    plaintext,
    externalAad = noAad,
  } = parts;
  const ciphertext = encryptContent(key, iv, plaintext, encStructure('Encrypt0', protectedBytes, externalAad));
  const headers = new Map<number | string, CborValue>([[label.iv, iv], ...unprotected]);
  return encodeCbor(cborTag(structureTag.encrypt0, [protectedBytes, headers, ciphertext]));
}

/**
 * Reads a COSE_Encrypt0 with A256GCM, without opening it.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function readEncrypt0(bytes: Uint8Array, maxBytes: number): Encrypt0 {
  const [first, second, last] = decodeStructure(bytes, structureTag.encrypt0, 3, maxBytes);
  const protectedBytes = bytesOf(first);
  const header = decodeProtected(protectedBytes);
  if (header.get(label.alg) !== a256gcm.id) throw malformed('its algorithm is not A256GCM');
  const unprotected = headerOf(second);
  const iv = bytesOf(unprotected.get(label.iv));
  if (iv.length !== a256gcm.ivBytes) throw malformed('its IV has not 12 bytes');
  return { protectedBytes, header, unprotected, iv, ciphertext: bytesOf(last) };
}

/**
 * Opens a `readEncrypt0`.
 * @throws WaymarkError decryption-failed
 */
export function decryptCose0(key: KeyObject, message: Encrypt0, externalAad: Uint8Array = noAad): Uint8Array {
  return decryptContent(
    key,
    message.iv,
    message.ciphertext,
    encStructure('Encrypt0', message.protectedBytes, externalAad),
  );
}

/** The AEAD's additional data of a COSE_Encrypt (used by `encrypt.ts`). */
export function encryptAad(protectedBytes: Uint8Array, externalAad: Uint8Array): Uint8Array {
  return encStructure('Encrypt', protectedBytes, externalAad);
}
