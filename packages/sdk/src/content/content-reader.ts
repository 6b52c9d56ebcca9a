import { type BlockReader, createGatewaySource, type GatewayContentSource, openKuboStore } from '@waymark/content';
import { dagCborCode, isWaymarkError, WaymarkError } from '@waymark/protocol';
import { inTurn, type TlsIdentity } from '@waymark/transport';
import { readProfileFile } from '../connection/identity.ts';
import type { Profile } from '../profile/schema.ts';

type Reader = Pick<BlockReader, 'get'>;
type Cid = Parameters<BlockReader['get']>[0];

/** Envelopes read ahead and not yet taken. */
const maxAheadSizeBytes = 128 * 1024 * 1024;

/** Batches read at once: a gateway serves eight CARs at a time to all its clients. */
const maxBatchesAtOnce = 3;

/** Where a connection reads blocks. */
export interface ContentAccess {
  /** Block by block: for few records. */
  readonly single: Reader;
  /** Whole batches ahead of need: for many records of the same batches. */
  readonly bulk: Reader;
  close(): Promise<void>;
}

/**
 * Opens what the profile names under `content`.
 * @throws WaymarkError configuration-invalid, unavailable
 */
export async function openContentAccess(profile: Profile, identity: TlsIdentity): Promise<ContentAccess> {
  const { content, api } = profile;
  if (content.kind === 'kubo') {
    const store = await openKuboStore({
      url: content.url,
      durability: 'as-configured',
      ...(content.authorizationFile === undefined
        ? {}
        : { authorization: { scheme: content.authorizationScheme, secretFile: content.authorizationFile } }),
    });
    return { single: store, bulk: store, close: () => store.close() };
  }
  if (api === undefined)
    throw new WaymarkError('configuration-invalid', 'The profile has no "api" to read content from.');
  const sources = [api, ...(api.standbys ?? [])].map(({ url, tlsRootFile }) =>
    createGatewaySource({
      baseUrl: url,
      maxConnections: 16,
      timeoutMs: 30_000,
      tls: {
        ca: readProfileFile(tlsRootFile),
        certificate: identity.certificateChainPem,
        privateKey: identity.privateKeyPem,
      },
    }),
  );
  const turns = inTurn(sources);
  const single: Reader = {
    get: (cid, options) =>
      turns.ask(
        (source) => source.get(cid, options),
        (error) => isWaymarkError(error, 'unavailable'),
      ),
  };
  const bulk = createReadAhead({
    get: (cid, options) => single.get(cid, options),
    readDag: (root) => turns.current.readDag(root),
  });
  return {
    single,
    bulk,
    close: async () => {
      for (const source of sources) await source.close();
    },
  };
}

/**
 * Asks for a batch block together with all its envelopes (one CAR), and gives each envelope out once. Whatever goes wrong with reading ahead,
 * the block itself is asked for again and its own error counts.
 */
export function createReadAhead(source: Pick<GatewayContentSource, 'get' | 'readDag'>): Reader {
  const ahead = new Map<string, Uint8Array>();
  let aheadSizeBytes = 0;
  let free = maxBatchesAtOnce;
  const queue: (() => void)[] = [];

  async function inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else free -= 1;
    try {
      return await read();
    } finally {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  }

  function keep(name: string, bytes: Uint8Array): void {
    take(name);
    ahead.set(name, bytes);
    aheadSizeBytes += bytes.length;
    while (aheadSizeBytes > maxAheadSizeBytes) take(ahead.keys().next().value ?? '');
  }

  function take(name: string): Uint8Array | undefined {
    const bytes = ahead.get(name);
    if (bytes === undefined) return undefined;
    ahead.delete(name);
    aheadSizeBytes -= bytes.length;
    return bytes;
  }

  async function readBatch(root: Cid): Promise<Uint8Array | undefined> {
    let rootBytes: Uint8Array | undefined;
    try {
      for await (const { cid, bytes } of source.readDag(root)) {
        if (rootBytes === undefined) rootBytes = bytes;
        else keep(cid.toString(), bytes);
      }
    } catch (error) {
      if (!isWaymarkError(error)) throw error;
    }
    return rootBytes;
  }

  return {
    async get(cid, options) {
      const read = cid.code === dagCborCode ? await inTurn(() => readBatch(cid)) : take(cid.toString());
      return read ?? source.get(cid, options);
    },
  };
}
