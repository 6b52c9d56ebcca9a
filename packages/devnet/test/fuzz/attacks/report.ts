/** What an attack did and saw. */
export interface Report {
  readonly sent: number;
  /** Answers by gRPC status, or another short word. */
  readonly answers: Readonly<Record<string, number>>;
  /** Each breaks a rule; the words are enough to send it again. */
  readonly violations: readonly string[];
}

/** Gathers a report; keeps the first violations of each kind only, so that one defect does not hide the next. */
export class Reporter {
  #sent = 0;
  readonly #answers: Record<string, number> = {};
  readonly #violations: string[] = [];

  sent(answer: string | number): void {
    this.#sent++;
    this.#answers[answer] = (this.#answers[answer] ?? 0) + 1;
  }

  violation(text: string): void {
    if (this.#violations.length < 50) this.#violations.push(text);
  }

  get report(): Report {
    return { sent: this.#sent, answers: { ...this.#answers }, violations: [...this.#violations] };
  }
}

export function mergeReports(reports: readonly Report[]): Report {
  const answers: Record<string, number> = {};
  for (const report of reports) {
    for (const [answer, count] of Object.entries(report.answers)) answers[answer] = (answers[answer] ?? 0) + count;
  }
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    answers,
    violations: reports.flatMap(({ violations }) => violations),
  };
}
