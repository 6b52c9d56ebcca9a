import { WaymarkError } from '@waymark/protocol';
import type * as wire from '@waymark/transport/ledger';
import type { BlockRange, StoredBlock } from './stored-block.ts';

/** The messages that one block is sent in: none larger than the target, but for a piece of the body that is. */
export function* partsOf(block: StoredBlock, targetSizeBytes: number): Generator<wire.StoredBlock> {
  const { height, header, seal, body } = block;
  let part: wire.StoredBlock = { height, header, seal, body: [], more: false };
  let sizeBytes = header.length + seal.length;
  for (const { cid, bytes } of body) {
    if (part.body.length > 0 && sizeBytes + bytes.length > targetSizeBytes) {
      yield { ...part, more: true };
      part = { height, header: new Uint8Array(), seal: new Uint8Array(), body: [], more: false };
      sizeBytes = 0;
    }
    part.body.push({ cid, bytes });
    sizeBytes += cid.length + bytes.length;
  }
  yield part;
}

/**
 * Puts the parts of blocks together again.
 * @throws WaymarkError input-invalid for parts that do not fit together or are not in the range; limit-exceeded for a block that is too large
 */
export async function* joinParts(
  parts: AsyncIterable<wire.StoredBlock>,
  { first, last }: BlockRange,
  maxSizeBytes: number,
): AsyncGenerator<StoredBlock> {
  let next = first;
  let open: { header: Uint8Array; seal: Uint8Array; body: { cid: string; bytes: Uint8Array }[] } | null = null;
  let sizeBytes = 0;
  for await (const part of parts) {
    if (part.height !== next || part.height > last) refuse();
    if (open === null) {
      open = { header: part.header, seal: part.seal, body: [] };
      sizeBytes = part.header.length + part.seal.length;
    } else if (part.header.length > 0 || part.seal.length > 0) {
      refuse();
    }
    for (const piece of part.body) {
      // An empty piece costs memory too.
      sizeBytes += piece.cid.length + piece.bytes.length + 64;
      open.body.push(piece);
    }
    if (sizeBytes > maxSizeBytes) {
      throw new WaymarkError('limit-exceeded', 'A block of another member is too large.', {
        details: { maxSizeBytes },
      });
    }
    if (part.more) {
      if (part.body.length === 0) refuse();
      continue;
    }
    yield { height: part.height, ...open };
    open = null;
    next += 1;
  }
  if (open !== null) refuse();
}

function refuse(): never {
  throw new WaymarkError('input-invalid', 'The blocks of another member are not those that were asked for.');
}
