/**
 * The few building blocks that the EPCIS rules are written with. A check looks at one value and reports what is wrong
 * with it and where; it never throws, so that a caller learns several problems at once.
 */
import { isObject, sameJson } from '../../json/value.ts';

/** One thing that is wrong with a document: an RFC 6901 pointer, and why. */
export interface Problem {
  readonly place: string;
  readonly reason: string;
}

/** Where checks report to; it keeps the first few problems only. */
export interface Report {
  readonly problems: Problem[];
  add(place: string, reason: string): void;
}

/** Looks at one value found at `place`. */
export type Check = (value: unknown, place: string, report: Report) => void;

/** Problems kept per document: enough to mend a file, few enough to read. */
const problemLimit = 20;

/** A report that keeps the first `problemLimit` problems. */
export function newReport(): Report {
  const problems: Problem[] = [];
  return {
    problems,
    add(place, reason) {
      if (problems.length < problemLimit) problems.push({ place, reason });
    },
  };
}

/** `place` extended by one member name or index, escaped as RFC 6901 section 3 says. */
export function at(place: string, step: string | number): string {
  return `${place}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Any string. */
export const text: Check = (value, place, report) => {
  if (typeof value !== 'string') report.add(place, 'must be a string');
};

/** Any finite number. */
export const number: Check = (value, place, report) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) report.add(place, 'must be a number');
};

export const boolean: Check = (value, place, report) => {
  if (typeof value !== 'boolean') report.add(place, 'must be true or false');
};

/** A string for which `accepts` holds; `reason` says what it must be. */
export function textThat(accepts: (value: string) => boolean, reason: string): Check {
  return (value, place, report) => {
    if (typeof value !== 'string' || !accepts(value)) report.add(place, reason);
  };
}

/** One of a fixed set of words. */
export function word(...words: readonly string[]): Check {
  const known = new Set(words);
  return textThat((value) => known.has(value), `must be one of ${words.join(', ')}`);
}

/** A list of values that each pass `item`. */
export function listOf(item: Check, options: { atLeast?: number; distinct?: boolean } = {}): Check {
  return (value, place, report) => {
    if (!Array.isArray(value)) {
      report.add(place, 'must be a list');
      return;
    }
    const items: readonly unknown[] = value;
    if (items.length < (options.atLeast ?? 0)) report.add(place, `must have at least ${options.atLeast ?? 0} element`);
    items.forEach((element, index) => item(element, at(place, index), report));
    if (options.distinct === true) reportRepeats(items, place, report);
  };
}

function reportRepeats(items: readonly unknown[], place: string, report: Report): void {
  const words = new Set<string>();
  const others: unknown[] = [];
  items.forEach((item, index) => {
    const repeated = typeof item === 'string' ? words.has(item) : others.some((other) => sameJson(other, item));
    if (repeated) report.add(at(place, index), 'repeats an earlier element');
    if (typeof item === 'string') words.add(item);
    else others.push(item);
  });
}

/** What an object may hold besides the members that are named. */
export type OtherMembers = 'any' | 'none' | 'namespaced';

/** The members of one kind of object. */
export interface Shape {
  readonly required?: readonly string[];
  readonly members: ReadonlyMap<string, Check>;
  readonly others: OtherMembers;
}

/** An object of this shape; `isNamespaced` decides which names extensions may have. */
export function objectOf(shape: Shape, isNamespaced: (name: string) => boolean): Check {
  return (value, place, report) => {
    if (!isObject(value)) {
      report.add(place, 'must be an object');
      return;
    }
    for (const name of shape.required ?? []) {
      if (!Object.hasOwn(value, name)) report.add(place, `lacks ${name}`);
    }
    for (const [name, member] of Object.entries(value)) {
      const check = shape.members.get(name);
      if (check) check(member, at(place, name), report);
      else if (shape.others === 'none') report.add(at(place, name), 'is not a member of this object');
      else if (shape.others === 'namespaced' && !isNamespaced(name))
        report.add(at(place, name), 'is no EPCIS member, and an extension needs a namespace');
    }
  };
}

/** Passes what any of `checks` passes; otherwise says `reason`. */
export function anyOf(checks: readonly Check[], reason: string): Check {
  return (value, place, report) => {
    const passes = checks.some((check) => {
      const attempt = newReport();
      check(value, place, attempt);
      return attempt.problems.length === 0;
    });
    if (!passes) report.add(place, reason);
  };
}
