import type { Block, EmbeddedContentStore } from '@waymark/content';
import { WaymarkError } from '@waymark/protocol';
import { type BlockHash, type Header, noBlock, type Seal, type SealedBlock, type Snapshot } from '@waymark/rsl';
import { backupChain } from '../backup/backup.ts';
import type { BodyCipher } from '../body/body-cipher.ts';
import { createRecordProver, type RecordProver } from '../proof/record-prover.ts';
import type { RecordProof } from '../proof/record-proof.ts';
import { readBlock, readStored } from './block-reader.ts';
import type { ChainIndex, Tip } from './chain-index.ts';
import { confirmingSeals } from './confirming-seals.ts';
import type {
  AnchoredRange,
  BackupManifest,
  ChainBlock,
  IndexFacts,
  LedgerChain,
  MissingRange,
  ProofOptions,
  RecordPlace,
  StoredBlock,
} from './ledger-chain.ts';
import { decodeSeal } from './seal-bytes.ts';
import { abnormalBlock, blocksOf, candidateOf, goneError, rowOf } from './stored-block.ts';

interface Parts {
  readonly ledger: string;
  readonly blocks: EmbeddedContentStore;
  readonly index: ChainIndex;
  readonly bodyCipher: BodyCipher;
}

/** The chain on this machine's disk. Writes go one after the other. */
export class FileLedgerChain implements LedgerChain {
  readonly ledger: string;
  readonly #parts: Parts;
  readonly #prover: RecordProver;
  #tip: Tip;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: Parts) {
    this.ledger = parts.ledger;
    this.#parts = parts;
    this.#tip = parts.index.tip();
    this.#prover = createRecordProver({
      ledger: parts.ledger,
      block: (height) => this.block(height),
      anchorOf: (height) => this.anchorOf(height),
      hashes: (first, last) => this.#hashes(first, last),
    });
  }

  get height(): number {
    return this.#tip.height;
  }

  get hash(): BlockHash {
    return this.#tip.hash;
  }

  apply(blocks: readonly SealedBlock[]): Promise<void> {
    return this.#inTurn(() => this.#apply(blocks));
  }

  sync(): Promise<void> {
    return this.#inTurn(() => {
      this.#parts.index.sync();
      return Promise.resolve();
    });
  }

  isRecorded(oid: string): boolean {
    return this.#parts.index.isRecorded(oid);
  }

  findRecord(oid: string): RecordPlace | null {
    return this.#parts.index.findRecord(oid);
  }

  submission(department: string, seq: number) {
    return this.#parts.index.submission(department, seq);
  }

  lastSubmission(department: string) {
    return this.#parts.index.cursor(department);
  }

  header(height: number): Header | null {
    return this.seal(height)?.header ?? null;
  }

  seal(height: number): Seal | null {
    const row = this.#parts.index.block(height);
    return row === null ? null : decodeSeal(row.seal);
  }

  headers(first: number, last: number): readonly Header[] {
    const rows = this.#parts.index.blocks(first, last);
    if (rows.length !== last - first + 1) throw goneError(first, last);
    return rows.map(({ seal }) => decodeSeal(seal).header);
  }

  async block(height: number): Promise<ChainBlock> {
    return await readBlock(this.#parts, height);
  }

  async storedBlock(height: number): Promise<StoredBlock> {
    return await readStored(this.#parts, height);
  }

  async records(height: number): Promise<readonly RecordPlace[]> {
    const { content } = (await this.block(height)).candidate;
    if (content.kind !== 'records') return [];
    return content.audited.flatMap(({ submission: { department, seq, records }, rejected }, item) => {
      const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
      return records.map(({ oid }, index) => ({
        oid,
        height,
        item,
        index,
        department,
        seq,
        reason: reasons.get(index) ?? null,
      }));
    });
  }

  installSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(() => this.#installSnapshot(snapshot));
  }

  missing(): readonly MissingRange[] {
    return this.#parts.index.gaps();
  }

  async backfill(blocks: Iterable<StoredBlock> | AsyncIterable<StoredBlock>): Promise<number> {
    let count = 0;
    for await (const block of blocks) {
      await this.#inTurn(() => this.#fillIn(block));
      count += 1;
    }
    return count;
  }

  markAnchored(range: AnchoredRange): void {
    const { index } = this.#parts;
    index.addAnchor(range);
    const held = index.block(range.last)?.hash;
    if (held === undefined || held === range.hash) return;
    throw new WaymarkError('data-abnormal', 'The channel holds another block of this ledger than is here.', {
      details: { reason: 'anchor-mismatch', height: range.last, anchored: range.hash, held },
    });
  }

  get anchoredUpTo(): number {
    return this.#parts.index.anchoredUpTo();
  }

  anchorOf(height: number): AnchoredRange | null {
    return this.#parts.index.anchorOf(height);
  }

  anchors(): readonly AnchoredRange[] {
    return this.#parts.index.anchors();
  }

  async proveRecord(oid: string, { confirmation }: ProofOptions = {}): Promise<RecordProof> {
    const place = this.findRecord(oid);
    if (place === null) throw new WaymarkError('refused', 'No block of the ledger holds this record.');
    return this.#prover.prove(
      place,
      (height) => confirmation?.(height) ?? confirmingSeals(height, (at) => this.seal(at)),
    );
  }

  backup(targetFolder: string): Promise<BackupManifest> {
    return backupChain(this, targetFolder);
  }

  indexFacts(): IndexFacts {
    return this.#parts.index.facts();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writing;
    await this.#parts.blocks.close();
    this.#parts.index.close();
  }

  #hashes(first: number, last: number): string[] {
    const rows = this.#parts.index.blocks(first, last);
    if (rows.length !== last - first + 1) throw goneError(first, last);
    return rows.map(({ hash }) => hash);
  }

  async #apply(blocks: readonly SealedBlock[]): Promise<void> {
    const { index, bodyCipher } = this.#parts;
    const fresh = blocks.filter(({ candidate }) => candidate.height > this.#tip.height);
    let tip = this.#tip;
    const stored: Block[] = [];
    for (const { candidate, seal } of fresh) {
      if (candidate.height !== tip.height + 1 || seal.header.prev !== tip.hash)
        throw new WaymarkError('internal', 'A block does not follow the chain.', {
          details: { height: candidate.height, chain: tip.height },
        });
      stored.push(...blocksOf(bodyCipher, candidate, seal));
      tip = { height: candidate.height, hash: seal.hash };
    }
    if (fresh.length === 0) return;
    await this.#parts.blocks.putMany(stored);
    index.transaction(() => {
      for (const { candidate, seal } of fresh) {
        index.addBlock(rowOf(candidate, seal), candidate.content);
        if (candidate.content.kind !== 'records') continue;
        for (const { submission } of candidate.content.audited) index.setCursor(submission);
      }
      index.setTip(tip);
    });
    this.#tip = tip;
    for (const { candidate } of fresh) bodyCipher.release(candidate);
  }

  #installSnapshot({ height, cursors, seals }: Snapshot): Promise<void> {
    const { index } = this.#parts;
    const [seal] = seals;
    if (seal?.header.height !== height)
      throw new WaymarkError('internal', 'A snapshot does not begin with the seal of its block.');
    if (height <= this.#tip.height) return Promise.resolve();
    const tip = { height, hash: seal.hash };
    index.transaction(() => {
      index.addGap({ first: this.#tip.height + 1, last: height, hash: seal.hash });
      for (const cursor of cursors) index.setCursor(cursor);
      index.setTip(tip);
    });
    this.#tip = tip;
    return Promise.resolve();
  }

  async #fillIn(stored: StoredBlock): Promise<void> {
    const { index, bodyCipher } = this.#parts;
    const [gap] = index.gaps();
    if (gap === undefined) throw abnormalBlock('not-missing', stored.height);
    const seal = decodeSeal(stored.seal);
    const [headerBlock, root, ...parts] = stored.blocks;
    const { header, hash } = seal;
    if (hash !== gap.hash || header.height !== gap.last || header.ledger !== this.ledger)
      throw abnormalBlock('previous-mismatch', gap.last);
    if (headerBlock === undefined || root === undefined || root.cid.toString() !== header.body)
      throw abnormalBlock('body', gap.last);
    const body = bodyCipher.decodeBody(
      root,
      parts.map(({ bytes }) => bytes),
    );
    const candidate = candidateOf(seal, body, stored.candidateSignature);
    const blocks = blocksOf(bodyCipher, candidate, seal);
    const below = index.block(gap.first - 1);
    const isLowest = gap.first === gap.last;
    if (isLowest && header.prev !== (below?.hash ?? noBlock)) throw abnormalBlock('previous-mismatch', gap.first);
    await this.#parts.blocks.putMany(blocks);
    index.transaction(() => {
      index.addBlock(rowOf(candidate, seal), candidate.content);
      index.removeGap(gap.last);
      if (!isLowest) index.addGap({ first: gap.first, last: gap.last - 1, hash: header.prev });
    });
    bodyCipher.release(candidate);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed)
      return Promise.reject(new WaymarkError('unavailable', 'The chain is closed.', { details: { reason: 'closed' } }));
    const done = this.#writing.then(work);
    this.#writing = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
