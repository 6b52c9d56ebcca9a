import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { KuboRPCClient } from 'kubo-rpc-client';
import type { CID } from 'multiformats/cid';
import { requireContentCid } from '../block/content-cid.ts';
import { requireMatch, requireStorable } from '../block/verify.ts';
import { writeCar } from '../car/write-car.ts';
import { checkHeld } from '../dag/check-held.ts';
import { addUnixfsFile, catUnixfsFile } from '../files/unixfs.ts';
import { chunksOf } from '../store/chunks.ts';
import { closedError } from '../store/closed.ts';
import type {
  Block,
  BlockStream,
  ByteStream,
  ContentStore,
  ContentStoreStats,
  HeldOptions,
  HeldReport,
  PutOptions,
  PutResult,
  ReadOptions,
} from '../store/content-store.ts';
import { withDeadline } from '../store/deadline.ts';
import { readMany } from '../store/read-many.ts';
import { requireSynced } from './durability.ts';
import { getBlock } from './get-block.ts';
import { connectionTo, type KuboAuthorization, type KuboConnection } from './kubo-connection.ts';
import { kuboFaultOf, unavailableKubo } from './kubo-fault.ts';

export interface KuboStoreOptions {
  /** Address of kubo's RPC API, such as http://127.0.0.1:5001. */
  readonly url: string;
  readonly authorization?: KuboAuthorization | undefined;
  /** For reads and small calls; default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** For each CAR sent, and for pinning; default 120 s. */
  readonly writeTimeoutMs?: number | undefined;
  /**
   * 'synced' (default): refuse a kubo whose datastore answers writes before they are on disk. 'as-configured': take it as
   * it is; then a power cut may take blocks that `putMany` acknowledged.
   */
  readonly durability?: 'synced' | 'as-configured' | undefined;
}

/**
 * The content store over kubo's RPC API.
 * @throws `configuration-invalid` (address, secret file, unsynced datastore), `unavailable` (kubo does not answer)
 */
export async function openKuboStore(options: KuboStoreOptions): Promise<ContentStore> {
  const connection = await connectionTo(options.url, options.authorization);
  // Loaded here because it is large and the embedded store does without it.
  const { create } = await import('kubo-rpc-client');
  const client = create({ url: connection.apiUrl, headers: connection.headers });
  const store = new KuboStore(connection, client, options.timeoutMs ?? 10_000, options.writeTimeoutMs ?? 120_000);
  if (options.durability !== 'as-configured') requireSynced(await store.datastoreSpec());
  return store;
}

class KuboStore implements ContentStore {
  readonly #connection: KuboConnection;
  readonly #client: KuboRPCClient;
  readonly #timeoutMs: number;
  readonly #writeTimeoutMs: number;
  readonly #closed = new AbortController();

  constructor(connection: KuboConnection, client: KuboRPCClient, timeoutMs: number, writeTimeoutMs: number) {
    this.#connection = connection;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  async get(cid: CID, options?: ReadOptions): Promise<Uint8Array> {
    requireContentCid(cid);
    const { local } = options ?? {};
    const bytes = await this.#call(options, this.#timeoutMs, (signal) =>
      getBlock(this.#connection, cid, { local, signal }),
    );
    return requireMatch(cid, bytes, 'kubo');
  }

  getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncIterable<Block> {
    return readMany(this, cids, options);
  }

  async has(cid: CID, options?: ReadOptions): Promise<boolean> {
    requireContentCid(cid);
    return await this.#call(options, this.#timeoutMs, async (signal) => {
      try {
        // `offline` is kubo's own option: only what this kubo holds counts.
        await this.#client.block.stat(cid, { signal, ...{ offline: true } });
        return true;
      } catch (fault) {
        if (isFault(fault, 'missing')) return false;
        throw fault;
      }
    });
  }

  async putMany(blocks: BlockStream, options?: PutOptions): Promise<PutResult> {
    const roots = (options?.pinRoots ?? []).map(requireContentCid);
    let count = 0;
    let sizeBytes = 0;
    // One chunk is held back, because the roots to pin travel with the last CAR.
    let last: Block[] | undefined;
    for await (const chunk of chunksOf(blocks, verified)) {
      count += chunk.items.length;
      sizeBytes += chunk.sizeBytes;
      if (last !== undefined) await this.#import(last, [], options);
      last = chunk.items;
    }
    if (last !== undefined) await this.#import(last, roots, options);
    else for (const root of roots) await this.pin(root, options);
    return { blocks: count, added: count, sizeBytes };
  }

  async pin(root: CID, options?: ReadOptions): Promise<void> {
    requireContentCid(root);
    await this.#call(options, this.#writeTimeoutMs, (signal) =>
      this.#client.pin.add(root, { recursive: true, signal }),
    );
  }

  async unpin(root: CID, options?: ReadOptions): Promise<void> {
    requireContentCid(root);
    await this.#call(options, this.#timeoutMs, async (signal) => {
      try {
        await this.#client.pin.rm(root, { recursive: true, signal });
      } catch (fault) {
        if (!isFault(fault, 'not-pinned')) throw fault;
      }
    });
  }

  async isPinned(root: CID, options?: ReadOptions): Promise<boolean> {
    requireContentCid(root);
    return await this.#call(options, this.#timeoutMs, async (signal) => {
      try {
        for await (const pin of this.#client.pin.ls({ paths: [root], type: 'recursive', signal })) {
          if (pin.cid.toString() === root.toString()) return true;
        }
        return false;
      } catch (fault) {
        if (isFault(fault, 'not-pinned')) return false;
        throw fault;
      }
    });
  }

  async checkHeld(root: CID, options?: HeldOptions): Promise<HeldReport> {
    requireContentCid(root);
    return await this.#call(options, this.#writeTimeoutMs, (signal) =>
      checkHeld(root, (cids) => this.#readHeld(cids, signal), options, signal),
    );
  }

  async repair(block: Block, options?: ReadOptions): Promise<void> {
    await this.putMany([block], options);
    try {
      await this.get(block.cid, { ...options, local: true });
    } catch (cause) {
      if (!isWaymarkError(cause, 'data-abnormal')) throw cause;
      throw new WaymarkError(
        'unsupported',
        'This kubo does not write over a block it holds: set Datastore.WriteThrough to true and Datastore.BlockKeyCacheSize to 0.',
        { details: { cid: block.cid.toString(), source: 'kubo' }, cause },
      );
    }
  }

  addFile(content: ByteStream, options?: ReadOptions): Promise<CID> {
    return addUnixfsFile(this, content, options);
  }

  cat(cid: CID, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return catUnixfsFile(this, cid, options);
  }

  /** Counts everything this kubo holds; its size is that of the repository. */
  async stats(options?: ReadOptions): Promise<ContentStoreStats> {
    return await this.#call(options, this.#writeTimeoutMs, async (signal) => {
      const repository = await this.#client.repo.stat({ signal });
      let pinnedRoots = 0;
      for await (const pin of this.#client.pin.ls({ type: 'recursive', signal }))
        pinnedRoots += pin.type === 'recursive' ? 1 : 0;
      return { blocks: Number(repository.numObjects), sizeBytes: Number(repository.repoSize), pinnedRoots };
    });
  }

  close(): Promise<void> {
    this.#closed.abort(closedError());
    return Promise.resolve();
  }

  async datastoreSpec(): Promise<unknown> {
    return await this.#call(undefined, this.#timeoutMs, (signal) =>
      this.#client.config.get('Datastore.Spec', { signal }),
    );
  }

  async #readHeld(cids: readonly CID[], signal: AbortSignal): Promise<(Uint8Array | WaymarkError)[]> {
    return await Promise.all(
      cids.map((cid) =>
        this.get(cid, { signal, local: true }).catch((fault: unknown) => {
          if (isWaymarkError(fault)) return fault;
          throw fault;
        }),
      ),
    );
  }

  async #import(blocks: readonly Block[], roots: readonly CID[], options: ReadOptions | undefined): Promise<void> {
    await this.#call(options, this.#writeTimeoutMs, async (signal) => {
      const pinned = new Set<string>();
      const source = writeCar(roots, blocks);
      for await (const { root } of this.#client.dag.import([source], { pinRoots: roots.length > 0, signal })) {
        if (root.pinErrorMsg !== undefined && root.pinErrorMsg !== '') throw new Error(root.pinErrorMsg);
        pinned.add(root.cid.toString());
      }
      if (roots.some((root) => !pinned.has(root.toString()))) throw new Error('kubo did not answer for every root');
    });
  }

  async #call<T>(
    options: ReadOptions | undefined,
    timeoutMs: number,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    options?.signal?.throwIfAborted();
    const signal =
      options?.signal === undefined ? this.#closed.signal : AbortSignal.any([options.signal, this.#closed.signal]);
    return await withDeadline({ signal, timeoutMs: options?.timeoutMs ?? timeoutMs }, undefined, async (inner) => {
      try {
        return await run(inner ?? signal);
      } catch (fault) {
        signal.throwIfAborted();
        throw unavailableKubo(fault);
      }
    });
  }
}

function isFault(fault: unknown, expected: ReturnType<typeof kuboFaultOf>): boolean {
  return fault instanceof Error && kuboFaultOf(fault.message) === expected;
}

function verified(block: Block): Block {
  requireStorable(block);
  return block;
}
