import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Action, ChildEvent, ChildPlan, Report } from './child-protocol.ts';
import type { Crash } from './crash-points.ts';
import { ExpectedLedger } from './expected-ledger.ts';

/** A life that lasts longer hangs. */
const LIFE_LIMIT_MS = 60_000;

/** One life of the network: what it does, and where it dies. */
export interface Life {
  readonly action: Action;
  readonly crash?: Crash;
  readonly acksAfter?: number;
}

/**
 * One folder whose network lives and dies, again and again. After each death the next life must find what clients were told;
 * it throws when not.
 */
export class CrashLane {
  readonly #dir: string;
  readonly #chaincodeAddress: string;
  readonly #program: string;
  /** Deaths by point. */
  readonly deaths = new Map<string, number>();
  acknowledged = 0;
  #lives = 0;
  #issued: Record<string, number> = {};
  /** What the folder may hold: more than one while a replacement of the ledgers is not known to have ended. */
  #candidates: ExpectedLedger[] = [ExpectedLedger.empty()];
  #snapshot: { readonly ledger: ExpectedLedger; readonly issued: Readonly<Record<string, number>> } | undefined;

  /** @param program from `buildChild` */
  constructor(program: string, dir: string, chaincodeAddress: string) {
    this.#program = program;
    this.#dir = dir;
    this.#chaincodeAddress = chaincodeAddress;
  }

  /** Whether a snapshot was taken to its end. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  get lives(): number {
    return this.#lives;
  }

  /** Transactions that the folder must hold as VALID, now. */
  get expected(): ExpectedLedger {
    return this.#current();
  }

  async live({ action, crash, acksAfter = 10 }: Life): Promise<void> {
    this.#lives++;
    if (action === 'snapshot') {
      this.#snapshot = undefined;
      await rm(this.snapshotDir, { recursive: true, force: true });
    }
    const plan: ChildPlan = {
      dir: this.dataDir,
      chaincodeAddress: this.#chaincodeAddress,
      action,
      snapshotDir: this.snapshotDir,
      issued: this.#issued,
      acksAfter,
      ...(crash === undefined ? {} : { crash }),
    };
    let before: ExpectedLedger | undefined;
    await runLife(this.#program, plan, (event) => {
      switch (event.event) {
        case 'started':
          this.#compare(event.report);
          break;
        case 'acked':
          this.#issued[event.worker] = Math.max(this.#issued[event.worker] ?? 0, event.counter);
          this.acknowledged++;
          this.#current().add(event);
          break;
        case 'configured':
          this.#current().addConfiguration(event.blockNumber);
          break;
        case 'begin':
          Object.assign(this.#issued, event.issued);
          if (event.action === 'snapshot') {
            before = this.#current().copy();
          } else if (event.action === 'reset') this.#candidates.push(ExpectedLedger.empty().restored({}, event.issued));
          else if (event.action === 'restore' && this.#snapshot !== undefined) {
            this.#candidates.push(this.#snapshot.ledger.restored(this.#snapshot.issued, event.issued));
          }
          break;
        case 'end':
          Object.assign(this.#issued, event.issued);
          if (event.action === 'snapshot' && before !== undefined)
            this.#snapshot = { ledger: before, issued: event.issued };
          if (event.action === 'reset' || event.action === 'restore') this.#candidates.splice(0, 1);
          break;
        case 'crash': {
          const name = event.point === 'any moment' ? event.point : `${event.point}, ${event.when}`;
          this.deaths.set(name, (this.deaths.get(name) ?? 0) + 1);
          break;
        }
        case 'refused':
          throw new Error(`life ${this.#lives} was refused its folder with ${event.code}: ${event.message}`);
        case 'unexpected':
          throw new Error(`a client was told ${event.message}`);
      }
    });
    // What was sent when it died may or may not have come through: counters go on above all of it.
    for (let worker = 0; worker < 16; worker++) this.#issued[`w${worker}`] = (this.#issued[`w${worker}`] ?? 0) + 2;
  }

  get dataDir(): string {
    return join(this.#dir, 'data');
  }

  get snapshotDir(): string {
    return join(this.#dir, 'snapshot');
  }

  #current(): ExpectedLedger {
    const current = this.#candidates.at(-1);
    if (current === undefined) throw new Error('there is always one');
    return current;
  }

  #compare(report: Report): void {
    const contradictions = this.#candidates.map((candidate) => candidate.contradiction(report));
    this.#candidates = this.#candidates.filter((_candidate, index) => contradictions[index] === undefined);
    if (this.#candidates.length === 0)
      throw new Error(`life ${this.#lives} found a ledger: ${contradictions.join('; ')}`);
    // Where both are possible, the ledgers are the same: the first one promises more.
    this.#candidates.splice(1);
  }
}

/** Runs the child until it has killed itself. Rejects when it ends otherwise, or when what it tells is refused. */
function runLife(program: string, plan: ChildPlan, onEvent: (event: ChildEvent) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=DEP0123', program, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    let refusal: Error | undefined;
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4_000)));
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      try {
        onEvent(JSON.parse(line) as ChildEvent);
      } catch (error) {
        refusal ??= error as Error;
      }
    });
    const linesEnded = new Promise((ended) => lines.once('close', ended));
    const timer = setTimeout(() => {
      refusal ??= new Error(`the network hangs: ${JSON.stringify(plan)} ${errors}`);
      child.kill('SIGKILL');
    }, LIFE_LIMIT_MS);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      void linesEnded.then(() => {
        if (refusal !== undefined) reject(refusal);
        else if (signal === 'SIGKILL') resolve();
        else reject(new Error(`the network ended by itself with ${String(code)}: ${errors}`));
      });
    });
  });
}
