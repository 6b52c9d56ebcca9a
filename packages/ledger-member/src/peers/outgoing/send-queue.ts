/** An envelope that waits to be sent. */
export interface Queued {
  readonly bytes: Uint8Array;
  /** Dropped only when there is nothing else to drop: what is said once, or decides who is center. */
  readonly isLasting: boolean;
}

/** What waits for one member, never more than its limits. Who is behind loses the oldest: the core says it again. */
export interface SendQueue {
  readonly sizeBytes: number;
  readonly length: number;
  /** @returns how many were dropped for it, or with it */
  push(item: Queued): number;
  shift(): Queued | undefined;
  clear(): void;
}

export function createSendQueue(maxMessages: number, maxBytes: number): SendQueue {
  let items: Queued[] = [];
  let sizeBytes = 0;
  const remove = (index: number): Queued | undefined => {
    const [item] = items.splice(index, 1);
    sizeBytes -= item?.bytes.length ?? 0;
    return item;
  };
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    get length() {
      return items.length;
    },
    push(item) {
      items.push(item);
      sizeBytes += item.bytes.length;
      let dropped = 0;
      while (items.length > maxMessages || sizeBytes > maxBytes) {
        remove(
          Math.max(
            0,
            items.findIndex(({ isLasting }) => !isLasting),
          ),
        );
        dropped += 1;
      }
      return dropped;
    },
    shift: () => remove(0),
    clear() {
      items = [];
      sizeBytes = 0;
    },
  };
}
