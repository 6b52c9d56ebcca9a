import type { Channel, DiscoveryHandler, DiscoveryService, Endorser, IdentityContext } from 'fabric-common';

/** The library would never ask again; a chaincode's policy and the channel's members change. */
const maxAgeMs = 60_000;

/** What discovery says of a chaincode's endorsers. */
export interface Discovery {
  /** Chooses endorsers by the chaincode's policy. */
  handler(): Promise<DiscoveryHandler>;
  /** Has the next call ask anew: what is known may be out of date. */
  expire(): void;
}

interface DiscoveryParts {
  readonly channel: Channel;
  readonly chaincode: string;
  /** Peers of the own organisation. */
  readonly peers: readonly Endorser[];
  readonly asLocalhost: boolean;
  readonly timeoutMs: number;
  context(): IdentityContext;
  sign(payload: Uint8Array): Promise<Buffer>;
}

/** Asks for the channel's nodes and the chaincode's endorsers. @throws when no peer answers */
export async function discover(parts: DiscoveryParts): Promise<Discovery> {
  const { channel, chaincode, peers, asLocalhost, timeoutMs } = parts;
  const service: DiscoveryService = channel.newDiscoveryService(chaincode);
  const targets = peers.map((peer) => {
    const discoverer = channel.client.newDiscoverer(peer.name, peer.mspid);
    discoverer.setEndpoint(peer.endpoint);
    return discoverer;
  });
  // The request names no time and no nonce: its signature serves every time it is asked.
  service.sign(await parts.sign(service.build(parts.context(), { interest: [{ name: chaincode }] })));
  const ask = async (): Promise<void> => {
    await service.send({ asLocalhost, targets, requestTimeout: timeoutMs });
    askedAtMs = Date.now();
  };
  let askedAtMs = 0;
  let asking: Promise<void> | undefined;
  await ask();
  return {
    async handler() {
      if (Date.now() - askedAtMs > maxAgeMs) {
        asking ??= ask()
          // What was known serves on: whoever endorses finds out.
          .catch(() => undefined)
          .finally(() => (asking = undefined));
        await asking;
      }
      return service.newHandler();
    },
    expire() {
      askedAtMs = 0;
    },
  };
}
