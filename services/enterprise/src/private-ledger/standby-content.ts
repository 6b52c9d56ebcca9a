import { type ContentStore, createGatewaySource, type GatewayContentSource } from '@waymark/content';
import type { PrivateLedger } from '@waymark/private-ledger';
import { parseCid, WaymarkError } from '@waymark/protocol';
import type { Component, Logger } from '@waymark/service-kit';
import { setTimeout as delay } from 'node:timers/promises';
import { confirmedBatches } from './confirmed-batches.ts';

const markName = 'content';
const firstRetryMs = 500;
const longestRetryMs = 30_000;
/** Blocks after which it is noted how far they are here; a mark costs a write to the disk. */
const blocksPerMark = 64;

/** Brings the envelopes of confirmed batches, which another center took in, into this center's own content store: it may be in office next. */
export interface StandbyContent extends Component {
  /** The chain has grown. */
  wake(): void;
  /** Last block whose envelopes are all here. */
  readonly height: number;
}

/** What it is made of. */
export interface StandbyContentParts {
  readonly privateLedger: Pick<PrivateLedger, 'chain' | 'member' | 'notes' | 'members'>;
  /** This member. */
  readonly id: string;
  readonly content: ContentStore;
  /** What this center shows to the others. */
  readonly identityPem: { readonly certificateChainPem: string; readonly privateKeyPem: string };
  readonly logger: Logger;
}

/** For content stores of a center's own; centers that share a kubo have nothing to bring. */
export function createStandbyContent(parts: StandbyContentParts): StandbyContent {
  const { id, content, logger } = parts;
  const { chain, member, notes, members } = parts.privateLedger;
  const abort = new AbortController();
  const sources = new Map<string, GatewayContentSource>();
  let woken = Promise.withResolvers<undefined>();
  let running: Promise<void> | undefined;

  const isStopped = (): boolean => abort.signal.aborted;

  async function run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!isStopped()) {
      const height = notes.mark(markName) + 1;
      if (height > chain.height) {
        await woken.promise;
        woken = Promise.withResolvers();
        continue;
      }
      try {
        const last = Math.min(chain.height, height + blocksPerMark - 1);
        for (let at = height; at <= last; at += 1) await bringAll(at);
        notes.noteMark(markName, last);
        retryMs = firstRetryMs;
      } catch (error) {
        if (isStopped()) return;
        logger.warn('envelopes of a confirmed block could not be fetched yet', { height, error, delayMs: retryMs });
        await delay(retryMs, undefined, { signal: abort.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      }
    }
  }

  async function bringAll(height: number): Promise<void> {
    // The member still has what was confirmed just now.
    const block = member.block(height) ?? (await chain.block(height));
    for (const { cid } of confirmedBatches(block)) await bring(cid);
  }

  /** The batch's own block is put last and pinned, so that it is here only when everything under it is. */
  async function bring(cid: string): Promise<void> {
    const root = parseCid(cid);
    if (await content.has(root)) return;
    let fault: unknown = new WaymarkError('unavailable', 'No other center of the firm is known.');
    for (const [other, { apiUrl, tlsRootPem }] of members.current()) {
      if (other === id || apiUrl === undefined) continue;
      try {
        await content.putMany(sourceOf(apiUrl, tlsRootPem).readDag(root, { signal: abort.signal }), {
          pinRoots: [root],
        });
        return;
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  }

  function sourceOf(apiUrl: string, tlsRootPem: string): GatewayContentSource {
    const known = sources.get(apiUrl);
    if (known !== undefined) return known;
    const { certificateChainPem, privateKeyPem } = parts.identityPem;
    const source = createGatewaySource({
      baseUrl: apiUrl,
      tls: { ca: tlsRootPem, certificate: certificateChainPem, privateKey: privateKeyPem },
    });
    sources.set(apiUrl, source);
    return source;
  }

  return {
    name: 'standby-content',
    start: () => {
      running = run().catch((error: unknown) => logger.error('envelopes are not fetched any more', { error }));
    },
    wake: () => woken.resolve(undefined),
    stop: async () => {
      abort.abort();
      woken.resolve(undefined);
      await running;
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
    get height() {
      return notes.mark(markName);
    },
  };
}
