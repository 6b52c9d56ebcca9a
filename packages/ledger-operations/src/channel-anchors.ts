import { chaincodeVerdict, type Ledger } from '@waymark/fabric';
import type { ChainChecks } from '@waymark/ledger-chain';
import { parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { z } from 'zod';

/** An anchor with all that the channel keeps of it. */
export type ChannelAnchor = Extract<ChainChecks['anchors'][number], { readonly root: string }>;

const pageAnchors = 100;
const maxAnswerBytes = 1024 * 1024;
const height = z.int().min(1);
const hash = z.string().min(1).max(128);
const pageSchema = z.object({
  items: z
    .array(
      z.object({
        first: height,
        last: height,
        hash,
        prev: hash.nullable(),
        root: z.string().regex(/^[0-9a-f]{64}$/),
        epoch: height,
        blockTerm: height,
        timestamp: z.string().max(64),
        txId: z.string().min(1).max(256),
      }),
    )
    .max(pageAnchors),
  next: height.nullable(),
});

/**
 * All anchors of an organisation's ledger as a peer has them now, lowest first: not from the member's own disk, which is what is being judged.
 * @throws WaymarkError unavailable
 */
export async function channelAnchors(
  ledger: Pick<Ledger, 'evaluate'>,
  mspId: string,
): Promise<readonly ChannelAnchor[]> {
  const anchors: ChannelAnchor[] = [];
  for (let from: number | null = 1; from !== null;) {
    const page: z.infer<typeof pageSchema> = await pageOf(ledger, mspId, from);
    anchors.push(...page.items);
    if (page.next !== null && page.next <= from) throw notAnAnswer();
    from = page.next;
  }
  return anchors;
}

async function pageOf(ledger: Pick<Ledger, 'evaluate'>, mspId: string, from: number) {
  const result = await ledger
    .evaluate('anchors', 'list', [mspId, String(from), String(pageAnchors)])
    .catch((error: unknown) => {
      throw chaincodeVerdict(error);
    });
  const page = pageSchema.safeParse(parseJsonStrict(result, { maxBytes: maxAnswerBytes }));
  if (!page.success) throw notAnAnswer(page.error);
  return page.data;
}

function notAnAnswer(cause?: unknown): WaymarkError {
  return new WaymarkError('unavailable', "The peer's list of anchors does not have the agreed form.", { cause });
}
