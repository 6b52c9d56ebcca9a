import type { Ledger } from '@waymark/fabric';
import { isWaymarkError, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import { remembering } from '../remembering.ts';

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

/** Anchors of private ledgers, each asked for once: an anchor is written once, so what the channel said stays so. */
export interface ChannelAnchors {
  /**
   * The anchor that ends with the block at `last`.
   * @param height of a block that it is said to cover
   * @returns null when the channel has an anchor over that block, and it is another one
   * @throws WaymarkError unavailable: the channel has none yet that covers the block
   */
  endingAt(mspId: string, last: number, height: number): Promise<ChannelAnchor | null>;
}

/** @param maxRemembered the least recently used goes first */
export function createChannelAnchors(ledger: Pick<Ledger, 'evaluate'>, maxRemembered: number): ChannelAnchors {
  const known = remembering<ChannelAnchor | null>(maxRemembered);

  async function ask(mspId: string, last: number, covered: number): Promise<ChannelAnchor | null> {
    let answer: Uint8Array;
    try {
      answer = await ledger.evaluate('anchors', 'get', [mspId, String(last)]);
    } catch (error) {
      if (!isWaymarkError(error, 'refused')) throw error;
      if (await isCovered(mspId, covered)) return null;
      throw new WaymarkError('unavailable', 'The channel has no anchor for the block of this record yet.', {
        details: { mspId, height: covered },
        cause: error,
      });
    }
    const anchor = read(answer, anchorSchema);
    if (anchor.msp !== mspId || anchor.last !== last)
      throw new WaymarkError('data-abnormal', 'The channel answered with another anchor.');
    return anchor;
  }

  async function isCovered(mspId: string, covered: number): Promise<boolean> {
    const { items } = read(await ledger.evaluate('anchors', 'list', [mspId, String(covered), '1']), pageSchema);
    return items.some(({ first }) => first <= covered);
  }

  return {
    endingAt: (mspId, last, covered) => known.get(`${mspId}/${String(last)}`, () => ask(mspId, last, covered), (anchor) => anchor !== null), // prettier-ignore
  };
}

function read<T>(answer: Uint8Array, schema: z.ZodType<T>): T {
  const { success, data, error } = schema.safeParse(parseJsonStrict(answer));
  if (!success)
    throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.', { cause: error });
  return data;
}
