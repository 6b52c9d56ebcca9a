/** One command of a scenario file with what it is expected to print. */
export interface Step {
  readonly line: number;
  readonly command: string;
  readonly expected: readonly string[];
}

/** A scenario file: comments, which stay, and steps. */
export interface Scenario {
  /** The first comment: what is shown. */
  readonly title: string;
  /** What follows "Rule:" in the comments. */
  readonly rules: readonly string[];
  readonly parts: readonly (Step | { readonly comment: string })[];
}

const separator = '----';

/** Reads a scenario: blocks of a command line, `----` and the lines it prints, apart by empty lines; `#` starts a comment. */
export function parseScenario(text: string): Scenario {
  const lines = text.split('\n');
  const parts: (Step | { comment: string })[] = [];
  for (let index = 0; index < lines.length;) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || line.startsWith('#')) {
      if (line.startsWith('#')) parts.push({ comment: line });
      else if (index < lines.length - 1) parts.push({ comment: '' });
      index += 1;
      continue;
    }
    const step = { line: index + 1, command: line, expected: [] as string[] };
    index += 1;
    if (lines[index] !== separator) throw new Error(`line ${index + 1}: "${separator}" was expected`);
    index += 1;
    while (index < lines.length && lines[index] !== '') {
      step.expected.push(lines[index] ?? '');
      index += 1;
    }
    parts.push(step);
  }
  const comments = parts.flatMap((part) =>
    'comment' in part && part.comment !== '' ? [part.comment.slice(1).trim()] : [],
  );
  return {
    title: comments[0] ?? '',
    rules: comments.filter((comment) => comment.startsWith('Rule: ')).map((comment) => comment.slice('Rule: '.length)),
    parts,
  };
}

/** The file with these outputs in place of the expected ones. */
export function formatScenario(scenario: Scenario, outputs: ReadonlyMap<number, readonly string[]>): string {
  const lines = scenario.parts.flatMap((part) =>
    'comment' in part ? [part.comment] : [part.command, separator, ...(outputs.get(part.line) ?? [])],
  );
  return `${lines.join('\n').trimEnd()}\n`;
}
