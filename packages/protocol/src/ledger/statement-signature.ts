import type { KeyObject } from 'node:crypto';
import { es256, toLowS } from '../cose/algorithms.ts';
import type { CoseSigner } from '../cose/sign1.ts';
import {
  bytesOf,
  decodeProtected,
  decodeStructure,
  encodeProtected,
  externalAad,
  headerOf,
  label,
  malformed,
  structureTag,
} from '../cose/structure.ts';
import { cborTag, type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { WaymarkError } from '../errors.ts';
import { sha256 } from '../hash.ts';

/** What members of a private ledger sign (docs/formats.md, "Statements of the private ledger"). */
export const ledgerStatementKinds = [
  'candidate',
  'ack',
  'seal',
  'vote',
  'submission',
  'receipt',
  'hand-over',
  'anchor',
] as const;
export type LedgerStatementKind = (typeof ledgerStatementKinds)[number];

/** A member's public key, P-256. */
export type LedgerPublicKey = KeyObject;

/** Largest signature of a statement that is read, in bytes. */
export const maxLedgerSignatureBytes = 256;
/** COSE algorithm id of SHA-256, in x5t. */
const sha256Id = -16;
const digestBytes = 32;
const arrayHead = 0x80;
const textHead = 0x60;
const longTextHead = 0x78;
const shortLength = 24;
const kindPattern = /^waymark\/rsl\/([a-z-]+)\/v1$/;

/** A statement's signature as read; nothing is proven yet. */
export interface LedgerSignature {
  /** SHA-256 of the signer's certificate. */
  readonly certificateDigest: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * What a statement is: its first item says so, `waymark/rsl/<kind>/v1`. Only the heads of the list and of that text are read.
 * @throws WaymarkError input-invalid for bytes that are no statement that is signed
 */
export function ledgerStatementKind(statement: Uint8Array): LedgerStatementKind {
  const [list = 0, text = 0, long = 0] = statement;
  const isLong = text === longTextHead;
  const length = isLong ? long : text - textHead;
  const start = isLong ? 3 : 2;
  if (list > arrayHead && list < arrayHead + shortLength && length > 0 && (isLong || length < shortLength)) {
    const name = kindPattern.exec(Buffer.from(statement.subarray(start, start + length)).toString('latin1'))?.[1];
    const kind = ledgerStatementKinds.find((known) => known === name);
    if (kind !== undefined) return kind;
  }
  throw new WaymarkError('input-invalid', 'The bytes are no statement of a private ledger.');
}

/**
 * Signs a statement of the private ledger: a COSE_Sign1 (RFC 9052 section 4.2) with detached payload that names the certificate by x5t and does not carry
 * it, external_aad type `ledger-<kind>`. Certificates are known to whoever knows the members, and a block has many signatures.
 * @param statement its canonical bytes
 * @throws WaymarkError input-invalid for bytes that are no statement that is signed
 */
export function signLedgerStatement(signer: CoseSigner, channel: string, statement: Uint8Array): Uint8Array {
  const protectedBytes = protectedFor(sha256(signer.certificateDer));
  const signature = toLowS(signer.sign(toBeSigned(protectedBytes, channel, statement)));
  return encodeCbor(cborTag(structureTag.sign1, [protectedBytes, new Map(), null, signature]));
}

/**
 * Reads a statement's signature; any other form than the one that `signLedgerStatement` writes is refused.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function readLedgerSignature(bytes: Uint8Array): LedgerSignature {
  const [first, second, payload, last] = decodeStructure(bytes, structureTag.sign1, 4, maxLedgerSignatureBytes);
  const protectedBytes = bytesOf(first);
  const header = decodeProtected(protectedBytes);
  const named = header.get(label.x5t);
  if (header.size !== 2 || header.get(label.alg) !== es256.id) throw malformed('its algorithm is not ES256');
  if (!Array.isArray(named) || named.length !== 2 || named[0] !== sha256Id) throw malformed('it names no certificate');
  const certificateDigest = bytesOf(named[1] as Uint8Array);
  if (certificateDigest.length !== digestBytes) throw malformed('it names no certificate');
  if (headerOf(second).size !== 0 || payload !== null) throw malformed('it carries more than a signature');
  return { certificateDigest, protectedBytes, signature: bytesOf(last) };
}

/** Whether this key signed this statement for this channel. The caller knows whose key it is. */
export function verifyLedgerSignature(
  message: LedgerSignature,
  channel: string,
  statement: Uint8Array,
  publicKey: LedgerPublicKey,
): boolean {
  return es256.verify(publicKey, toBeSigned(message.protectedBytes, channel, statement), message.signature);
}

function protectedFor(certificateDigest: Uint8Array): Uint8Array {
  return encodeProtected(
    new Map<number, CborValue>([
      [label.alg, es256.id],
      [label.x5t, [sha256Id, certificateDigest]],
    ]),
  );
}

function toBeSigned(protectedBytes: Uint8Array, channel: string, statement: Uint8Array): Uint8Array {
  const aad = externalAad(`ledger-${ledgerStatementKind(statement)}`, channel);
  return encodeCbor(['Signature1', protectedBytes, aad, statement]);
}
