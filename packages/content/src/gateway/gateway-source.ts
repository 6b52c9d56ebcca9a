import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { requireContentCid } from '../block/content-cid.ts';
import { abnormal, missing, requireMatch } from '../block/verify.ts';
import { readCar } from '../car/read-car.ts';
import { type DagReadOptions, DagWalk } from '../dag/read-dag.ts';
import { kuboFaultOf } from '../kubo/kubo-fault.ts';
import type { Block, BlockReader, ReadOptions } from '../store/content-store.ts';
import { withDeadline } from '../store/deadline.ts';
import { maxBlockSizeBytes } from '../store/limits.ts';
import { readMany } from '../store/read-many.ts';
import { type GatewayTls, HttpClient, readBounded } from './http-get.ts';

export interface GatewaySourceOptions {
  /** The address under which `ipfs/{cid}` lies. */
  readonly baseUrl: string;
  readonly tls?: GatewayTls | undefined;
  /** Default 10 s for each request. */
  readonly timeoutMs?: number | undefined;
  /** Connections kept open; default 8. */
  readonly maxConnections?: number | undefined;
}

/** Blocks read from a trustless gateway, which need not be trusted: every block is verified here. */
export interface GatewayContentSource extends BlockReader {
  /**
   * Every block under a root, in depth-first order: one request for a CAR where the gateway serves it; what the CAR does
   * not bring is asked for block by block.
   * @throws as `get`; `limit-exceeded`
   */
  readDag(root: CID, options?: DagReadOptions): AsyncIterable<Block>;
  close(): Promise<void>;
}

const rawType = 'application/vnd.ipld.raw';
const carType = 'application/vnd.ipld.car';
const maxProblemSizeBytes = 16 * 1024;
const source = 'gateway';

/**
 * A reader over HTTP by the IPFS trustless gateway specification (raw blocks and CARs).
 * @throws `configuration-invalid`
 */
export function createGatewaySource(options: GatewaySourceOptions): GatewayContentSource {
  return new GatewaySource(options);
}

class GatewaySource implements GatewayContentSource {
  readonly #http: HttpClient;
  readonly #timeoutMs: number;

  constructor(options: GatewaySourceOptions) {
    this.#http = new HttpClient(options.baseUrl, options.tls, options.maxConnections ?? 8);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  async get(cid: CID, options?: ReadOptions): Promise<Uint8Array> {
    requireContentCid(cid);
    return await withDeadline(options, this.#timeoutMs, async (signal) => {
      const { status, body } = await this.#http.send('GET', `ipfs/${cid.toString()}?format=raw`, rawType, signal);
      if (status !== 200) throw refusal(cid, status, await readBounded(body, maxProblemSizeBytes));
      const bytes = await readBounded(body, maxBlockSizeBytes);
      if (bytes === undefined) throw abnormal(cid, source, 'too-long');
      return requireMatch(cid, bytes, source);
    });
  }

  getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncIterable<Block> {
    return readMany(this, cids, options);
  }

  async has(cid: CID, options?: ReadOptions): Promise<boolean> {
    requireContentCid(cid);
    return await withDeadline(options, this.#timeoutMs, async (signal) => {
      const { status, body } = await this.#http.send('HEAD', `ipfs/${cid.toString()}?format=raw`, rawType, signal);
      body.resume();
      if (status === 200) return true;
      if (status === 404 || status === 410) return false;
      throw unexpectedStatus(status);
    });
  }

  async *readDag(root: CID, options?: DagReadOptions): AsyncGenerator<Block> {
    const walk = new DagWalk(root, options);
    const car = this.#readCar(root, options);
    try {
      let ahead: Block | undefined = await nextOf(car);
      for (let cid = walk.next(); cid !== undefined; cid = walk.next()) {
        let block: Block;
        if (ahead?.cid.equals(cid) === true) {
          block = ahead;
          ahead = await nextOf(car);
        } else {
          block = { cid, bytes: await this.get(cid, options) };
        }
        walk.enter(block);
        yield block;
      }
    } finally {
      await car.return(undefined);
    }
  }

  close(): Promise<void> {
    this.#http.close();
    return Promise.resolve();
  }

  async *#readCar(root: CID, options: DagReadOptions | undefined): AsyncGenerator<Block> {
    const path = `ipfs/${root.toString()}?format=car&dag-scope=all`;
    const accept = `${carType};version=1;order=dfs;dups=n`;
    const { status, contentType, body } = await withDeadline(options, this.#timeoutMs, (signal) =>
      this.#http.send('GET', path, accept, signal),
    );
    try {
      if (status !== 200 || !contentType.startsWith(carType)) return;
      const pieces = withIdleLimit(body, { signal: options?.signal, timeoutMs: this.#timeoutMs });
      const { blocks } = await readCar(pieces, {
        maxSizeBytes: (options?.maxSizeBytes ?? 4 * 1024 ** 3) + maxBlockSizeBytes,
      });
      for await (const block of blocks) {
        options?.signal?.throwIfAborted();
        yield block;
      }
    } finally {
      body.destroy();
    }
  }
}

/** A CAR only saves requests: whatever is wrong with it, the blocks themselves are asked for and judged one by one. */
async function nextOf(car: AsyncGenerator<Block>): Promise<Block | undefined> {
  try {
    const next = await car.next();
    return next.done === true ? undefined : next.value;
  } catch (fault) {
    if (isWaymarkError(fault)) return undefined;
    throw fault;
  }
}

async function* withIdleLimit(body: AsyncIterable<Uint8Array>, limit: ReadOptions): AsyncGenerator<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await withDeadline(limit, undefined, () => pieces.next()).catch((cause: unknown) => {
      throw new WaymarkError('unavailable', 'The gateway stopped in the middle of an answer.', {
        details: { source },
        cause,
      });
    });
    if (next.done === true) return;
    yield next.value;
  }
}

/** What an answer other than 200 means. Gateways of this product and of kubo say when their own copy is altered. */
function refusal(cid: CID, status: number, problem: Uint8Array | undefined): WaymarkError {
  if (status === 404 || status === 410) return missing(cid, source);
  const text = Buffer.from(problem ?? []).toString('utf8');
  if (problemCode(text) === 'data-abnormal' || kuboFaultOf(text) === 'hash-mismatch')
    return abnormal(cid, source, 'reported-by-gateway');
  return unexpectedStatus(status);
}

function problemCode(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'code' in parsed ? parsed.code : undefined;
  } catch {
    return undefined;
  }
}

function unexpectedStatus(status: number): WaymarkError {
  return new WaymarkError('unavailable', 'The gateway refused the request.', {
    details: { source, reason: 'status', status },
  });
}
