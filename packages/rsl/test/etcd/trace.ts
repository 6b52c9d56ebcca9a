/** One command of an etcd trace: its line, the lines it is given, and what etcd printed. */
export interface TraceStep {
  readonly name: string;
  readonly args: readonly string[];
  readonly given: readonly string[];
  readonly printed: readonly string[];
}

/** Reads a data-driven file: a command, perhaps input, `----`, output up to an empty line. */
export function parseTrace(text: string): TraceStep[] {
  const steps: TraceStep[] = [];
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (let index = 0; index < lines.length;) {
    const line = lines[index] ?? '';
    index += 1;
    if (line.trim() === '') continue;
    const [name = '', ...args] = line.trim().split(/\s+(?![^(]*\))/);
    const given: string[] = [];
    while (index < lines.length && lines[index] !== '----') given.push(lines[index++] ?? '');
    index += 1;
    const printed: string[] = [];
    while (index < lines.length && lines[index] !== '') printed.push(lines[index++] ?? '');
    steps.push({ name, args, given, printed });
  }
  return steps;
}

/** `voters=(1,2,3)` of the arguments. */
export function listOf(args: readonly string[], name: string): string[] {
  const arg = args.find((a) => a.startsWith(`${name}=`));
  return (arg ?? '')
    .slice(name.length + 1)
    .replace(/[()]/g, '')
    .split(/[ ,]+/)
    .filter((item) => item !== '');
}
