import { createPrivateKey } from 'node:crypto';
import { signers } from '@hyperledger/fabric-gateway';
import { WaymarkError } from '@waymark/protocol';

/**
 * Signs a SHA-256 digest with an ECDSA P-256 key and returns the DER signature. The key may lie in a file, a vault or a
 * PKCS#11 token.
 */
export type Signer = (digest: Uint8Array) => Promise<Uint8Array>;

/** Who talks to the ledger. */
export interface LedgerIdentity {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly sign: Signer;
}

/**
 * A signer for a private key in memory.
 *
 * @throws WaymarkError `key-invalid` when the PEM is not a P-256 private key.
 */
export function privateKeySigner(privateKeyPem: string): Signer {
  try {
    const key = createPrivateKey(privateKeyPem);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('another curve');
    return signers.newPrivateKeySigner(key);
  } catch (cause) {
    throw new WaymarkError('key-invalid', 'not a PEM of a P-256 private key', { cause });
  }
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * The same signature with the smaller of the two possible s: Fabric refuses the other. Signers that do not know of this
 * (PKCS#11 tokens, OpenSSL) give either.
 *
 * @param signature DER, ECDSA P-256
 * @throws WaymarkError `signature-invalid` when it is not such a DER signature
 */
export function toLowS(signature: Uint8Array): Uint8Array {
  const r = readInteger(signature, 2);
  const s = r === undefined ? undefined : readInteger(signature, r.end);
  if (
    signature[0] !== 0x30 ||
    signature[1] !== signature.length - 2 ||
    r === undefined ||
    s?.end !== signature.length
  ) {
    throw new WaymarkError('signature-invalid', 'the signer did not return a DER signature');
  }
  if (s.value <= order / 2n) return signature;
  const body = Buffer.concat([signature.subarray(2, r.end), derInteger(order - s.value)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

function readInteger(bytes: Uint8Array, offset: number): { readonly value: bigint; readonly end: number } | undefined {
  const length = bytes[offset + 1];
  if (bytes[offset] !== 0x02 || length === undefined || length === 0 || length > 33) return undefined;
  const end = offset + 2 + length;
  if (end > bytes.length) return undefined;
  return { value: BigInt(`0x${Buffer.from(bytes.subarray(offset + 2, end)).toString('hex')}`), end };
}

function derInteger(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const padded = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(0x02, padded.length), padded]);
}
