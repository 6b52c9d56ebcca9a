/** Virtual time: what is to happen, earliest first; what is due at the same time happens in the order it was planned. */
export interface EventQueue {
  /** Virtual milliseconds since the run began. */
  nowMs(): number;
  /** Plans `run` to happen `delayMs` from now. */
  after(delayMs: number, run: () => void): void;
  /** Runs the earliest event. False when nothing is planned. */
  step(): boolean;
  /** How many events have run. */
  count(): number;
}

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export function createEventQueue(): EventQueue {
  const heap: Planned[] = [];
  let nowMs = 0;
  let planned = 0;
  let ran = 0;
  return {
    nowMs: () => nowMs,
    count: () => ran,
    after(delayMs, run) {
      planned += 1;
      push(heap, { atMs: nowMs + Math.max(0, Math.trunc(delayMs)), order: planned, run });
    },
    step() {
      const event = pop(heap);
      if (event === undefined) return false;
      nowMs = event.atMs;
      ran += 1;
      event.run();
      return true;
    },
  };
}

function earlier(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Planned[], event: Planned): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !earlier(event, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = event;
}

function pop(heap: Planned[]): Planned | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const leftChild = heap[left];
    if (leftChild === undefined) break;
    const rightChild = heap[left + 1];
    const smaller = rightChild !== undefined && earlier(rightChild, leftChild) ? rightChild : leftChild;
    if (!earlier(smaller, last)) break;
    heap[at] = smaller;
    at = smaller === leftChild ? left : left + 1;
  }
  heap[at] = last;
  return first;
}
