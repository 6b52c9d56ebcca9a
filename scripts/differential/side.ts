import type { Client } from '@grpc/grpc-js';
import { connect, hash, signers, type Gateway } from '@hyperledger/fabric-gateway';
import { createPrivateKey } from 'node:crypto';
import { createSigningIdentity, type SigningIdentity } from '@waymark/devnet/fabric';
import { connectGrpc, type GrpcNode } from './grpc.ts';

export const CHANNEL = 'mychannel';
const CALL_TIMEOUT_MS = 60_000;

/** Blocks are cut by count, so that both sides have the same ones; the time is for what the orderer did not count. */
export const BATCH = {
  maxMessageCount: 10,
  timeoutMs: 3_000,
  preferredMaxBytes: 2 * 1024 * 1024,
  absoluteMaxBytes: 10 * 1024 * 1024,
};

export interface Credentials {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface SideOrganisation {
  readonly mspId: string;
  readonly gateway: GrpcNode;
  readonly admin: Credentials;
  readonly user: Credentials;
  /** The peer's own identity: some transactions are endorsed by hand. */
  readonly peer: Credentials;
}

/** What a network of either kind comes down to. */
export interface SideParts {
  readonly name: 'devnet' | 'fabric';
  readonly organisations: readonly SideOrganisation[];
  readonly orderer: GrpcNode;
  stop(): Promise<void>;
}

/** One of the two networks, with its clients connected. */
export interface Side {
  readonly name: 'devnet' | 'fabric';
  readonly orderer: Client;
  gateway(gatewayMspId: string, clientMspId: string, client: 'user' | 'admin'): Gateway;
  signer(mspId: string, who: 'user' | 'admin' | 'peer'): SigningIdentity;
  /** Host name for an address of this network. */
  hostNameOf(address: string): string;
  readonly mspIds: readonly string[];
  stop(): Promise<void>;
}

export function connectSide(parts: SideParts): Side {
  const gateways = new Map<string, Gateway>();
  const signersByName = new Map<string, SigningIdentity>();
  const clients = new Map(parts.organisations.map(({ mspId, gateway }) => [mspId, connectGrpc(gateway)]));
  const orderer = connectGrpc(parts.orderer);
  for (const { mspId, user, admin, peer } of parts.organisations) {
    for (const [who, credentials] of Object.entries({ user, admin, peer })) {
      signersByName.set(`${mspId}/${who}`, createSigningIdentity(credentials));
      for (const [gatewayMspId, client] of clients) {
        gateways.set(`${gatewayMspId}/${mspId}/${who}`, gatewayOver(client, credentials));
      }
    }
  }
  const hostNames = new Map(
    [...parts.organisations.map(({ gateway }) => gateway), parts.orderer].map(({ address, hostName }) => [
      address,
      hostName,
    ]),
  );
  return {
    name: parts.name,
    orderer,
    gateway: (gatewayMspId, clientMspId, client) => found(gateways, `${gatewayMspId}/${clientMspId}/${client}`),
    signer: (mspId, who) => found(signersByName, `${mspId}/${who}`),
    hostNameOf: (address) => hostNames.get(address) ?? address,
    mspIds: parts.organisations.map(({ mspId }) => mspId),
    stop: async () => {
      for (const gateway of gateways.values()) gateway.close();
      for (const client of [...clients.values(), orderer]) client.close();
      await parts.stop();
    },
  };
}

function gatewayOver(client: Client, { mspId, certificatePem, privateKeyPem }: Credentials): Gateway {
  return connect({
    client,
    identity: { mspId, credentials: Buffer.from(certificatePem) },
    signer: signers.newPrivateKeySigner(createPrivateKey(privateKeyPem)),
    hash: hash.sha256,
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
}

/** A call that is never answered is a failure of the run, not a wait without end. */
const deadline = (): { deadline: number } => ({ deadline: Date.now() + CALL_TIMEOUT_MS });

function found<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`no ${key}`);
  return value;
}
