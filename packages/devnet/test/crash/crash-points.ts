import { writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { ClassicLevel } from 'classic-level';

/**
 * Named places where a network writes to its folder. They are found from outside, by what is called with which path: the
 * product's code has no seam for them.
 */
export type CrashPoint =
  | 'certificates'
  | 'genesis block'
  | 'network description'
  | 'ledger database opening'
  | 'orderer block'
  | 'orderer sync'
  | 'orderer checkpoint'
  | 'peer block'
  | 'peer sync'
  | 'peer state'
  | 'snapshot copy'
  | 'restore copy'
  | 'ledgers replaced'
  | 'old ledgers removed';

export interface Crash {
  readonly point: CrashPoint;
  /** Before the call, after it, or with the call half done. */
  readonly when: 'before' | 'midway' | 'after';
  /** How often the point is passed before. */
  readonly passing: number;
}

type PathLike = Parameters<typeof fs.rename>[0];
type Handle = Awaited<ReturnType<typeof fs.open>>;

/** Lets the process kill itself, with SIGKILL, at one point. Counting begins with `arm`. */
export class CrashPoints {
  readonly #orderer: string;
  #crash: Crash | undefined;
  #left = 0;

  /** @param orderer the orderer's host name: its ledger is told from peers' by it */
  constructor(orderer: string) {
    this.#orderer = orderer;
  }

  arm(crash: Crash): void {
    this.#crash = crash;
    this.#left = crash.passing;
  }

  /** Puts the points into the modules that everything is written by. */
  install(): void {
    this.#watchFiles();
    this.#watchDatabases();
    syncBuiltinESMExports();
  }

  #watchFiles(): void {
    const { open, writeFile, rename, rm, cp, mkdir } = fs;
    fs.open = async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      this.#watchHandle(handle, String(path));
      return handle;
    };
    fs.writeFile = async (file, data, options) => {
      const path = typeof file === 'string' ? file : '';
      const point = fileWritten(path);
      if (point === undefined) return writeFile(file, data, options);
      await this.#around(
        point,
        () => writeFile(file, data, options),
        async () => {
          await writeFile(file, Buffer.from(data as string).subarray(0, 10), options);
        },
      );
    };
    fs.rename = (from: PathLike, to: PathLike) => this.#around(renamed(String(to)), () => rename(from, to));
    fs.rm = (path, options) =>
      this.#around(
        basename(String(path)) === 'ledgers-old' ? 'old ledgers removed' : undefined,
        () => rm(path, options),
        async () => {
          for (const name of (await fs.readdir(String(path)).catch(() => [])).slice(0, 2)) {
            await rm(join(String(path), name), { recursive: true });
          }
        },
      );
    fs.cp = (from, to, options) =>
      this.#around(
        String(to).endsWith('ledgers-copying') ? 'restore copy' : 'snapshot copy',
        () => cp(from, to, options),
        async () => {
          const names = await fs.readdir(String(from)).catch(() => []);
          await mkdir(String(to), { recursive: true });
          for (const name of names.slice(0, Math.ceil(names.length / 2))) {
            await cp(join(String(from), name), join(String(to), name), { recursive: true });
          }
        },
      );
  }

  #watchHandle(handle: Handle, path: string): void {
    if (!basename(path).startsWith('blockfile_')) return;
    const isOrderer = path.includes(join('ledgers', this.#orderer));
    const writev = handle.writev.bind(handle);
    const datasync = handle.datasync.bind(handle);
    handle.writev = ((buffers: readonly Uint8Array[], position: number) =>
      this.#around(
        isOrderer ? 'orderer block' : 'peer block',
        () => writev(buffers, position),
        () => {
          const whole = Buffer.concat(buffers);
          // Somewhere in the header, at its end, or in the payload.
          const octets = [5, 12, 13, Math.floor(whole.length / 2), whole.length - 1][this.#seed % 5] ?? 1;
          writeSync(handle.fd, whole, 0, octets, position);
          return Promise.resolve();
        },
      )) as Handle['writev'];
    handle.datasync = () => this.#around(isOrderer ? 'orderer sync' : 'peer sync', datasync);
  }

  #watchDatabases(): void {
    const { prototype } = ClassicLevel;
    const { batch, put, open } = prototype as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const watch = (original: typeof batch, point: CrashPoint) => {
      const around = (call: () => Promise<unknown>) => this.#around(point, call);
      return function (this: ClassicLevel, ...args: unknown[]): Promise<unknown> {
        if (original === undefined) throw new Error('the database has no such method');
        return around(() => original.apply(this, args));
      };
    };
    Object.assign(prototype, {
      batch: watch(batch, 'peer state'),
      put: watch(put, 'orderer checkpoint'),
      open: watch(open, 'ledger database opening'),
    });
  }

  get #seed(): number {
    return this.#crash?.passing ?? 0;
  }

  /** Without a `half` of its own a call is killed while the operating system or a thread is at it. */
  async #around<T>(point: CrashPoint | undefined, call: () => Promise<T>, half?: () => Promise<void>): Promise<T> {
    const crash = this.#crash;
    if (crash === undefined || point !== crash.point || this.#left-- !== 0) return call();
    if (crash.when === 'before') kill(crash);
    if (crash.when === 'midway') {
      if (half === undefined) void call();
      else await half();
      kill(crash);
    }
    const result = await call();
    kill(crash);
    return result;
  }
}

function fileWritten(path: string): CrashPoint | undefined {
  if (path.endsWith('genesis.block') || path.endsWith('genesis.block.new')) return 'genesis block';
  return path.endsWith('.pem') || path.endsWith('.crt') || path.endsWith('.key') || path.endsWith('_sk')
    ? 'certificates'
    : undefined;
}

function renamed(to: string): CrashPoint | undefined {
  if (basename(to) === 'devnet.json') return 'network description';
  return ['ledgers', 'ledgers-next', 'ledgers-old'].includes(basename(to)) ? 'ledgers replaced' : undefined;
}

function kill(crash: Crash): void {
  writeSync(1, `${JSON.stringify({ event: 'crash', point: crash.point, when: crash.when })}\n`);
  process.kill(process.pid, 'SIGKILL');
}
