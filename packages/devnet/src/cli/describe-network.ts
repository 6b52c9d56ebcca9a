import { join } from 'node:path';
import type { Devnet, DevnetOrganisation, NodeConnection } from '../network/devnet.ts';
import type { EnrolledIdentity } from '../network/membership.ts';

interface NodeDescription {
  readonly address: string;
  readonly hostName: string;
  readonly tlsRootCertPath: string;
}

interface IdentityDescription {
  readonly enrolmentId: string;
  readonly mspDir: string;
  readonly certificatePath: string;
  readonly privateKeyPath: string;
}

/** Everything a client needs; only paths, no keys. */
export interface NetworkDescription {
  readonly channel: string;
  readonly dataDir: string;
  readonly orderer: NodeDescription & { readonly mspId: string };
  readonly organisations: readonly {
    readonly mspId: string;
    readonly gateway: NodeDescription;
    readonly peers: readonly NodeDescription[];
    readonly mspDir: string;
    readonly admin: IdentityDescription;
    readonly user: IdentityDescription;
  }[];
}

export function describeNetwork(devnet: Devnet): NetworkDescription {
  return {
    channel: devnet.channel,
    dataDir: devnet.dataDir,
    orderer: { mspId: devnet.orderer.mspId, ...describeNode(devnet.orderer) },
    organisations: devnet.organisations.map(describeOrganisation),
  };
}

/** For people. */
export function printNetwork(network: NetworkDescription): string {
  const lines = [
    `channel      ${network.channel}`,
    `data         ${network.dataDir}`,
    `orderer      ${network.orderer.address} (${network.orderer.hostName}), TLS CA ${network.orderer.tlsRootCertPath}`,
  ];
  for (const organisation of network.organisations) {
    lines.push(
      '',
      organisation.mspId,
      `  gateway    ${organisation.gateway.address} (${organisation.gateway.hostName})`,
    );
    for (const peer of organisation.peers.slice(1)) lines.push(`  peer       ${peer.address} (${peer.hostName})`);
    lines.push(
      `  TLS CA     ${organisation.gateway.tlsRootCertPath}`,
      `  user       ${organisation.user.mspDir}`,
      `  admin      ${organisation.admin.mspDir}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function describeOrganisation(organisation: DevnetOrganisation): NetworkDescription['organisations'][number] {
  return {
    mspId: organisation.mspId,
    gateway: describeNode(organisation.gateway),
    peers: organisation.peers.map(describeNode),
    mspDir: organisation.mspDir,
    admin: describeIdentity(organisation.admin),
    user: describeIdentity(organisation.user),
  };
}

function describeNode({ address, hostName, tlsRootCertPath }: NodeConnection): NodeDescription {
  return { address, hostName, tlsRootCertPath };
}

function describeIdentity({ enrolmentId, mspDir }: EnrolledIdentity): IdentityDescription {
  return {
    enrolmentId,
    mspDir,
    certificatePath: join(mspDir, 'signcerts', `${enrolmentId}-cert.pem`),
    privateKeyPath: join(mspDir, 'keystore', 'priv_sk'),
  };
}
