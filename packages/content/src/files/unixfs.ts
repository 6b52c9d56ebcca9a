import { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { requireContentCid } from '../block/content-cid.ts';
import type { Block, BlockReader, BlockWriter, ByteStream, ReadOptions } from '../store/content-store.ts';
import { maxChunkBlocks, maxChunkSizeBytes } from '../store/limits.ts';

const chunkSizeBytes = 262_144;
const maxChildrenPerNode = 174;

/** `addFile` over `putMany`: kubo's own layout for `ipfs add --cid-version=1 --raw-leaves`. */
export async function addUnixfsFile(
  store: BlockWriter,
  content: ByteStream,
  options: ReadOptions | undefined,
): Promise<CID> {
  // Loaded on first use: starting a service does not wait for them.
  const [{ importer }, { fixedSize }, { balanced }] = await Promise.all([
    import('ipfs-unixfs-importer'),
    import('ipfs-unixfs-importer/chunker'),
    import('ipfs-unixfs-importer/layout'),
  ]);
  const writes = new GatheredWrites(store, options);
  const entries = importer(
    [{ content }],
    { put: (cid, bytes) => writes.put(cid, bytes) },
    {
      profile: 'unixfs-v0-2015',
      cidVersion: 1,
      rawLeaves: true,
      reduceSingleLeafToSelf: true,
      chunker: fixedSize({ chunkSize: chunkSizeBytes }),
      layout: balanced({ maxChildrenPerNode }),
      wrapWithDirectory: false,
    },
  );
  let root: CID | undefined;
  for await (const entry of entries) root = entry.cid;
  await writes.flush();
  if (root === undefined) throw new WaymarkError('internal', 'The importer named no root.');
  return root;
}

/** Gathers what the importer writes block by block into few durable writes. */
class GatheredWrites {
  readonly #store: BlockWriter;
  readonly #options: ReadOptions | undefined;
  #blocks: Block[] = [];
  #sizeBytes = 0;

  constructor(store: BlockWriter, options: ReadOptions | undefined) {
    this.#store = store;
    this.#options = options;
  }

  async put(cid: CID, content: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<CID> {
    const bytes = content instanceof Uint8Array ? content : await gather(content);
    this.#blocks.push({ cid, bytes });
    this.#sizeBytes += bytes.length;
    if (this.#blocks.length >= maxChunkBlocks || this.#sizeBytes >= maxChunkSizeBytes) await this.flush();
    return cid;
  }

  async flush(): Promise<void> {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#sizeBytes = 0;
    if (blocks.length > 0) await this.#store.putMany(blocks, this.#options);
  }
}

async function gather(content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** `cat` over `get`: every block is verified by the reader before its bytes are passed on. */
export async function* catUnixfsFile(
  reader: BlockReader,
  cid: CID,
  options: ReadOptions | undefined,
): AsyncGenerator<Uint8Array> {
  const { exporter } = await import('ipfs-unixfs-exporter');
  const blocks = {
    async *get(link: CID): AsyncGenerator<Uint8Array> {
      yield await reader.get(link, options);
    },
  };
  const entry = await exporter(requireContentCid(cid), blocks);
  if (entry.type !== 'file' && entry.type !== 'raw') {
    throw new WaymarkError('input-invalid', 'This CID does not name a file.', {
      details: { cid: cid.toString(), type: entry.type },
    });
  }
  yield* entry.content();
}
