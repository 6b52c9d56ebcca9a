import { setImmediate as turn } from 'node:timers/promises';
import { reasonTexts } from '@waymark/audit';
import type { AnchoredRange, LedgerChain } from '@waymark/ledger-chain';
import { WaymarkError } from '@waymark/protocol';
import type { Content } from '@waymark/rsl';

/** Most blocks of one list, and most rejected records that are named of one block. */
export const maxBlocksListed = 200;
const maxRejectedNamed = 10_000;
/** Blocks that are looked through for a hash, the newest first. */
const maxBlocksSearched = 100_000;
const searchedAtOnce = 256;

/** A block in a list. */
export interface BlockRow {
  readonly height: number;
  readonly hash: string;
  readonly epoch: number;
  readonly term: number;
  /** The member that sealed it. */
  readonly center: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly accepted: number;
  readonly rejected: number;
  /** Transaction of the anchor that covers it; null while there is none. */
  readonly anchorTxId: string | null;
}

/** All that is told of a block: never a payload, never a name of the goods. */
export interface BlockFacts extends BlockRow {
  readonly ledger: string;
  readonly prev: string;
  readonly root: string;
  readonly body: string;
  readonly kind: Content['kind'];
  readonly anchor: AnchoredRange | null;
  readonly submissions: readonly {
    readonly department: string;
    readonly seq: number;
    readonly hash: string;
    readonly records: number;
    readonly rejected: readonly {
      readonly index: number;
      readonly recordOid: string;
      readonly reason: string;
      /** For people. */
      readonly text: string;
    }[];
  }[];
  /** The members that the block brings in; null for others. */
  readonly configuration: object | null;
  readonly acks: readonly { readonly member: string; readonly time: string }[];
}

/** What is told of a member's blocks. */
export interface BlockReads {
  /**
   * Blocks in order.
   * @param from first height; null for the newest ones
   * @param limit 1 to `maxBlocksListed`
   */
  list(from: number | null, limit: number): { readonly height: number; readonly blocks: readonly BlockRow[] };
  /**
   * One block, read from the disk and checked against its hash.
   * @param name its height, or its hash
   * @throws WaymarkError refused: there is none; gone: not here yet; data-abnormal; unavailable
   */
  show(name: string): Promise<BlockFacts>;
}

/** Reads of a chain. */
export function createBlockReads(
  chain: Pick<LedgerChain, 'height' | 'hash' | 'header' | 'seal' | 'anchorOf' | 'block'>,
): BlockReads {
  const row = (height: number): BlockRow | null => {
    const seal = chain.seal(height);
    if (seal === null) return null;
    const { epoch, term, timestampMs, accepted, rejected } = seal.header;
    return {
      height,
      hash: seal.hash,
      epoch,
      term,
      center: seal.center,
      timestamp: timeText(timestampMs),
      accepted,
      rejected,
      anchorTxId: chain.anchorOf(height)?.txId ?? null,
    };
  };

  /** Page by page, so that others get their turn. */
  async function heightOf(name: string): Promise<number> {
    if (/^[1-9][0-9]{0,15}$/.test(name)) return Number(name);
    if (name === chain.hash) return chain.height;
    const lowest = Math.max(1, chain.height - maxBlocksSearched);
    for (let above = chain.height; above > lowest; above -= searchedAtOnce) {
      for (let at = above; at > Math.max(lowest, above - searchedAtOnce); at -= 1)
        if (chain.header(at)?.prev === name) return at - 1;
      await turn();
    }
    throw notThere();
  }

  return {
    list(from, limit) {
      const { height } = chain;
      const first = from ?? Math.max(1, height - limit + 1);
      const blocks: BlockRow[] = [];
      for (let at = first; at <= height && blocks.length < limit; at += 1) {
        const found = row(at);
        if (found !== null) blocks.push(found);
        // A range below a snapshot is still being fetched: nothing is listed in place of it.
        else if (at - first >= limit) break;
      }
      return { height, blocks };
    },
    async show(name) {
      const height = await heightOf(name);
      if (height > chain.height) throw notThere();
      const { header, seal, candidate } = await chain.block(height);
      const told = row(height);
      if (told === null) throw notThere();
      const { content } = candidate;
      let named = 0;
      return {
        ...told,
        ledger: header.ledger,
        prev: header.prev,
        root: header.root,
        body: header.body,
        kind: content.kind,
        anchor: chain.anchorOf(height),
        submissions:
          content.kind !== 'records'
            ? []
            : content.audited.map(({ submission, rejected }) => ({
                department: submission.department,
                seq: submission.seq,
                hash: submission.hash,
                records: submission.records.length,
                rejected: rejected
                  .filter(() => (named += 1) <= maxRejectedNamed)
                  .map(({ index, reason }) => ({
                    index,
                    recordOid: submission.records[index]?.oid ?? '',
                    reason,
                    text: reasonTexts[reason] ?? "A rule of the firm's own did not let it through.",
                  })),
              })),
        configuration: content.kind === 'configuration' ? content.configuration : null,
        acks: seal.certificate.map(({ member, ackTimeMs }) => ({ member, time: timeText(ackTimeMs) })),
      };
    },
  };
}

/** What another member stamped may be no date at all. */
function timeText(timeMs: number): string {
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime()) ? String(timeMs) : time.toISOString();
}

function notThere(): WaymarkError {
  return new WaymarkError('refused', 'There is no such block here.');
}
