import { createHash } from 'node:crypto';
import type { Channel, Committer, Endorser, IdentityContext } from 'fabric-common';
import type { Gateway } from 'fabric-network';
import { toLowS, type LedgerDeadlines } from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import type { FabricNetworkOptions } from '../options.ts';
import { loadFabricNetwork } from './client-library.ts';
import { discover, type Discovery } from './discovery.ts';
import { homePeers, type HomePeers } from './home-peers.ts';
import { keylessIdentity } from './identity.ts';
import { connectionOptions, connectionProfile } from './profile.ts';

/** A connected client of one channel. */
export interface Link {
  readonly channel: Channel;
  /** Undefined with a static profile. */
  readonly discovery: Discovery | undefined;
  readonly home: HomePeers;
  /** Who calls, with a transaction id of its own each time. */
  context(): IdentityContext;
  sign(payload: Uint8Array): Promise<Buffer>;
  endorsers(): readonly Endorser[];
  committers(): readonly Committer[];
  close(): void;
}

/**
 * Connects to the peers of the profile and, where asked, discovers the others.
 *
 * @throws WaymarkError `unavailable` when nobody answers, `configuration-invalid` when the options name no own peer
 */
export async function openLink(options: FabricNetworkOptions, deadlines: LedgerDeadlines): Promise<Link> {
  const { identity, channel: channelName, chaincode } = options;
  const gateway = new (loadFabricNetwork().Gateway)();
  try {
    await gateway.connect(connectionProfile(options), {
      ...keylessIdentity(identity),
      discovery: { enabled: false },
      'connection-options': connectionOptions,
    });
    const channel = (await gateway.getNetwork(channelName)).getChannel();
    const own = options.peers
      .filter(({ mspId }) => mspId === identity.mspId)
      .map(({ endpoint }) => channel.client.getEndorser(endpoint));
    const sign = async (payload: Uint8Array): Promise<Buffer> =>
      Buffer.from(toLowS(await identity.sign(createHash('sha256').update(payload).digest())));
    const context = (): IdentityContext => contextOf(gateway).calculateTransactionId();
    const discovery =
      options.discovery === undefined
        ? undefined
        : await discover({
            channel,
            chaincode,
            peers: own,
            asLocalhost: options.discovery.asLocalhost,
            timeoutMs: deadlines.evaluateMs,
            context,
            sign,
          });
    return {
      channel,
      discovery,
      home: homePeers(own),
      context,
      sign,
      endorsers: () => channel.getEndorsers(),
      committers: () => channel.getCommitters(),
      close: () => gateway.disconnect(),
    };
  } catch (cause) {
    gateway.disconnect();
    throw new WaymarkError('unavailable', 'no peer of the ledger answered', { cause });
  }
}

function contextOf(gateway: Gateway): IdentityContext {
  if (gateway.identityContext === undefined) throw new Error('not connected');
  return gateway.identityContext;
}
