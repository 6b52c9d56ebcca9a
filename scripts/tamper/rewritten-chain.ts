import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createBodyCipher, type LedgerChain, openLedgerChain } from '@waymark/ledger-chain';
import { WaymarkError } from '@waymark/protocol';
import {
  type AuditedSubmission,
  type Candidate,
  type Content,
  contentCounts,
  contentRoot,
  createCrypto,
  departmentsDigest,
} from '@waymark/rsl';

/** Where a member keeps its chain, and what its bodies are encrypted under. */
export interface ChainPlace {
  readonly folder: string;
  readonly ledger: string;
  /** 32 bytes that every member of the firm has. Secret. */
  readonly indexRoot: Uint8Array;
}

/** What was rewritten. */
export interface RewrittenChain {
  /** The block that says something else now. */
  readonly height: number;
  readonly hash: string;
  /** What the block was before. */
  readonly was: string;
  /** Blocks above it that were linked anew. */
  readonly above: number;
}

/** What a record is rejected for that was accepted. */
const reason = 'duplicate-oid';
const saltBytes = 16;

/**
 * Rewrites a member's chain on disk as somebody does who owns its machine: one block rejects a record that it had accepted, and that block and all above
 * it get new hashes and links, bodies and index included, so that the chain holds by itself. What the other members signed cannot be made anew and stays as
 * it was. The chain as it was lies beside it, for `restoreChain`. The member must not be running.
 *
 * @param height of the block; default: the first that has accepted a record and is anchored
 * @throws WaymarkError unavailable (`locked`: the member runs), conflict: it is rewritten already, input-invalid: there is no such block,
 *   data-abnormal: it is damaged, recipient-mismatch
 */
export async function rewriteChain({ folder, ...of }: ChainPlace, height?: number): Promise<RewrittenChain> {
  const [before, fresh] = besides(folder);
  if (existsSync(before)) throw new WaymarkError('conflict', 'This chain is rewritten already; heal it first.');
  await rm(fresh, { recursive: true, force: true });
  const chain = await openedChain({ folder, ...of });
  let rewritten: RewrittenChain;
  try {
    const copy = await openedChain({ folder: fresh, ...of });
    try {
      rewritten = await copyRewritten(chain, copy, height ?? firstWithRecords(chain), of);
    } finally {
      await copy.close();
    }
  } finally {
    await chain.close();
  }
  await rename(folder, before);
  await rename(fresh, folder);
  return rewritten;
}

/** Puts the chain back as it was. Gives whether there was anything to do. @throws WaymarkError unavailable (`locked`: the member runs) */
export async function restoreChain(place: ChainPlace): Promise<boolean> {
  const { folder } = place;
  const [before, discarded] = besides(folder);
  if (!existsSync(before)) return false;
  // Nobody may have it open.
  if (existsSync(folder)) await (await openedChain(place)).close();
  await rm(discarded, { recursive: true, force: true });
  if (existsSync(folder)) await rename(folder, discarded);
  await rename(before, folder);
  await rm(discarded, { recursive: true, force: true });
  return true;
}

/** Folders beside a chain: what it was, and what is being made or thrown away. */
function besides(folder: string): [string, string] {
  return [`${folder}.before`, `${folder}.rewritten`];
}

function openedChain({ folder, ledger, indexRoot }: ChainPlace): Promise<LedgerChain> {
  return openLedgerChain({ folder, ledger, bodyCipher: createBodyCipher({ indexRoot, ledger }) });
}

function firstWithRecords(chain: LedgerChain): number {
  for (let height = 1; height <= Math.min(chain.height, chain.anchoredUpTo); height += 1)
    if ((chain.header(height)?.accepted ?? 0) > 0) return height;
  throw new WaymarkError('input-invalid', 'No block with records is anchored yet.');
}

async function copyRewritten(
  from: LedgerChain,
  to: LedgerChain,
  height: number,
  { ledger, indexRoot }: Omit<ChainPlace, 'folder'>,
): Promise<RewrittenChain> {
  const bodyCipher = createBodyCipher({ indexRoot, ledger });
  const crypto = createCrypto({
    bodyId: (candidate) => bodyCipher.bodyId(candidate),
    signBytes: () => {
      throw new WaymarkError('unsupported', 'Nothing is signed here.');
    },
    verifyBytes: () => false,
  });
  if (height < 1) throw noSuchBlock(height);
  const cursors = new Map<string, { readonly seq: number; readonly hash: string }>();
  const hashes: string[] = [];
  let done: Omit<RewrittenChain, 'above'> | undefined;
  for (let at = 1; at <= from.height; at += 1) {
    const { candidate, seal } = await from.block(at);
    if (candidate.content.kind === 'records')
      for (const { submission } of candidate.content.audited) cursors.set(submission.department, submission);
    if (at < height) {
      await to.apply([{ candidate, seal }]);
      hashes[at] = seal.hash;
      continue;
    }
    const changes =
      at > height
        ? {}
        : { content: withoutFirstRecord(candidate.content, height), salt: randomBytes(saltBytes).toString('hex') };
    const content = changes.content ?? candidate.content;
    const prev = at === height ? candidate.prev : (hashes[at - 1] ?? '');
    const altered: Candidate = { ...candidate, ...changes, prev, root: contentRoot(crypto, content) };
    const header = {
      ...seal.header,
      ...contentCounts(content),
      prev,
      root: altered.root,
      departments: departmentsDigest(crypto, altered.salt, cursors),
      body: crypto.bodyId(altered),
    };
    const hash = crypto.headerHash(header);
    await to.apply([{ candidate: altered, seal: { ...seal, header, hash } }]);
    bodyCipher.release(altered);
    hashes[at] = hash;
    done ??= { height, hash, was: seal.hash };
  }
  if (done === undefined) throw noSuchBlock(height);
  // What the member remembers of the channel says the same: only the channel itself still knows.
  for (const range of from.anchors())
    if (range.last <= from.height) to.markAnchored({ ...range, hash: hashes[range.last] ?? range.hash });
  return { ...done, above: from.height - height };
}

/** The same content, but that the first record which was accepted is rejected. */
function withoutFirstRecord(content: Content, height: number): Content {
  if (content.kind !== 'records') throw noSuchBlock(height);
  const accepts = ({ submission, rejected }: AuditedSubmission): boolean => rejected.length < submission.records.length;
  const chosen = content.audited.find(accepts);
  if (chosen === undefined) throw noSuchBlock(height);
  const refused = new Set(chosen.rejected.map(({ index }) => index));
  const index = chosen.submission.records.findIndex((_, place) => !refused.has(place));
  const rejected = [...chosen.rejected, { index, reason }].sort((a, b) => a.index - b.index);
  return { kind: 'records', audited: content.audited.map((each) => (each === chosen ? { ...each, rejected } : each)) };
}

function noSuchBlock(height: number): WaymarkError {
  return new WaymarkError('input-invalid', `Block ${height} is not there, or accepts no record.`);
}
