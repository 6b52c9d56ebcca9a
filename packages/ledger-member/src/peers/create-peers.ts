import { WaymarkError } from '@waymark/protocol';
import type { MemberId } from '@waymark/rsl';
import { type CallContext, openBidi, serveBidi } from '@waymark/transport';
import type * as wire from '@waymark/transport/ledger';
import { joinParts, partsOf } from './blocks/block-parts.ts';
import type { StoredBlock } from './blocks/stored-block.ts';
import { callerOf, takeExchange } from './incoming/exchange.ts';
import { createOpenStreams } from './incoming/open-streams.ts';
import { defaultPeersLimits, type PeersLimits } from './limits.ts';
import { connectTo, memberService, openReadBlocks } from './member-service.ts';
import { createDial, type Dial } from './outgoing/dial.ts';
import { createEncodedCandidates } from './outgoing/encoded-candidates.ts';
import type { Peers, PeersOptions } from './peers.ts';

/** Streams that one member may hold open here: a new one beside one that is not known to be dead yet, and blocks. */
const maxStreamsPerMember = 8;

/**
 * The gRPC streams between the members of a ledger (`proto/ledger.proto`). Each member opens one stream to each other one and speaks on that only; it
 * opens it again whenever it ends.
 */
export function createPeers(options: PeersOptions): Peers {
  const { ledger, member: self, identity, onRefused } = options;
  const limits: PeersLimits = { ...defaultPeersLimits, ...options.limits };
  const serve = options.serve ?? (async (check, work) => (check(), work()));
  const dials = new Map<MemberId, Dial>();
  const streams = createOpenStreams();
  const encodeCandidate = createEncodedCandidates();
  const leaving = new Set<Promise<void>>();
  let isRunning = false;

  const leave = (peer: MemberId, dial: Dial): void => {
    dials.delete(peer);
    const left = dial.stop().finally(() => leaving.delete(left));
    leaving.add(left);
  };
  const reload = (): void => {
    if (!isRunning) return;
    const peers = options.peers();
    for (const [peer, dial] of [...dials]) {
      const address = peers.get(peer);
      const isSame = address?.endpoint === dial.address.endpoint && address.tlsRootPem === dial.address.tlsRootPem;
      if (!isSame) leave(peer, dial);
    }
    for (const [peer, address] of peers) {
      if (peer === self || dials.has(peer)) continue;
      const random = options.random ?? Math.random;
      dials.set(peer, createDial({ ...options, peer, address, limits, random, encodeCandidate }));
    }
  };
  /** Serves one stream of a member; tells why one was refused. */
  const served = async (context: CallContext, work: (caller: MemberId) => Promise<void>): Promise<void> => {
    let member: MemberId | null = null;
    try {
      const caller = callerOf(options, context);
      member = caller.member;
      await serve(caller.check, () => work(caller.member));
    } catch (error) {
      if (!context.signal.aborted && isRunning) onRefused?.(member, error);
      throw error;
    }
  };

  return {
    addTo(server) {
      server.addService(memberService, {
        exchange: serveBidi<Uint8Array, Uint8Array>(
          (requests, responses, context) =>
            served(context, (caller) =>
              streams.runOnly(caller, () =>
                takeExchange(options, caller, () => dials.get(caller)?.hurry(), [requests, responses, context]),
              ),
            ),
          { maxOpenStreamsPerPeer: maxStreamsPerMember },
        ),
        readBlocks: serveBidi<wire.BlockRange, wire.StoredBlock>(
          (requests, responses, context) =>
            served(context, () =>
              streams.run(async () => {
                for await (const { ledger: asked, first, last } of requests) {
                  if (asked !== ledger) throw new WaymarkError('recipient-mismatch', 'this is another ledger');
                  if (first < 1 || last < first) throw new WaymarkError('input-invalid', 'this is no range of blocks');
                  for await (const block of options.readBlocks?.(first, last) ?? []) {
                    for (const part of partsOf(block, limits.targetEnvelopeSizeBytes)) await responses.write(part);
                  }
                }
              }),
            ),
          { maxOpenStreamsPerPeer: maxStreamsPerMember },
        ),
      });
    },
    start() {
      isRunning = true;
      reload();
    },
    async stop() {
      isRunning = false;
      for (const [peer, dial] of [...dials]) leave(peer, dial);
      streams.endAll();
      await Promise.all(leaving);
    },
    reload,
    send: (message) => dials.get(message.to)?.send(message),
    announce() {
      for (const dial of dials.values()) dial.announce();
    },
    connected: () => [...dials].flatMap(([peer, dial]) => (dial.isConnected ? [peer] : [])).sort(),
    stats: () => [...dials.values()].map((dial) => dial.stats()),
    async *readBlocks(peer, first, last, signal): AsyncGenerator<StoredBlock> {
      const address = options.peers().get(peer);
      if (address === undefined)
        throw new WaymarkError('unavailable', 'the member is not known', { details: { peer } });
      const client = connectTo(address, identity, limits);
      const stream = openBidi(openReadBlocks(client));
      const cancel = (): void => stream.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        await stream.write({ ledger, first, last });
        stream.finish();
        yield* joinParts(stream.responses, first, last, limits.maxBlockSizeBytes);
      } finally {
        signal?.removeEventListener('abort', cancel);
        stream.cancel();
        client.close();
      }
    },
  };
}
