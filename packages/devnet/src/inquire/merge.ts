import { isA, toComparable, type ComparablePrincipal } from './comparable-principal.ts';
import type { PrincipalSet } from './principal-sets.ts';

const MAX_DISTINCT_PRINCIPALS = 1_000;
/** Two sets of principals compared, over one merging. */
const MAX_COMPARISONS = 20_000_000;

/** A set of principals by number, with all that can be asked of it as a whole in masks: bit i is for principal i. */
interface NumberedSet {
  readonly principals: readonly number[];
  /** The principals in the set. */
  readonly has: bigint;
  /** All principals that somebody in the set is. */
  readonly covers: bigint;
}

/**
 * Merges the principal sets of several policies into sets that satisfy all of them (Fabric: common/policies/inquire/merge.go).
 * What comes out depends, as there, on the order of the policies: a principal is taken for another only when the later
 * policy has the narrower one. And as there, not every combination comes out: sets that contain one another are joined
 * with nothing else.
 */
export class PrincipalSetMerger {
  readonly #principals: ComparablePrincipal[] = [];
  readonly #numbers = new Map<string, number>();
  /** For each principal, the principals that it is. */
  readonly #covered: bigint[] = [];
  #comparisonsLeft = MAX_COMPARISONS;

  /** One set of sets that satisfies all. Throws an Error when nothing is given, or too much to be handled. */
  merge(policies: readonly (readonly NumberedSet[])[]): readonly NumberedSet[] {
    const [first, ...others] = policies;
    if (first === undefined) throw new Error('no principal sets remained after filtering');
    return others.reduce((merged, next) => this.#mergeTwo(merged, next), first);
  }

  /** Undefined when a principal cannot be compared with others. */
  read(set: PrincipalSet): NumberedSet | undefined {
    const numbers: number[] = [];
    for (const principal of set) {
      const comparable = toComparable(principal);
      if (comparable === undefined) return undefined;
      numbers.push(this.#numberOf(comparable));
    }
    return this.#numberedSet(numbers);
  }

  toPrincipalSet({ principals }: NumberedSet): PrincipalSet {
    return principals.flatMap((number) => this.#principals[number]?.principal ?? []);
  }

  #numberOf(comparable: ComparablePrincipal): number {
    const known = this.#numbers.get(comparable.key);
    if (known !== undefined) return known;
    const number = this.#principals.length;
    if (number >= MAX_DISTINCT_PRINCIPALS) throw new Error('the endorsement policies name too many principals');
    let covered = 0n;
    [...this.#principals, comparable].forEach((other, index) => {
      if (isA(comparable, other)) covered |= 1n << BigInt(index);
      if (isA(other, comparable)) this.#covered[index] = (this.#covered[index] ?? 0n) | (1n << BigInt(number));
    });
    this.#principals.push(comparable);
    this.#covered[number] = covered;
    this.#numbers.set(comparable.key, number);
    return number;
  }

  #numberedSet(principals: readonly number[]): NumberedSet {
    let has = 0n;
    for (const number of principals) has |= 1n << BigInt(number);
    // Which principals there are is known only when all policies have been read.
    const covered = this.#covered;
    let covers: bigint | undefined;
    return {
      principals,
      has,
      get covers() {
        covers ??= principals.reduce((mask, number) => mask | (covered[number] ?? 0n), 0n);
        return covers;
      },
    };
  }

  #mergeTwo(first: readonly NumberedSet[], second: readonly NumberedSet[]): readonly NumberedSet[] {
    this.#spend(2 * first.length * second.length);
    const containing = first.map((set) => indicesOf(second, (other) => isContained(set, other)));
    const firstRest = first.filter((_, index) => containing[index]?.length === 0);
    const containingSecond = second.map((set) => indicesOf(firstRest, (other) => isContained(set, other)));
    const secondRest = second.filter((_, index) => containingSecond[index]?.length === 0);
    const result = [...this.#pairs(first, containing, second), ...this.#pairs(second, containingSecond, firstRest)];
    const taken = { first: new Set(containingSecond.flat()), second: new Set(containing.flat()) };
    const firstLeft = firstRest.filter((_, index) => !taken.first.has(index));
    // The numbers are those of all of the second's sets, the list is what is left of them: so it is in Fabric.
    const secondLeft = secondRest.filter((_, index) => !taken.second.has(index));
    this.#spend(firstLeft.length * secondLeft.length);
    for (const one of firstLeft) for (const other of secondLeft) result.push(this.#join(one, other));
    return this.#reduce(result);
  }

  #pairs(
    contained: readonly NumberedSet[],
    containing: readonly (readonly number[])[],
    containers: readonly NumberedSet[],
  ): NumberedSet[] {
    return contained.flatMap((set, index) =>
      (containing[index] ?? []).flatMap((number) => {
        const container = containers[number];
        return container === undefined ? [] : [this.#join(set, container)];
      }),
    );
  }

  /** The second set, and of the first what no principal of the second stands for; each stands for one only. */
  #join(first: NumberedSet, second: NumberedSet): NumberedSet {
    const used = new Set<number>();
    const added = first.principals.filter((principal) => {
      const bit = 1n << BigInt(principal);
      const index = second.principals.findIndex(
        (number, place) => !used.has(place) && ((this.#covered[number] ?? 0n) & bit) !== 0n,
      );
      if (index >= 0) used.add(index);
      return index < 0;
    });
    return added.length === 0 ? second : this.#numberedSet([...second.principals, ...added]);
  }

  /** Leaves out the sets that have another one in them; of two with the same principals the first stays. */
  #reduce(sets: readonly NumberedSet[]): readonly NumberedSet[] {
    this.#spend(sets.length * sets.length);
    const reduced = sets.filter((set, index) => {
      let isContaining = false;
      for (const [otherIndex, other] of sets.entries()) {
        if (otherIndex === index) continue;
        if (isSubset(other, set)) isContaining = true;
        if (index < otherIndex && isSubset(set, other)) isContaining = false;
      }
      return !isContaining;
    });
    return reduced.length === sets.length ? reduced : this.#reduce(reduced);
  }

  #spend(comparisons: number): void {
    this.#comparisonsLeft -= comparisons;
    if (this.#comparisonsLeft < 0) throw new Error('the endorsement policies have too many combinations');
  }
}

/** For each principal of the set, the other one has one that is it. */
function isContained(set: NumberedSet, other: NumberedSet): boolean {
  return (set.has & ~other.covers) === 0n;
}

/** Each principal of the set is in the other one, however often. */
function isSubset(set: NumberedSet, other: NumberedSet): boolean {
  return (set.has & ~other.has) === 0n;
}

function indicesOf<T>(items: readonly T[], accept: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (accept(item) ? [index] : []));
}
