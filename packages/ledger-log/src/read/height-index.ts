import type { PersistStep } from '@waymark/rsl';

/** Where a record lies. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly seq: number;
}

/** Where a block's two records lie. */
export interface BlockPlaces {
  readonly candidate: RecordPlace;
  readonly seal: RecordPlace | null;
}

/** Where the blocks of a log lie, by height. What a `compact` step covers can be read until a checkpoint takes it away. */
export class HeightIndex {
  #first = 1;
  #places: BlockPlaces[] = [];

  get firstHeight(): number {
    return this.#first;
  }

  /** Last sealed height. */
  get lastHeight(): number {
    const open = this.#places.at(-1)?.seal === null ? 1 : 0;
    return this.#first + this.#places.length - 1 - open;
  }

  at(height: number): BlockPlaces | undefined {
    return this.#places[height - this.#first];
  }

  /** Takes in a durable step. */
  add(step: IndexedStep, place: RecordPlace): void {
    switch (step.type) {
      case 'candidate':
        if (this.#places.length === 0) this.#first = step.height;
        this.#cut(step.height);
        this.#places.push({ candidate: place, seal: null });
        return;
      case 'seal': {
        const open = this.#places.pop();
        if (open !== undefined) this.#places.push({ ...open, seal: place });
        return;
      }
      case 'truncate':
        this.#cut(step.height);
        return;
      case 'reset':
        this.#first = step.height + 1;
        this.#places = [];
        return;
      case 'other':
        return;
    }
  }

  #cut(height: number): void {
    this.#places.length = Math.max(0, Math.min(this.#places.length, height - this.#first));
  }
}

/** What the index needs of a step, so that none is kept in memory for it. */
export type IndexedStep =
  { readonly type: 'candidate' | 'truncate' | 'reset'; readonly height: number } | { readonly type: 'seal' | 'other' };

/** @param top last height before the step */
export function indexedStep(step: PersistStep, top: number): IndexedStep {
  switch (step.type) {
    case 'candidate':
      return { type: 'candidate', height: step.candidate.height };
    case 'seal':
      return { type: 'seal' };
    case 'truncate':
      return { type: 'truncate', height: step.height };
    case 'snapshot':
      return { type: 'reset', height: step.snapshot.height };
    case 'compact':
      return step.snapshot.height > top ? { type: 'reset', height: step.snapshot.height } : { type: 'other' };
    default:
      return { type: 'other' };
  }
}
