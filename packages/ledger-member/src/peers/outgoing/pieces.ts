import type { AppendMessage, BlocksMessage, LogEntry, Message } from '@waymark/rsl';

/** More than a seal takes. */
const sealSizeBytes = 8 * 1024;

/** How large the pieces of a message may be. */
export interface PieceSizes {
  /** For blocks that may come one after the other. */
  readonly targetBytes: number;
  /** For blocks that should come together: an election is judged, and other blocks give way, by all that a message brings. */
  readonly maxBytes: number;
}

/**
 * Cuts a message with many blocks into several that say the same one after the other: each next one stands on the last block of the one before. A
 * block that is too large by itself stays a message of its own.
 */
export function piecesOf(
  message: Message,
  sizeOf: (candidate: LogEntry['candidate']) => number,
  { targetBytes, maxBytes }: PieceSizes,
): readonly Message[] {
  if (message.type === 'append') {
    const groups = grouped(message.entries, sizeOf, message.election === null ? targetBytes : maxBytes);
    return groups.length < 2 ? [message] : appends(message, groups);
  }
  if (message.type === 'blocks') {
    const groups = grouped(message.entries, sizeOf, maxBytes);
    return groups.length < 2 ? [message] : groups.map((entries, index) => blocks(message, entries, index));
  }
  return [message];
}

function appends(message: AppendMessage, groups: readonly (readonly LogEntry[])[]): AppendMessage[] {
  const pieces: AppendMessage[] = [];
  let below: LogEntry | undefined;
  for (const entries of groups) {
    if (below === undefined) {
      pieces.push({ ...message, entries });
    } else {
      // Only the topmost block has no seal, and nothing stands on it.
      if (below.seal === null) break;
      const prev = { height: below.candidate.height, hash: below.seal.hash };
      pieces.push({ ...message, prev, seal: null, entries });
    }
    below = entries.at(-1);
  }
  return pieces;
}

function blocks(message: BlocksMessage, entries: readonly LogEntry[], index: number): BlocksMessage {
  return { ...message, snapshot: index === 0 ? message.snapshot : null, entries };
}

function grouped(
  entries: readonly LogEntry[],
  sizeOf: (candidate: LogEntry['candidate']) => number,
  maxBytes: number,
): LogEntry[][] {
  const groups: LogEntry[][] = [];
  let sizeBytes = 0;
  for (const entry of entries) {
    const entryBytes = sizeOf(entry.candidate) + sealSizeBytes;
    const group = groups.at(-1);
    if (group === undefined || sizeBytes + entryBytes > maxBytes) {
      groups.push([entry]);
      sizeBytes = entryBytes;
    } else {
      group.push(entry);
      sizeBytes += entryBytes;
    }
  }
  return groups;
}
