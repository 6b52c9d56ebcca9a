import type { Message, Submission, SubmissionReceipt } from '../../src/index.ts';

/** What travels between the machines of a ledger: the core's messages, and a department's dealings with the center. */
export type Wire =
  | { readonly kind: 'core'; readonly message: Message }
  | { readonly kind: 'submit'; readonly submission: Submission }
  | { readonly kind: 'receipt'; readonly receipt: SubmissionReceipt }
  | { readonly kind: 'turned-down'; readonly seq: number; readonly reason: string; readonly center: string | null };

/** One line of a trace for what came in. */
export function wireLine(wire: Wire): string {
  if (wire.kind === 'submit') return `submit ${wire.submission.department}/${wire.submission.seq}`;
  if (wire.kind === 'receipt') return `receipt ${wire.receipt.seq} h${wire.receipt.height}`;
  if (wire.kind === 'turned-down') return `turned-down ${wire.seq} ${wire.reason}`;
  return messageLine(wire.message);
}

function messageLine(message: Message): string {
  const head = `${message.type} t${message.term}`;
  switch (message.type) {
    case 'append': {
      const entries = message.entries.map(
        ({ candidate, seal }) =>
          `${candidate.height}/${candidate.term}:${short(candidate.root)}${seal === null ? '' : `=${short(seal.hash)}`}`,
      );
      return `${head} after ${message.prev.height} [${entries.join()}]${message.election === null ? '' : ' elected'}`;
    }
    case 'append-reply':
      return `${head} ${message.result} ${message.height} sealed ${message.sealed}${message.ack === null ? '' : ` ack ${short(message.ack.signature)}`}${message.reason === null ? '' : ` ${message.reason}`}`;
    case 'vote-request':
      return `${head}${message.pre ? ' pre' : ''} end ${message.logEnd.sealed.height}/${message.logEnd.sealed.term}`;
    case 'vote-reply':
      return `${head}${message.pre ? ' pre' : ''} ${message.granted ? 'granted' : (message.reason ?? 'refused')} for t${message.asked}`;
    case 'hand-over':
      return `${head} to ${message.handOver.to}`;
    case 'snapshot':
      return `${head} at ${message.snapshot.height}`;
    case 'fetch':
      return `${head} above ${message.height}`;
    case 'blocks':
      return `${head} ${message.entries.length} from ${message.entries[0]?.candidate.height ?? 0}`;
    case 'evidence':
      return `${head} against ${message.evidence.center}`;
  }
}

function short(hash: string): string {
  return hash.slice(0, 8);
}
