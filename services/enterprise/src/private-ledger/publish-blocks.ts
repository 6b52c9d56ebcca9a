import { encode } from '@ipld/dag-cbor';
import type { Block, BlockWriter } from '@waymark/content';
import type { LedgerChain } from '@waymark/ledger-chain';
import { cidOfDagCbor, parseCid, WaymarkError } from '@waymark/protocol';
import { decodeHeader } from '@waymark/rsl';

/**
 * Puts blocks of the private ledger into the firm's content store, where readers and other members of the consortium find them. A header links to the one before it, so pinning
 * it would pin the whole chain anew each time: what is pinned is a block of its own that holds the range's headers as bytes and links to the bodies, and
 * through them to the envelopes (docs/formats.md, "Range of blocks"). Each body is pinned by itself as well: it is what every member keeps.
 * @throws WaymarkError unavailable
 */
export function publishBlocks(
  chain: Pick<LedgerChain, 'ledger' | 'storedBlock'>,
  content: BlockWriter,
): (first: number, last: number) => Promise<void> {
  return async (first, last) => {
    const blocks: Block[] = [];
    const headers: Uint8Array[] = [];
    const bodies: ReturnType<typeof parseCid>[] = [];
    for (let height = first; height <= last; height += 1) {
      const stored = await chain.storedBlock(height);
      const [header] = stored.blocks;
      if (header === undefined) throw new WaymarkError('internal', 'A stored block has no header.');
      blocks.push(...stored.blocks);
      headers.push(header.bytes);
      bodies.push(parseCid(decodeHeader(header.bytes).body));
    }
    const bytes = encode({ v: 1, type: 'waymark/rsl-range', ledger: chain.ledger, headers, bodies });
    const range: Block = { cid: cidOfDagCbor(bytes), bytes };
    await content.putMany([...blocks, range], { pinRoots: [...bodies, range.cid] });
  };
}
