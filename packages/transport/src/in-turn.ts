/** Several places that answer the same: a firm's centers, of which one is in office. */
export interface InTurn<T> {
  /** Who answered last. */
  readonly current: T;
  /**
   * Asks the one that answered last; who is away gives way to the next. A refusal is an answer.
   * @param isAway whether an error says that the place is not to be had
   * @throws what `work` throws; where all are away, what the first of them threw
   */
  ask<R>(work: (place: T) => Promise<R>, isAway: (error: unknown) => boolean): Promise<R>;
}

/** @param places at least one, in the order in which they are asked at first */
export function inTurn<T>(places: readonly T[]): InTurn<T> {
  let current = 0;
  return {
    get current() {
      return places[current] as T;
    },
    async ask(work, isAway) {
      const first = current;
      let fault: unknown;
      for (let turn = 0; turn < places.length; turn += 1) {
        const at = (first + turn) % places.length;
        try {
          const answer = await work(places[at] as T);
          current = at;
          return answer;
        } catch (error) {
          if (!isAway(error)) {
            current = at;
            throw error;
          }
          fault ??= error;
        }
      }
      throw fault;
    },
  };
}
