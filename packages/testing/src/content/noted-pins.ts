import type { ContentStore } from '@waymark/content';
import type { CID } from 'multiformats/cid';

/** Notes what is pinned through a store, so that a test on somebody's store can give it up again. */
export function notingPins(store: ContentStore, pinned: Map<string, CID>): ContentStore {
  const note = (roots: readonly CID[] = []): void => {
    for (const root of roots) pinned.set(root.toString(), root);
  };
  return {
    get: (cid, options) => store.get(cid, options),
    getMany: (cids, options) => store.getMany(cids, options),
    has: (cid, options) => store.has(cid, options),
    putMany: (blocks, options) => {
      note(options?.pinRoots);
      return store.putMany(blocks, options);
    },
    pin: (root, options) => {
      note([root]);
      return store.pin(root, options);
    },
    unpin: (root, options) => store.unpin(root, options),
    isPinned: (root, options) => store.isPinned(root, options),
    checkHeld: (root, options) => store.checkHeld(root, options),
    repair: (block, options) => store.repair(block, options),
    addFile: (content, options) => store.addFile(content, options),
    cat: (cid, options) => store.cat(cid, options),
    stats: (options) => store.stats(options),
    close: () => store.close(),
  };
}

/** Gives up every pin that was noted. */
export async function releasePins(store: ContentStore, pinned: ReadonlyMap<string, CID>): Promise<void> {
  for (const root of pinned.values()) await store.unpin(root).catch(() => undefined); // refused CIDs were never pinned
}
