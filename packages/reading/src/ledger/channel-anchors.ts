import type { Ledger } from '@waymark/fabric';
import { WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import { remembering } from '../remembering.ts';
import { askContract } from './contract-answer.ts';

const height = z.int().min(1);
const anchorSchema = z.object({
  v: z.literal(1),
  msp: z.string().min(1).max(256),
  first: height,
  last: height,
  hash: z.string().min(1).max(128),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  txId: z.string().min(1).max(256),
});
const pageSchema = z.object({ v: z.literal(1), items: z.array(anchorSchema).max(1) });

/** A range of a private ledger's blocks as the channel holds it. */
export type ChannelAnchor = Readonly<Omit<z.infer<typeof anchorSchema>, 'v'>>;

/** Anchors of private ledgers. */
export interface ChannelAnchors {
  /** The anchor that ends with the block at `last`, asked for once: it is written once, so what the channel said stays so. Null: there is none. */
  endingAt(mspId: string, last: number): Promise<ChannelAnchor | null>;
  /** The anchor that covers a block; null: the channel is not so far. */
  covering(mspId: string, height: number): Promise<ChannelAnchor | null>;
}

/** @param maxRemembered the least recently used goes first */
export function createChannelAnchors(ledger: Pick<Ledger, 'evaluate'>, maxRemembered: number): ChannelAnchors {
  const known = remembering<ChannelAnchor | null>(maxRemembered);
  const checked = (anchor: ChannelAnchor | null, fits: (anchor: ChannelAnchor) => boolean): ChannelAnchor | null => {
    if (anchor === null || fits(anchor)) return anchor;
    throw new WaymarkError('data-abnormal', 'The channel answered with another anchor.');
  };
  const isThere = (anchor: ChannelAnchor | null): boolean => anchor !== null;
  return {
    endingAt: (mspId, last) =>
      known.get(
        `${mspId}/${String(last)}`,
        async () =>
          checked(
            await askContract(ledger, 'get', [mspId, String(last)], anchorSchema),
            (anchor) => anchor.msp === mspId && anchor.last === last,
          ),
        isThere,
      ),
    async covering(mspId, covered) {
      const page = await askContract(ledger, 'list', [mspId, String(covered), '1'], pageSchema);
      return checked(
        page?.items[0] ?? null,
        ({ msp, first, last }) => msp === mspId && first <= covered && last >= covered,
      );
    },
  };
}
