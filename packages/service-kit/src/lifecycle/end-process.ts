/**
 * Ends the process as a fault that nothing handled does (`runService`): what its disk holds is not certain any more, and a new start finds out.
 */
export function endProcess(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
