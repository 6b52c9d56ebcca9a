import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import type { KuboNodePlan, SwarmPeer } from '../plan.ts';
import { createPeerIdentity, type PeerIdentity } from '../swarm/identity.ts';
import { listenAddress, tcpAddress } from '../swarm/multiaddress.ts';
import { readSwarmKey } from '../swarm/swarm-key.ts';
import { kuboConfig } from './kubo-config.ts';
import { startScript } from './start-script.ts';
import { writeDurable } from './write-durable.ts';

/** What was written for a node. */
export interface KuboNodeFiles {
  /** `config.json`, `swarm.key`, `api-secret` (0600) and `start.sh`: all that a runner needs, read-only. */
  readonly nodeDir: string;
  /** Holds the bearer token of the RPC API alone. */
  readonly secretFile: string;
  /** How other members name and reach this one. */
  readonly self: SwarmPeer;
  /** Members this one is peered with. */
  readonly peers: readonly SwarmPeer[];
}

const defaultStorageMaxBytes = 100_000_000_000;
const maxPeers = 1000;
const peerIdPattern = /^[1-9A-HJ-NP-Za-km-z]{46,60}$/;
const addressPattern = /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/\s]{1,253}\/tcp\/[0-9]{1,5}$/;

/**
 * Writes what a node is started from. Identity and API secret are made once and stay; all else follows the plan. Other
 * members need `self` before any daemon runs: write the files of all, then again with `peers`.
 *
 * @throws WaymarkError `configuration-invalid` (an address, a port, the swarm key, files that were altered)
 */
export async function writeKuboFiles(plan: KuboNodePlan): Promise<KuboNodeFiles> {
  const nodeDir = join(plan.folder, 'node');
  const swarmKey = await readSwarmKey(plan.swarmKeyFile);
  const host = plan.listenHost ?? '127.0.0.1';
  const listen = {
    swarm: listenAddress(host, plan.swarmPort),
    api: listenAddress(host, plan.apiPort),
    gateway: plan.gatewayPort === undefined ? undefined : listenAddress(host, plan.gatewayPort),
  };
  const announce = tcpAddress(plan.advertiseHost ?? '127.0.0.1', plan.swarmPort);
  await mkdir(nodeDir, { recursive: true, mode: 0o700 });
  const configFile = join(nodeDir, 'config.json');
  const before = await readConfig(configFile);
  const identity = before?.identity ?? createPeerIdentity();
  const peers = requirePeers(plan.peers ?? before?.peers ?? []).filter(({ peerId }) => peerId !== identity.peerId);
  const secretFile = join(nodeDir, 'api-secret');
  const apiSecret = await ensureSecret(secretFile);
  const storageMaxBytes = plan.storageMaxBytes ?? defaultStorageMaxBytes;
  const config = kuboConfig({ identity, apiSecret, listen, announce, peers, storageMaxBytes });
  await writeDurable(join(nodeDir, 'swarm.key'), swarmKey, 0o600);
  await writeDurable(join(nodeDir, 'start.sh'), startScript(plan.offline === true), 0o700);
  await writeDurable(configFile, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
  return { nodeDir, secretFile, self: { peerId: identity.peerId, address: announce }, peers };
}

function requirePeers(peers: readonly SwarmPeer[]): readonly SwarmPeer[] {
  if (peers.length > maxPeers) {
    throw new WaymarkError('configuration-invalid', 'A node has too many peers.', { details: { maxPeers } });
  }
  for (const { peerId, address } of peers) {
    if (peerIdPattern.test(peerId) && addressPattern.test(address)) continue;
    throw new WaymarkError('configuration-invalid', 'A peer has no valid id or address.', {
      details: { peerId, address },
    });
  }
  return peers;
}

async function ensureSecret(file: string): Promise<string> {
  const found = (await readIfThere(file))?.trim();
  if (found !== undefined && found !== '') return found;
  const secret = randomBytes(32).toString('hex');
  await writeDurable(file, `${secret}\n`, 0o600);
  return secret;
}

interface Written {
  readonly identity: PeerIdentity;
  readonly peers: readonly SwarmPeer[];
}

async function readConfig(file: string): Promise<Written | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    const config = JSON.parse(text) as {
      readonly Identity: { readonly PeerID: unknown; readonly PrivKey: unknown };
      readonly Peering: { readonly Peers: readonly { readonly ID: string; readonly Addrs: readonly string[] }[] };
    };
    const { PeerID: peerId, PrivKey: privateKey } = config.Identity;
    if (typeof peerId !== 'string' || typeof privateKey !== 'string') throw new Error('no identity');
    const peers = config.Peering.Peers.flatMap(({ ID, Addrs }) => Addrs.map((address) => ({ peerId: ID, address })));
    return { identity: { peerId, privateKey }, peers };
  } catch (cause) {
    // A new identity in its place would leave a member that nobody knows.
    throw new WaymarkError('configuration-invalid', 'The configuration of a kubo node cannot be read.', {
      details: { file },
      cause,
    });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  });
}
