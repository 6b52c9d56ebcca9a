import type { Judged } from '../check/checker.ts';
import { RULES } from '../check/judge.ts';

const NOTHING: Judged = {
  report: () => undefined,
  first: { epoch: 1, members: [], learners: [], lyingCenter: true, tolerated: 0 },
  isHonest: () => true,
  honestWorld: true,
  hasColluders: false,
  signedBy: () => undefined,
  verdictOf: () => null,
  inclusionBlocks: 0,
  chain: new Map(),
};

/** Names of all checkers: the rules, and the two that the run itself judges. */
export const CHECKERS: readonly string[] = [...RULES.map((rule) => rule(NOTHING).name), 'liveness', 'core-invariant'];
