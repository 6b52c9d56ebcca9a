/**
 * Gathers what arrives while a write is under way and hands it over as the next group, so that the number of
 * fsyncs follows the disk and not the number of callers.
 */
export interface GroupCommit<Item> {
  /** Resolves when the group with this item is on disk; rejects for all of a group when it failed. */
  add(item: Item): Promise<void>;
  /** Items waiting or being written. */
  readonly size: number;
}

/**
 * @param write makes one group durable; called with one group at a time, in order of arrival
 * @param maxGroup most items in one group
 * @param onFailed told of everything that a fault takes with it, before anything can be added or anybody hears of it
 */
export function createGroupCommit<Item>(
  write: (items: readonly Item[]) => Promise<void>,
  maxGroup: number,
  onFailed: (items: readonly Item[]) => void = () => undefined,
): GroupCommit<Item> {
  const queue: { item: Item; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing = 0;
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (queue.length > 0) {
      const group = queue.splice(0, maxGroup);
      writing = group.length;
      try {
        await write(group.map(({ item }) => item));
        for (const { resolve } of group) resolve();
      } catch (error) {
        // What came after the failed group may build on it: it fails as well and is sent again.
        const failed = [...group, ...queue.splice(0)];
        onFailed(failed.map(({ item }) => item));
        for (const { reject } of failed) reject(error);
      }
      writing = 0;
    }
    running = false;
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        if (!running) void run();
      });
    },
    get size() {
      return queue.length + writing;
    },
  };
}
