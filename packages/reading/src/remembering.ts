/** What was found out once, by name. */
export interface Remembering<T> {
  /**
   * What is known under a name, or what `find` finds out; who asks meanwhile waits for the same. A failure is not remembered.
   * @param lasts whether what was found is worth keeping; default: always
   */
  get(name: string, find: () => Promise<T>, lasts?: (found: T) => boolean): Promise<T>;
}

/** A memory of at most `maxNames`: the least recently used goes first. */
export function remembering<T>(maxNames: number): Remembering<T> {
  const known = new Map<string, Promise<T>>();
  return {
    get(name, find, lasts = () => true) {
      const before = known.get(name);
      const found = before ?? find();
      known.delete(name);
      known.set(name, found);
      if (before !== undefined) return found;
      const forget = (): void => {
        if (known.get(name) === found) known.delete(name);
      };
      found.then((value) => {
        if (!lasts(value)) forget();
      }, forget);
      if (known.size > maxNames) known.delete(known.keys().next().value ?? '');
      return found;
    },
  };
}
