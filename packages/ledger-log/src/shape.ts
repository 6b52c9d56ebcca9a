import type { PersistStep } from '@waymark/rsl';
import { broken } from './errors.ts';

type HardState = Pick<Extract<PersistStep, { type: 'hard-state' }>, 'term' | 'votedFor' | 'center'>;

/** What has to hold of the steps in a log: enough to refuse what a core could not be restored from, or would forget promises by. */
export interface LogShape {
  readonly hardState: HardState;
  /** Height that the entries stand on. */
  readonly base: number;
  /** Last height, sealed or not. */
  readonly top: number;
  /** Whether the topmost entry waits for its seal. */
  readonly isOpen: boolean;
}

export const emptyShape: LogShape = {
  hardState: { term: 0, votedFor: null, center: null },
  base: 0,
  top: 0,
  isOpen: false,
};

/**
 * The shape after one more step (packages/rsl/src/ready.ts says what each replaces).
 * @throws WaymarkError internal when the step does not follow
 */
export function shapeAfter(shape: LogShape, step: PersistStep): LogShape {
  switch (step.type) {
    case 'hard-state': {
      const { term, votedFor, center } = step;
      if (term < shape.hardState.term) throw broken('the term goes back');
      return { ...shape, hardState: { term, votedFor, center } };
    }
    case 'candidate': {
      const { height } = step.candidate;
      const highest = shape.isOpen ? shape.top : shape.top + 1;
      if (height <= shape.base || height > highest) throw broken('a candidate has no place');
      return { ...shape, top: height, isOpen: true };
    }
    case 'ack':
    case 'seal':
      if (!shape.isOpen) throw broken('there is no candidate');
      return step.type === 'ack' ? shape : { ...shape, isOpen: false };
    case 'truncate':
      if (step.height <= shape.base) throw broken('it cannot be cut below its base');
      return step.height > shape.top ? shape : { ...shape, top: step.height - 1, isOpen: false };
    case 'snapshot':
      return { ...shape, base: step.snapshot.height, top: step.snapshot.height, isOpen: false };
    case 'compact': {
      const { height } = step.snapshot;
      const keepsTail = height >= shape.base && height <= (shape.isOpen ? shape.top - 1 : shape.top);
      return keepsTail ? { ...shape, base: height } : { ...shape, base: height, top: height, isOpen: false };
    }
    case 'submission':
    case 'confirmed':
    case 'evidence':
      return shape;
  }
}

/**
 * The shape of a checkpoint that is to stand for everything in the log.
 * @throws WaymarkError internal when it forgets a vote or an entry
 */
export function shapeOfCheckpoint(steps: readonly PersistStep[], before: LogShape): LogShape {
  const shape = steps.reduce(shapeAfter, emptyShape);
  const { term, votedFor, center } = shape.hardState;
  const { hardState } = before;
  if (term !== hardState.term || votedFor !== hardState.votedFor || center !== hardState.center)
    throw broken('the checkpoint has another term or vote');
  if (shape.top !== before.top || shape.isOpen !== before.isOpen || shape.base < before.base)
    throw broken('the checkpoint has other entries');
  return shape;
}

/** Last sealed height. */
export function sealedTop({ top, isOpen }: LogShape): number {
  return isOpen ? top - 1 : top;
}
