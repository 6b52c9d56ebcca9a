import { dagCborCode, parseCid } from '../cid/cid.ts';
import { type CoseSigner, readSign1, signCose, verifySign1 } from '../cose/sign1.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import { decodeFields } from '../encoding/cbor-fields.ts';
import { WaymarkError } from '../errors.ts';
import { latestTimeMs } from '../record/time.ts';

/** What a center says it keeps of a batch (docs/formats.md, "Pin receipt"). */
export interface PinReceipt {
  readonly channel: string;
  /** CID of the batch block, base32; all it links to is kept with it. */
  readonly cid: string;
  /** The organisation whose center keeps it. */
  readonly msp: string;
  /** Enrolment id of that center. */
  readonly node: string;
  readonly pinnedAtMs: number;
}

/** A pin receipt with the certificate of who signed it. */
export interface SignedPinReceipt {
  readonly receipt: PinReceipt;
  readonly certificateDer: Uint8Array;
}

const type = 'pin-receipt';
const maxPayloadBytes = 2_048;
/** Largest pin receipt, its certificate included. */
export const maxPinReceiptBytes = 8_192;

/** Signs a pin receipt as COSE_Sign1. ECDSA signatures differ each time: who must give the same receipt twice keeps its bytes. */
export function signPinReceipt(signer: CoseSigner, receipt: PinReceipt): Uint8Array {
  const { channel, cid, msp, node, pinnedAtMs } = receipt;
  return signCose(signer, { type, channel }, encodeCbor({ v: 1, type, channel, cid, msp, node, pinnedAt: pinnedAtMs }));
}

/**
 * Reads a pin receipt and checks that the certificate it carries signed it for this channel. Whose certificate that is, and whether the
 * receipt is for what was asked, is for the caller.
 * @throws WaymarkError input-invalid, signature-invalid, limit-exceeded
 */
export function readPinReceipt(bytes: Uint8Array, channel: string): SignedPinReceipt {
  if (bytes.length > maxPinReceiptBytes) {
    throw new WaymarkError('limit-exceeded', 'The pin receipt is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: maxPinReceiptBytes },
    });
  }
  const message = readSign1(bytes);
  const fields = decodeFields(verifySign1(message, { type, channel }), 'pin receipt', maxPayloadBytes);
  fields.constant('v', 1);
  fields.constant('type', type);
  fields.constant('channel', channel);
  const receipt: PinReceipt = {
    channel,
    cid: parseCid(fields.text('cid'), [dagCborCode]).toString(),
    msp: fields.text('msp'),
    node: fields.text('node'),
    pinnedAtMs: fields.integer('pinnedAt', 0, latestTimeMs),
  };
  fields.end();
  return { receipt, certificateDer: message.certificateDer };
}
