import { CompactEncrypt, base64url, compactDecrypt, decodeProtectedHeader } from 'jose';
import { WaymarkError } from '@waymark/protocol';
import type { EncryptionKeyPair, EncryptionPublicKey } from '../keys/encryption-key.ts';
import { parseEncryptionPublicKey } from '../keys/encryption-key.ts';

const algorithm = 'ECDH-ES+A256KW';
const encryption = 'A256GCM';

/** The parts of a JWE header that sender and reader both know; each must be there and be equal. */
export interface JweBinding {
  readonly typ?: string;
  readonly kid?: string;
  /** Agreement PartyUInfo (RFC 7518 section 4.6.1.2): who sends. */
  readonly apu?: Uint8Array;
  /** Agreement PartyVInfo: for whom and what for. */
  readonly apv?: Uint8Array;
}

/** Encrypts for one recipient: compact JWE (RFC 7516), ECDH-ES+A256KW, A256GCM; every header parameter is protected. */
export async function encryptCompact(
  plaintext: Uint8Array,
  recipient: EncryptionPublicKey,
  binding: JweBinding,
): Promise<string> {
  const { typ, kid, apu, apv } = binding;
  return await new CompactEncrypt(plaintext)
    .setProtectedHeader({
      alg: algorithm,
      enc: encryption,
      ...(typ === undefined ? {} : { typ }),
      ...(kid === undefined ? {} : { kid }),
    })
    .setKeyManagementParameters({ ...(apu === undefined ? {} : { apu }), ...(apv === undefined ? {} : { apv }) })
    .encrypt(recipient.keyObject);
}

function failed(): WaymarkError {
  return new WaymarkError('decryption-failed', 'The message was not encrypted for this key and purpose.');
}

/** Exactly the parameters we send, with exactly the values we expect; anything else is not ours. */
function checkHeader(jwe: string, pair: EncryptionKeyPair, binding: JweBinding): void {
  const header: Readonly<Record<string, unknown>> = decodeProtectedHeader(jwe);
  const expected: Record<string, string | undefined> = {
    alg: algorithm,
    enc: encryption,
    typ: binding.typ,
    kid: binding.kid,
    apu: binding.apu && base64url.encode(binding.apu),
    apv: binding.apv && base64url.encode(binding.apv),
  };
  for (const name of Object.keys(header)) if (name !== 'epk' && !(name in expected)) throw failed();
  for (const [name, value] of Object.entries(expected)) if (header[name] !== value) throw failed();
  // Form, curve and order of the ephemeral key are ours to judge, not the library's alone.
  if (parseEncryptionPublicKey(header['epk']).curve !== pair.curve) throw failed();
}

/**
 * Opens what `encryptCompact` made with the same binding.
 * @param maxBytes refuses longer messages before anything is decoded
 * @throws WaymarkError decryption-failed: other key, other binding, altered or malformed; limit-exceeded
 */
export async function decryptCompact(
  jwe: string,
  pair: EncryptionKeyPair,
  binding: JweBinding,
  maxBytes: number,
): Promise<Uint8Array> {
  if (jwe.length > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'The encrypted message is too long.', { details: { maxBytes } });
  }
  try {
    checkHeader(jwe, pair, binding);
    const { plaintext } = await compactDecrypt(jwe, pair.privateKey, {
      keyManagementAlgorithms: [algorithm],
      contentEncryptionAlgorithms: [encryption],
      maxDecompressedLength: 0,
    });
    return plaintext;
  } catch {
    // One answer for every cause: which check failed is nobody's business but the sender's.
    throw failed();
  }
}
