import type { LedgerFaultPoint, LedgerFaults } from '../ledger/faults.ts';

/** What is wrong with one node's disk and clockwork at the moment. It outlives restarts of the node. */
export class NodeFaults implements LedgerFaults {
  diskIsFull = false;
  delayMs = 0;
  /** What the node reads for endorsements has other versions than it was committed with. */
  readsOtherVersions = false;
  #held: { readonly until: Promise<void>; readonly release: () => void } | undefined;
  #stopping = new AbortController();

  async at(point: LedgerFaultPoint): Promise<void> {
    if (point !== 'before-block-write') return;
    await this.#unlessStopped(this.#held?.until);
    if (this.delayMs > 0) await this.#delay(this.delayMs);
    if (this.diskIsFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }

  hold(): void {
    if (this.#held !== undefined) return;
    let release: () => void = () => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { until, release };
  }

  release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  /** What waits here fails from now on, so that the node can close. */
  stop(): void {
    this.#stopping.abort();
  }

  start(): void {
    this.#stopping = new AbortController();
  }

  async #delay(delayMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#unlessStopped(
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, delayMs);
        }),
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async #unlessStopped(waiting: Promise<void> | undefined): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = () => new Error('the node stops before it wrote the block');
    if (signal.aborted) throw stopped();
    if (waiting === undefined) return;
    let onAbort: () => void = () => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(stopped());
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([waiting, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
