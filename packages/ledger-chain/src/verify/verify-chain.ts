import { isWaymarkError } from '@waymark/protocol';
import type { Configuration, Crypto, Header } from '@waymark/rsl';
import { anchorProblem, type StoredAnchorFacts } from '../proof/verify-anchor.ts';
import type { AnchoredRange, ChainBlock, LedgerChain } from '../store/ledger-chain.ts';
import { blockProblems, walkFrom, walkOn } from './check-block.ts';
import { indexProblems } from './check-index.ts';

/** Something wrong with a chain. */
export interface ChainProblem {
  /** 0: not of one block. */
  readonly height: number;
  /** Stable reason code. */
  readonly code: string;
  /** For people. */
  readonly message: string;
}

export interface ChainReport {
  readonly ledger: string;
  readonly height: number;
  /** Blocks that could be read. */
  readonly blocks: number;
  readonly valid: boolean;
  readonly problems: readonly ChainProblem[];
}

export interface ChainChecks {
  /** The first configuration: the ledger's root of trust. */
  readonly configuration: Configuration;
  /** Hashes, the members' keys, how submissions are signed, and this ledger's `bodyId`. Signs nothing. */
  readonly crypto: Crypto;
  /** What the channel holds of this ledger: in full, or no more than the hash of each range's last block. */
  readonly anchors: readonly (AnchoredRange | StoredAnchorFacts)[];
  /** After this many problems the check looks no further. Default 1000. */
  readonly maxProblems?: number | undefined;
  /** Ends the check early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const defaultMaxProblems = 1_000;

const messages: Readonly<Record<string, string>> = {
  'missing-blocks': 'Blocks are not here yet.',
  unreadable: 'The block cannot be read from the disk.',
  'block-altered': 'The block or its body is not the one that its hash names.',
  'anchor-mismatch': 'The channel holds another block.',
  'anchor-root': 'The channel holds other blocks in this range.',
};

/**
 * Checks a member's chain on disk from the first block to the last (D12): bodies, roots, hashes, links, seals and certificates, sequences, counts,
 * times, the index, and that it is what the channel anchored. A bit that flipped is found by the hashes, a chain that was rewritten as a whole,
 * signatures and all, by the anchors. Reads every byte; the chain may grow meanwhile.
 */
export async function verifyChain(chain: LedgerChain, checks: ChainChecks): Promise<ChainReport> {
  const { ledger, height } = chain;
  const { crypto, maxProblems = defaultMaxProblems } = checks;
  const problems: ChainProblem[] = [];
  const note = (at: number, code: string): void => {
    problems.push({ height: at, code, message: messages[code] ?? `The check ${code} failed.` });
  };
  const rows = chain.indexFacts();
  for (const code of rows.problems) note(0, code);
  let records = 0;
  for (const { last } of chain.missing()) note(last, 'missing-blocks');
  let state = walkFrom(checks.configuration);
  let blocks = 0;
  let isWalking = true;
  const headers: Header[] = [];
  for (let at = 1; at <= height && problems.length < maxProblems; at += 1) {
    checks.signal?.throwIfAborted();
    const block = await readOr(chain, at, (code) => note(at, code));
    if (block === null) {
      isWalking = false;
      continue;
    }
    blocks += 1;
    records += block.header.accepted;
    headers[at] = block.header;
    for (const code of indexProblems(chain, block)) note(at, code);
    if (!isWalking) continue;
    for (const code of blockProblems(crypto, state, block.candidate, block.seal)) note(at, code);
    state = walkOn(state, block.candidate, block.seal);
  }
  if (isWalking && problems.length < maxProblems) {
    if (state.hash !== chain.hash && chain.height === height) note(height, 'tip-mismatch');
    if (rows.blocks !== height || rows.records !== records) note(0, 'index-surplus');
    for (const [department, { seq, hash }] of state.cursors) {
      const cursor = chain.lastSubmission(department);
      const isNewer = chain.height > height && cursor !== null && cursor.seq > seq;
      if (!isNewer && (cursor?.seq !== seq || cursor.hash !== hash)) note(height, 'index-cursor');
    }
  }
  for (const anchor of checks.anchors) {
    if (anchor.last > height) continue;
    const problem = anchoredProblem(ledger, anchor, headers, crypto);
    if (problem !== null) note(anchor.last, problem);
  }
  return { ledger, height, blocks, valid: problems.length === 0, problems };
}

async function readOr(chain: LedgerChain, at: number, note: (code: string) => void): Promise<ChainBlock | null> {
  try {
    return await chain.block(at);
  } catch (error) {
    if (isWaymarkError(error, 'gone')) note('missing-blocks');
    else if (isWaymarkError(error, 'data-abnormal') || isWaymarkError(error, 'input-invalid')) note('block-altered');
    else if (isWaymarkError(error, 'unavailable')) note('unreadable');
    else throw error;
    return null;
  }
}

function anchoredProblem(
  ledger: string,
  anchor: AnchoredRange | StoredAnchorFacts,
  headers: readonly (Header | undefined)[],
  crypto: Crypto,
): string | null {
  if ('root' in anchor) {
    const range = headers.slice(anchor.first, anchor.last + 1);
    return range.every((header) => header !== undefined) ? anchorProblem(ledger, anchor, range) : null;
  }
  const last = headers[anchor.last];
  return last === undefined || crypto.headerHash(last) === anchor.hash ? null : 'anchor-mismatch';
}
