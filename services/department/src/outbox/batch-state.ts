import { WaymarkError } from '@waymark/protocol';
import type { Row } from '@waymark/service-kit';

/** Reasons why records of a batch did not pass the audit, by their place in the batch. */
export type Rejections = ReadonlyMap<number, string>;

interface Sent {
  readonly seq: number;
  readonly batchHash: Uint8Array;
}

/** The block of the firm's private ledger that has a batch. */
export interface BlockPlace {
  readonly height: number;
  /** CID of the block's header. */
  readonly blockHash: string;
}

/** How far a batch is. */
export type BatchState =
  | { readonly state: 'queued'; readonly seq: number }
  | ({ readonly state: 'accepted' } & Sent)
  | ({ readonly state: 'confirmed'; readonly block: BlockPlace; readonly rejected: Rejections } & Sent)
  | ({
      readonly state: 'anchored';
      readonly txId: string;
      /** Undefined for a batch that went to the channel as evidence. */
      readonly block: BlockPlace | undefined;
      readonly rejected: Rejections;
    } & Sent)
  | { readonly state: 'refused'; readonly code: string; readonly message: string };

/** Whether a batch changes no more. */
export function isFinal({ state }: BatchState): boolean {
  return state === 'anchored' || state === 'refused';
}

const none: Rejections = new Map();

/** The state that a line of the table says. @throws WaymarkError data-abnormal: the file was altered */
export function batchStateOf(row: Row, rejected: () => Rejections): BatchState {
  const seq = Number(row['seq']);
  const batchHash = (row['batch_hash'] ?? new Uint8Array(32)) as Uint8Array;
  const block =
    row['height'] === null ? undefined : { height: Number(row['height']), blockHash: String(row['block_hash']) };
  switch (row['state']) {
    case 'queued':
      return { state: 'queued', seq };
    case 'accepted':
      return { state: 'accepted', seq, batchHash };
    case 'confirmed':
      if (block === undefined) throw new WaymarkError('data-abnormal', 'A confirmed batch names no block.');
      return { state: 'confirmed', seq, batchHash, block, rejected: rejected() };
    case 'anchored': {
      const txId = String(row['tx_id']);
      return { state: 'anchored', seq, batchHash, txId, block, rejected: block === undefined ? none : rejected() };
    }
    default:
      return { state: 'refused', ...(JSON.parse(String(row['refusal'])) as { code: string; message: string }) };
  }
}
