import * as dagCbor from '@ipld/dag-cbor';
import * as dagPb from '@ipld/dag-pb';
import { WaymarkError } from '@waymark/protocol';
import { CID } from 'multiformats/cid';
import type { Block } from '../store/content-store.ts';
import { dagCborCode, dagPbCode } from './content-cid.ts';

/**
 * The CIDs a block links to, in the order they stand in it.
 * @throws `input-invalid` when the bytes are not of the CID's codec
 */
export function linksOf({ cid, bytes }: Block): CID[] {
  try {
    if (cid.code === dagCborCode) return cborLinks(dagCbor.decode(bytes));
    if (cid.code === dagPbCode) return dagPb.decode(bytes).Links.map((link) => link.Hash);
    return [];
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The block does not decode by the codec its CID names.', {
      details: { cid: cid.toString() },
      cause,
    });
  }
}

function cborLinks(root: unknown): CID[] {
  const links: CID[] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) continue;
    const cid = CID.asCID(value);
    if (cid !== null) {
      links.push(cid);
      continue;
    }
    const parts: unknown[] = Object.values(value);
    for (let at = parts.length - 1; at >= 0; at--) pending.push(parts[at]);
  }
  return links;
}
