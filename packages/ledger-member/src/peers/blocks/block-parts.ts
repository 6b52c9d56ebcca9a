import { decodeCid, WaymarkError } from '@waymark/protocol';
import * as wire from '@waymark/transport/ledger';
import { blockHash, signatureBytes, signatureFrom } from '../codec/checks.ts';
import { checkShape, storedBlockShape } from '../codec/shape.ts';
import type { StoredBlock } from './stored-block.ts';

/** What a piece of a block takes in memory beside its bytes, at least. */
const pieceOverheadBytes = 256;

/** The messages that one block is sent in: none larger than the target, but for a piece of the body that is. */
export function* partsOf(block: StoredBlock, targetSizeBytes: number): Generator<wire.StoredBlock> {
  const { height, hash, seal, candidateSignature, blocks } = block;
  const signature = signatureBytes(candidateSignature, 'candidate signature');
  let part = wire.StoredBlock.create({ height, hash, seal, candidateSignature: signature });
  let sizeBytes = seal.length;
  for (const { cid, bytes } of blocks) {
    if (part.pieces.length > 0 && sizeBytes + bytes.length > targetSizeBytes) {
      yield { ...part, more: true };
      part = wire.StoredBlock.create({ height });
      sizeBytes = 0;
    }
    part.pieces.push({ cid: cid.bytes, bytes });
    sizeBytes += bytes.length;
  }
  yield part;
}

/**
 * Puts the parts of blocks together again, the highest block first.
 * @throws WaymarkError input-invalid for parts that do not fit together or are not in the range; limit-exceeded for a block that is too large
 */
export async function* joinParts(
  parts: AsyncIterable<Uint8Array>,
  first: number,
  last: number,
  maxSizeBytes: number,
): AsyncGenerator<StoredBlock> {
  let height = last;
  let open: (Omit<StoredBlock, 'blocks'> & { readonly blocks: StoredBlock['blocks'][number][] }) | null = null;
  let sizeBytes = 0;
  for await (const bytesOfPart of parts) {
    const part = decodePart(bytesOfPart);
    if (part.height !== height || part.height < first) refuse();
    if (open === null) {
      open = {
        height,
        hash: blockHash(part.hash, 'block hash'),
        seal: part.seal,
        candidateSignature: signatureFrom(part.candidateSignature, 'candidate signature'),
        blocks: [],
      };
      sizeBytes = part.seal.length;
    } else if (part.pieces.length === 0 || part.hash !== '' || part.seal.length + part.candidateSignature.length > 0) {
      refuse();
    }
    for (const { cid, bytes } of part.pieces) {
      sizeBytes += bytes.length + pieceOverheadBytes;
      open.blocks.push({ cid: decodeCid(cid), bytes });
    }
    if (sizeBytes > maxSizeBytes) {
      throw new WaymarkError('limit-exceeded', 'A block of another member is too large.', {
        details: { maxSizeBytes },
      });
    }
    if (part.more) continue;
    yield open;
    open = null;
    height -= 1;
  }
  if (open !== null) refuse();
}

function decodePart(bytes: Uint8Array): wire.StoredBlock {
  checkShape(bytes, storedBlockShape);
  try {
    return wire.StoredBlock.decode(bytes);
  } catch (cause) {
    refuse(cause);
  }
}

function refuse(cause?: unknown): never {
  throw new WaymarkError('input-invalid', 'The blocks of another member are not those that were asked for.', {
    ...(cause === undefined ? {} : { cause }),
  });
}
