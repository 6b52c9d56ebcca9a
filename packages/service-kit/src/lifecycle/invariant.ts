import { WaymarkError } from '@waymark/protocol';

/**
 * Ends the process, at the next turn, when something that must always hold does not: the fault cannot be caught on the
 * way, and `runService` turns it into exit code 70.
 *
 * @param rule what must hold, as a fixed text
 */
export function assertInvariant(condition: boolean, rule: string): asserts condition {
  if (condition) return;
  const fault = new WaymarkError('internal', `broken invariant: ${rule}`);
  queueMicrotask(() => {
    throw fault;
  });
  throw fault;
}
