/** Who holds memory on behalf of a caller. */
export interface Holder {
  readonly heldBytes: number;
}

interface Entry extends Holder {
  heldBytes: number;
  /** Ends whatever holds the memory; undefined while it is at work and must not be disturbed. */
  cut: (() => void) | undefined;
}

/**
 * Bounds what all callers together make the process keep: messages half received, messages half read by their receiver. When
 * the limit is reached, those that have kept it waiting for longest are cut off first.
 */
export class MemoryBudget {
  readonly #limitBytes: number;
  readonly #entries = new Set<Entry>();
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes so many bytes more. False when the limit does not allow it, even with all cut that can be. */
  hold(holder: Holder | undefined, addedBytes: number, cut?: () => void): Holder | undefined {
    const entry: Entry = (holder as Entry | undefined) ?? { heldBytes: 0, cut: undefined };
    entry.cut = cut;
    this.#entries.add(entry);
    entry.heldBytes += addedBytes;
    this.#heldBytes += addedBytes;
    for (const other of this.#entries) {
      if (this.#heldBytes <= this.#limitBytes) return entry;
      if (other === entry || other.cut === undefined) continue;
      this.release(other);
      other.cut();
    }
    if (this.#heldBytes <= this.#limitBytes) return entry;
    this.release(entry);
    return undefined;
  }

  release(holder: Holder | undefined): void {
    const entry = holder as Entry | undefined;
    if (entry === undefined || !this.#entries.delete(entry)) return;
    this.#heldBytes -= entry.heldBytes;
    entry.heldBytes = 0;
  }
}
