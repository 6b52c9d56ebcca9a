import { type Block, type ContentStore, type GatewayContentSource, readDag } from '@waymark/content';
import { dagCborCode, isWaymarkError, maxBatchRecords, parseCid, WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import type { Connections } from '../members/connections.ts';
import type { MemberClient } from '../members/member-client.ts';
import { maxBodyParts, type RootCheck } from './root-check.ts';

/** Time for a block to come through the store's own network. */
const networkTimeoutMs = 5_000;
/** Not used for so long after it did not bring a batch. */
const networkPauseMs = 30_000;
const fetchTimeoutMs = 60_000;

/** Keeps whole batches, and bodies of blocks, in the own content store, fetching what is missing from where it is. */
export interface Keeper {
  /**
   * Makes sure that a batch or body is here, whole, intact and pinned; durable when it resolves. Calls for one share the work.
   * @param from the organisation whose center has it most likely
   * @param check applied to its root before anything it links to is fetched
   * @throws WaymarkError unavailable: nobody has it, or can be asked; data-abnormal, limit-exceeded, whatever `check` throws
   */
  keep(cid: string, from: string, check: RootCheck): Promise<void>;
  /** Whether it is here, whole, intact and pinned: the own disk is read, nobody is asked. */
  isHeld(cid: string): Promise<boolean>;
  /**
   * Brings one block from where it is and puts it in the place of a missing or altered copy.
   * @param from the organisation whose center is asked first
   * @throws WaymarkError unavailable: nobody has it, or can be asked; data-abnormal; unsupported: the store keeps the altered copy
   */
  repairBlock(cid: CID, from: string): Promise<void>;
  /**
   * One block, from the own disk or from where it is; nothing is stored.
   * @throws WaymarkError unavailable: nobody has it, or can be asked; data-abnormal
   */
  fetchBlock(cid: CID, from: string): Promise<Uint8Array>;
}

/** What a keeper is made of. */
export interface KeeperParts {
  readonly content: ContentStore;
  /** Whether the store fetches by itself what it does not have (kubo, through its swarm). */
  readonly storeHasNetwork: boolean;
  readonly connections: Connections;
  readonly maxDagBytes: number;
}

/** Builds a keeper. */
export function createKeeper(parts: KeeperParts): Keeper {
  const { content, connections } = parts;
  const underWay = new Map<string, Promise<void>>();
  let networkAwayUntilMs = 0;
  const limits = { maxBlocks: maxBatchRecords + maxBodyParts + 1, maxSizeBytes: parts.maxDagBytes };

  async function bring(cid: CID, from: string, check: RootCheck): Promise<void> {
    if (await held(cid)) {
      await confirm(cid, check);
      return;
    }
    // A store may take an altered block for one it has: that is put right first, block by block.
    for (let round = 0; round < 2; round += 1) {
      const { altered } = await content.checkHeld(cid, { maxBlocks: limits.maxBlocks });
      for (const block of altered) await repair(block, from);
      if (altered.length === 0) break;
    }
    if (parts.storeHasNetwork && networkAwayUntilMs <= performance.now()) {
      const done = await throughStore(cid, check).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Unfit) throw error.cause;
          // Every batch would wait for it anew, and the other centers have it as well.
          networkAwayUntilMs = performance.now() + networkPauseMs;
          return false;
        },
      );
      if (done) return;
    }
    await fromMembers(from, ({ blocks }) => throughGateway(cid, check, blocks));
  }

  /** Asks one organisation's center after the other, until one gives what is wanted. */
  async function fromMembers(from: string, work: (client: MemberClient) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    const known = connections.organisations();
    for (const mspId of [from, ...known.filter((one) => one !== from)]) {
      if (!known.includes(mspId)) continue;
      try {
        await connections.use(mspId, work);
        return;
      } catch (error) {
        // Another source would bring the same block, and the same verdict.
        if (error instanceof Unfit) throw error.cause;
        failures.push(error);
      }
    }
    throw worst(failures);
  }

  /** That it is here says nothing about whose it is: it may be kept for another reason. */
  async function confirm(cid: CID, check: RootCheck): Promise<void> {
    check(await content.get(cid, { local: true }));
  }

  async function repair(cid: CID, from: string): Promise<void> {
    await content.repair({ cid, bytes: await fetched(cid, from) });
  }

  async function fetched(cid: CID, from: string): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined;
    await fromMembers(from, async ({ blocks }) => {
      bytes = await blocks.get(cid);
    });
    if (bytes === undefined) throw new WaymarkError('internal', 'A block was fetched and is not there.');
    return bytes;
  }

  async function throughStore(cid: CID, check: RootCheck): Promise<void> {
    // Reading a block makes the store fetch it; pinning then finds all of it there, and never more than was let in here.
    await readAll(checked(readDag(content, cid, { ...limits, timeoutMs: networkTimeoutMs }), check));
    await content.pin(cid);
  }

  async function throughGateway(
    cid: CID,
    check: RootCheck,
    gateway: Pick<GatewayContentSource, 'readDag'>,
  ): Promise<void> {
    const signal = AbortSignal.timeout(fetchTimeoutMs);
    try {
      await content.putMany(checked(gateway.readDag(cid, { ...limits, signal }), check), { pinRoots: [cid] });
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new WaymarkError('unavailable', 'The batch did not come in time.', { details: { reason: 'timeout' } });
    }
  }

  async function held(cid: CID): Promise<boolean> {
    return (await content.isPinned(cid)) && (await content.checkHeld(cid, { maxBlocks: limits.maxBlocks })).held;
  }

  return {
    async keep(text, from, check) {
      const cid = parseCid(text, [dagCborCode]);
      const known = underWay.get(text);
      if (known !== undefined) {
        await known;
        await confirm(cid, check);
        return;
      }
      const work = bring(cid, from, check).finally(() => underWay.delete(text));
      underWay.set(text, work);
      await work;
    },
    isHeld: (text) => held(parseCid(text, [dagCborCode])),
    repairBlock: (cid, from) => repair(cid, from),
    async fetchBlock(cid, from) {
      if (await content.has(cid)) {
        try {
          return await content.get(cid, { local: true });
        } catch (error) {
          if (!isWaymarkError(error, 'data-abnormal') && !isWaymarkError(error, 'unavailable')) throw error;
        }
      }
      return await fetched(cid, from);
    },
  };
}

async function readAll(blocks: AsyncIterable<Block>): Promise<void> {
  const iterator = blocks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/** The root is not one that is kept. */
class Unfit extends Error {}

async function* checked(blocks: AsyncIterable<Block>, check: RootCheck): AsyncGenerator<Block> {
  let first = true;
  for await (const block of blocks) {
    if (first) {
      first = false;
      try {
        check(block.bytes);
      } catch (cause) {
        throw new Unfit('the batch is not one that is kept', { cause });
      }
    }
    yield block;
  }
}

/** What says most about why nobody could give it. */
function worst(failures: readonly unknown[]): unknown {
  return (
    failures.find((error) => !isWaymarkError(error, 'unavailable')) ??
    failures.at(-1) ??
    new WaymarkError('unavailable', 'No other center is known that could have the batch.', {
      details: { reason: 'away' },
    })
  );
}
