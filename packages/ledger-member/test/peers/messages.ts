import { toHex } from '@waymark/protocol';
import type { AppendMessage, Candidate, LogEntry, Message } from '@waymark/rsl';
import { cidOfDagCbor, cidOfRaw } from '@waymark/protocol';

/** Messages of a certain size; whether a core would believe them does not matter here. */

const ledger = 'FirmMSP/trade';
const digest = toHex(new Uint8Array(32).fill(7));
const signature = Buffer.alloc(96, 3).toString('base64url');

/** Hash of the block at a height. */
export function hashAt(height: number): string {
  return height === 0 ? '' : cidOfDagCbor(Uint8Array.of(height & 255, height >> 8)).toString();
}

/** A candidate with one submission. */
export function candidateAt(height: number, { records = 1, attachmentBytes = 0 } = {}): Candidate {
  return {
    ledger,
    epoch: 1,
    height,
    term: 1,
    center: 'a',
    prev: hashAt(height - 1),
    content: {
      kind: 'records',
      audited: [
        {
          submission: {
            ledger,
            department: 'outlet-1',
            seq: height,
            prev: digest,
            root: digest,
            hash: digest,
            signature,
            attachment: new Uint8Array(attachmentBytes),
            records: Array.from({ length: records }, (_, index) => {
              const bytes = new Uint8Array(32);
              new DataView(bytes.buffer).setUint32(0, index);
              return { oid: toHex(bytes), leaf: bytes };
            }),
          },
          rejected: [],
        },
      ],
    },
    salt: 'salt',
    root: digest,
    count: records,
    signature,
  };
}

/** A block, sealed by nobody in particular. */
export function entryAt(height: number, size: { records?: number; attachmentBytes?: number } = {}): LogEntry {
  const candidate = candidateAt(height, size);
  const { epoch, term, prev, root } = candidate;
  const header = {
    version: 1 as const,
    ledger,
    epoch,
    height,
    term,
    prev,
    departments: digest,
    root,
    accepted: candidate.count,
    rejected: 0,
    timestampMs: 1,
    body: cidOfRaw(new Uint8Array()).toString(),
  };
  const certificate = ['b', 'c', 'd'].map((member) => ({ member, ackTimeMs: 1, signature }));
  return { candidate, seal: { header, hash: hashAt(height), center: 'a', certificate, signature } };
}

/** What a center sends after the block below the first entry. */
export function append(entries: readonly LogEntry[], parts: Partial<AppendMessage> = {}): AppendMessage {
  const height = (entries[0]?.candidate.height ?? 1) - 1;
  return {
    type: 'append',
    from: 'a',
    to: 'b',
    term: 1,
    prev: { height, hash: hashAt(height) },
    seal: null,
    entries,
    election: null,
    ...parts,
  };
}

/** A small message. */
export function fetchMessage(from: string, to: string, height: number): Message {
  return { type: 'fetch', from, to, term: 1, height };
}
