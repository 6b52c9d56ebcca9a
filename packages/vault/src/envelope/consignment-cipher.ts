import { timingSafeEqual, type KeyObject } from 'node:crypto';
import {
  WaymarkError,
  cidOfRaw,
  decryptCose0,
  encryptCose0,
  isWaymarkError,
  readEncrypt0,
  type Encrypt0,
} from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { randomId } from '../derivation/random.ts';
import {
  checkHeader,
  headerDifferences,
  headerEncoder,
  parseHeader,
  type EnvelopeHeader,
  type ExpectedHeader,
} from './header.ts';
import {
  checkKeySize,
  consignmentPseudoRandomKey,
  deriveEnvelopeKeys,
  deriveRecordKey,
  type ConsignmentContext,
} from './key-schedule.ts';
import { pad, padmeLength, unpad } from './padding.ts';

/** Larger content is for segments, not for one envelope. */
export const maxContentBytes = 1024 * 1024;
/** Padded content, header and structure. */
export const maxEnvelopeBytes = padmeLength(maxContentBytes + 4) + 8 * 1024;

const commitLabel = 'commit';
const commitmentBytes = 32;
const ivBytes = 12;
const sealIdBytes = 16;

/** What a record brings to its sealing; the consignment's part of the header is the cipher's. */
export interface SealInput {
  readonly outlet: string;
  readonly recordOid: Uint8Array;
  readonly schema: string;
  readonly collectedMs: number;
  readonly replaces?: CID | null;
  /** JCS bytes of the record content, at most 1 MiB. */
  readonly content: Uint8Array;
}

/** A sealed envelope: the block that is stored, and its names. */
export interface SealedEnvelope {
  readonly bytes: Uint8Array;
  readonly cid: CID;
  readonly recordOid: Uint8Array;
  readonly sealId: Uint8Array;
}

/** An opened envelope. */
export interface OpenedEnvelope {
  readonly header: EnvelopeHeader;
  /** JCS bytes of the record content. */
  readonly content: Uint8Array;
}

/** Seals and opens the envelopes of one consignment and epoch. Its PRK is derived once; CK itself is not kept. */
export interface ConsignmentCipher {
  readonly context: ConsignmentContext;
  /** @throws WaymarkError limit-exceeded, input-invalid */
  seal(input: SealInput): SealedEnvelope;
  /** @throws WaymarkError decryption-failed, data-abnormal, limit-exceeded (see `openEnvelope`) */
  open(bytes: Uint8Array, expected?: ExpectedHeader): OpenedEnvelope;
  /** RK of one sealing: opens that envelope and no other. Secret; for handing one record over. */
  recordKey(recordOid: Uint8Array, sealId: Uint8Array): Uint8Array;
}

/**
 * Prepares sealing and opening under a consignment key.
 * @param consignmentKey CK, 32 random bytes
 * @throws WaymarkError key-invalid
 */
export function createConsignmentCipher(context: ConsignmentContext, consignmentKey: Uint8Array): ConsignmentCipher {
  const { channel, msp, consignmentOid, epoch } = context;
  const own: ConsignmentContext = { channel, msp, consignmentOid: Uint8Array.from(consignmentOid), epoch };
  const pseudoRandomKey = consignmentPseudoRandomKey(consignmentKey, own);
  const encode = headerEncoder();
  return {
    context: own,
    seal: (input) => sealUnder(pseudoRandomKey, own, encode, input),
    open(bytes, expected = {}) {
      const envelope = readEnvelope(bytes);
      demand(envelope.header, { ...expected, ...own });
      const { recordOid, sealId } = envelope.header;
      return unseal(envelope, deriveRecordKey(pseudoRandomKey, recordOid, sealId));
    },
    recordKey: (recordOid, sealId) => deriveRecordKey(pseudoRandomKey, recordOid, sealId),
  };
}

/** Seals one record when no cipher is kept. @throws WaymarkError key-invalid, limit-exceeded, input-invalid */
export function sealEnvelope(input: SealInput & ConsignmentContext & { readonly ck: Uint8Array }): SealedEnvelope {
  return createConsignmentCipher(input, input.ck).seal(input);
}

/** What opens an envelope: the key of its consignment and epoch, or of this one record. */
export type OpeningKey = { readonly ck: Uint8Array } | { readonly rk: Uint8Array };

/**
 * Opens an envelope. The commitment is compared before anything is decrypted, in constant time: what was sealed under another key or
 * context fails there, even when its ciphertext was made to open under two keys. That the outlet sealed it is another question: any
 * holder of the key could have; the batch signature and the Merkle path answer it.
 * @param expected fields the reader knows already, from the index, the batch or the chain
 * @throws WaymarkError decryption-failed: another key or context; data-abnormal: malformed, altered, or not the envelope that was
 *   expected; limit-exceeded; key-invalid
 */
export function openEnvelope(options: {
  readonly bytes: Uint8Array;
  readonly expected: ExpectedHeader;
  readonly key: OpeningKey;
}): OpenedEnvelope {
  const { bytes, expected, key } = options;
  const envelope = readEnvelope(bytes);
  demand(envelope.header, expected);
  const { recordOid, sealId } = envelope.header;
  if ('rk' in key) {
    checkKeySize(key.rk);
    return unseal(envelope, key.rk);
  }
  return unseal(envelope, deriveRecordKey(consignmentPseudoRandomKey(key.ck, envelope.header), recordOid, sealId));
}

/**
 * Reads an envelope's header without any key, strictly: what a center audits, and what a reader checks before fetching keys.
 * @throws WaymarkError data-abnormal, limit-exceeded
 */
export function readEnvelopeHeader(bytes: Uint8Array): EnvelopeHeader {
  return readEnvelope(bytes).header;
}

interface ReadEnvelope {
  readonly header: EnvelopeHeader;
  readonly message: Encrypt0;
  readonly commitment: Uint8Array;
}

function sealUnder(
  pseudoRandomKey: KeyObject,
  context: ConsignmentContext,
  encode: (header: EnvelopeHeader) => Uint8Array,
  input: SealInput,
): SealedEnvelope {
  if (input.content.length > maxContentBytes) {
    throw new WaymarkError('limit-exceeded', 'The content is too long for one envelope.', {
      details: { sizeBytes: input.content.length, maxContentBytes },
    });
  }
  const { channel, msp, consignmentOid, epoch } = context;
  const { outlet, recordOid, schema, collectedMs, replaces = null } = input;
  const sealId = randomId(sealIdBytes);
  const header: EnvelopeHeader = {
    channel,
    msp,
    outlet,
    consignmentOid,
    epoch,
    recordOid,
    sealId,
    replaces,
    schema,
    collectedMs,
    fieldRoot: null,
  };
  checkHeader(header);
  const protectedBytes = encode(header);
  const { encryption, commitment } = deriveEnvelopeKeys(
    deriveRecordKey(pseudoRandomKey, recordOid, sealId),
    protectedBytes,
  );
  const bytes = encryptCose0(encryption, {
    protectedBytes,
    iv: randomId(ivBytes),
    unprotected: new Map([[commitLabel, commitment]]),
    plaintext: pad(input.content),
  });
  return { bytes, cid: cidOfRaw(bytes), recordOid, sealId };
}

function readEnvelope(bytes: Uint8Array): ReadEnvelope {
  let message: Encrypt0;
  try {
    message = readEncrypt0(bytes, maxEnvelopeBytes);
  } catch (error) {
    if (isWaymarkError(error, 'input-invalid')) throw abnormal('it does not have the form of one', error);
    throw error;
  }
  const commitment = message.unprotected.get(commitLabel);
  if (message.unprotected.size !== 2 || !(commitment instanceof Uint8Array) || commitment.length !== commitmentBytes) {
    throw abnormal('it does not have the form of one');
  }
  return { header: parseHeader(message.header), message, commitment };
}

function demand(header: EnvelopeHeader, expected: ExpectedHeader): void {
  const differences = headerDifferences(header, expected);
  if (differences.length === 0) return;
  throw new WaymarkError('data-abnormal', 'The envelope is not the one that was expected here.', {
    details: { differences },
  });
}

function unseal({ header, message, commitment }: ReadEnvelope, recordKey: Uint8Array): OpenedEnvelope {
  const keys = deriveEnvelopeKeys(recordKey, message.protectedBytes);
  if (!timingSafeEqual(keys.commitment, commitment)) {
    throw new WaymarkError('decryption-failed', 'The envelope was not sealed under this key and context.');
  }
  let padded: Uint8Array;
  try {
    padded = decryptCose0(keys.encryption, message);
  } catch (error) {
    // Key and header are right, or the commitment would differ: the ciphertext was altered.
    throw isWaymarkError(error, 'decryption-failed') ? abnormal('its content was altered') : error;
  }
  return { header, content: unpad(padded) };
}

function abnormal(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', `The envelope is not usable: ${reason}.`, { cause });
}
