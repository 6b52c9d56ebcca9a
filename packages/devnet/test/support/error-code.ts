/** The code of the error that a function throws, or undefined when it throws none. */
export function thrownCode(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}
