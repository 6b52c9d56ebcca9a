import type { CID } from 'multiformats/cid';
import type { BlockStream } from '../store/content-store.ts';
import { carHeader, carSection } from './framing.ts';

/** A CARv1 of these blocks, piece by piece. The caller has verified the blocks. */
export async function* writeCar(roots: readonly CID[], blocks: BlockStream): AsyncGenerator<Uint8Array> {
  yield carHeader(roots);
  for await (const { cid, bytes } of blocks) yield carSection(cid, bytes).bytes;
}
