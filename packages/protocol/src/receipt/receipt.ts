import { type CoseSigner, readSign1, signCose, verifySign1 } from '../cose/sign1.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { decodeFields } from '../encoding/cbor-fields.ts';
import { maxBatchRecords } from '../batch/statement.ts';
import { dagCborCode, parseCid } from '../cid/cid.ts';
import { WaymarkError } from '../errors.ts';

const receiptStates = ['accepted', 'confirmed', 'anchored'] as const;

/** Accepted: on the center's disk. Confirmed: in a block of the firm's private ledger. Anchored: the channel has it. It only grows. */
export type ReceiptState = (typeof receiptStates)[number];

/** What a center says it has done with a batch (docs/formats.md, "Receipt"). */
export interface Receipt {
  readonly state: ReceiptState;
  readonly channel: string;
  readonly msp: string;
  readonly outlet: string;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  /** CID of the batch block, base32. */
  readonly batchCid: string;
  readonly root: Uint8Array;
  readonly count: number;
  readonly messageId: Uint8Array;
  readonly acceptedAtMs: number;
  /** The private ledger's block with the batch: set once confirmed; an anchored batch has none when it went to the channel as evidence (S5). */
  readonly height?: number;
  /** CID of that block's header, base32. */
  readonly blockHash?: string;
  /** Set once anchored. */
  readonly txId?: string;
}

/** A receipt with the certificate of who signed it. */
export interface SignedReceipt {
  readonly receipt: Receipt;
  readonly certificateDer: Uint8Array;
}

/**
 * Signs a receipt as COSE_Sign1. ECDSA signatures differ each time: who must give the same receipt twice keeps its bytes.
 * @throws WaymarkError internal: what it names does not belong to its state
 */
export function signReceipt(signer: CoseSigner, receipt: Receipt): Uint8Array {
  const { state, txId, height, blockHash } = receipt;
  if ((state === 'anchored') !== (txId !== undefined))
    throw new WaymarkError('internal', 'A receipt names a transaction when it is anchored, and only then.');
  const named = [height, blockHash].filter((part) => part !== undefined).length;
  if (named === 1 || (state === 'accepted' && named > 0) || (state === 'confirmed' && named === 0))
    throw new WaymarkError('internal', 'A receipt names height and hash of a block, from confirmed on.');
  const fields: Record<string, CborValue> = {
    v: 1,
    type: 'receipt',
    state,
    channel: receipt.channel,
    msp: receipt.msp,
    outlet: receipt.outlet,
    seq: receipt.seq,
    batchHash: receipt.batchHash,
    batchCid: receipt.batchCid,
    root: receipt.root,
    count: receipt.count,
    messageId: receipt.messageId,
    acceptedAt: receipt.acceptedAtMs,
    ...(height === undefined || blockHash === undefined ? {} : { height, blockHash }),
    ...(txId === undefined ? {} : { txId }),
  };
  return signCose(signer, { type: 'receipt', channel: receipt.channel }, encodeCbor(fields));
}

/**
 * Reads a receipt and checks that the certificate it carries signed it for this channel. Whose certificate that is, is for the caller.
 * @throws WaymarkError input-invalid, signature-invalid
 */
export function readReceipt(bytes: Uint8Array, channel: string): SignedReceipt {
  const message = readSign1(bytes);
  const payload = verifySign1(message, { type: 'receipt', channel });
  const fields = decodeFields(payload, 'receipt');
  fields.constant('v', 1);
  fields.constant('type', 'receipt');
  fields.constant('channel', channel);
  const text = fields.text('state');
  const state = receiptStates.find((known) => known === text);
  if (state === undefined) throw new WaymarkError('input-invalid', 'The receipt has an unknown state.');
  const inBlock = state === 'confirmed' || (state === 'anchored' && fields.has('height'));
  const receipt: Receipt = {
    state,
    channel,
    msp: fields.text('msp'),
    outlet: fields.text('outlet'),
    seq: fields.integer('seq', 1),
    batchHash: fields.bytes('batchHash', 32),
    batchCid: parseCid(fields.text('batchCid'), [dagCborCode]).toString(),
    root: fields.bytes('root', 32),
    count: fields.integer('count', 1, maxBatchRecords),
    messageId: fields.bytes('messageId', 16),
    acceptedAtMs: fields.integer('acceptedAt'),
    ...(inBlock
      ? { height: fields.integer('height', 1), blockHash: parseCid(fields.text('blockHash'), [dagCborCode]).toString() }
      : {}),
    ...(state === 'anchored' ? { txId: fields.text('txId') } : {}),
  };
  fields.end();
  return { receipt, certificateDer: message.certificateDer };
}
