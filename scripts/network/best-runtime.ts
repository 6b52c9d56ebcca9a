import { findRuntimeProblem, type Runtime, runtimes } from '@waymark/network';

/** Docker where an engine answers, native where the programs are, else embedded; says which, and why none before it. */
export async function bestRuntime(say: (text: string) => void): Promise<Runtime> {
  for (const runtime of runtimes.toReversed()) {
    const problem = await findRuntimeProblem(runtime);
    if (problem === undefined) {
      say(`runtime: ${runtime}`);
      return runtime;
    }
    say(`not ${runtime}: ${problem}`);
  }
  return 'embedded';
}
