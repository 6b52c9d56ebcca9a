import { join } from 'node:path';
import { ledgerMembers } from './private-ledger.ts';
import type { Runtime } from './runtime.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** Ports of one service. */
export interface ServicePorts {
  readonly grpcPort: number;
  readonly apiPort: number;
  readonly operationsPort: number;
}

/** Ports of one of Fabric's nodes; an orderer has no use for the chaincode's, a peer none for the admin's. */
export interface NodePorts {
  readonly port: number;
  readonly operationsPort: number;
  readonly adminPort: number;
  readonly chaincodePort: number;
}

/** Ports of one organisation's kubo. */
export interface ContentPorts {
  readonly swarmPort: number;
  readonly apiPort: number;
}

/** Ports that stay the same over restarts. */
export interface PortPlan {
  /** What the folder was made for. Absent in a folder that an older version made: embedded. */
  readonly runtime?: Runtime;
  /** Fabric's orderers and peers by host name. */
  readonly fabric?: Readonly<Record<string, NodePorts>>;
  /** Devnet's: `orderer`, and each peer as `<peer>.<domain>`. Absent in a folder that an older version made: devnet remembers its own. */
  readonly devnet?: Readonly<Record<string, number>>;
  /** By MSP id. */
  readonly chaincodes: Readonly<Record<string, number>>;
  /** By MSP id, where each organisation has a kubo. */
  readonly content?: Readonly<Record<string, ContentPorts>>;
  /** By the service's name in the layout. */
  readonly services: Readonly<Record<string, ServicePorts>>;
}

/** Where everything of one consortium lies on disk. */
export interface Layout {
  readonly root: string;
  readonly run: string;
  /** What the channel runs on keeps everything here. */
  readonly chain: string;
  /** What the organisations' kubos keep. */
  readonly content: string;
  readonly portsFile: string;
  /** Written once registration is complete. */
  readonly registeredFile: string;
  readonly defaultProfile: string;
  organisationCa(organisation: TopologyOrganisation): string;
  node(organisation: TopologyOrganisation, name: string): NodeFolder;
}

/** Files of one node: a center, an outlet, a reader, a client. */
export interface NodeFolder {
  readonly dir: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly tlsCertificate: string;
  readonly tlsPrivateKey: string;
  readonly keyStore: string;
  readonly passphrase: string;
  /** Copies of what it trusts: the roots of its own organisation and of the others. */
  readonly trust: string;
  /** The other organisations and their centers. */
  readonly members: string;
  /** First configuration and members of the organisation's private ledger. */
  readonly ledger: LedgerFiles;
  /** What opens the organisation's content store. */
  readonly contentSecret: string;
  readonly encryptionKey: string;
  readonly configuration: string;
  readonly profile: string;
  readonly data: string;
}

/** What a member of a private ledger is told of it. */
export interface LedgerFiles {
  readonly dir: string;
  readonly configuration: string;
  readonly members: string;
}

/** Name of a service process: `<domain>-<node>`. */
export function serviceName(organisation: TopologyOrganisation, node: string): string {
  return `${organisation.domain}-${node}`;
}

/** The layout below one folder. */
export function layoutOf(root: string, runtime: Runtime = 'embedded'): Layout {
  const chain = join(root, runtime === 'embedded' ? 'devnet' : 'fabric');
  const organisations = join(chain, runtime === 'embedded' ? 'organisations' : 'peerOrganizations');
  return {
    root,
    run: join(root, 'run'),
    chain,
    content: join(root, 'content'),
    portsFile: join(root, 'ports.json'),
    registeredFile: join(root, 'registered.json'),
    defaultProfile: join(root, 'profile.yaml'),
    organisationCa: (organisation) => join(organisations, organisation.domain),
    node: (organisation, name) => {
      const dir = join(root, 'organisations', organisation.domain, name);
      return {
        dir,
        certificate: join(dir, 'certificate.pem'),
        privateKey: join(dir, 'private-key.pem'),
        tlsCertificate: join(dir, 'tls-certificate.pem'),
        tlsPrivateKey: join(dir, 'tls-private-key.pem'),
        // Services write to it: in containers it is mounted apart from what they only read.
        keyStore: join(dir, ...(runtime === 'docker' ? ['keys'] : []), 'key-store.json'),
        passphrase: join(dir, 'passphrase'),
        trust: join(dir, 'trust'),
        members: join(dir, 'members.yaml'),
        ledger: {
          dir: join(dir, 'ledger'),
          configuration: join(dir, 'ledger', 'configuration.json'),
          members: join(dir, 'ledger', 'members.yaml'),
        },
        contentSecret: join(dir, 'content-secret'),
        encryptionKey: join(dir, 'encryption-key.json'),
        configuration: join(dir, 'configuration.yaml'),
        profile: join(dir, 'profile.yaml'),
        data: join(dir, 'data'),
      };
    },
  };
}

/** What runs as a service: a standby runs what a center does, a verifier what an outlet does, without taking records in. */
export type ServiceKind = 'center' | 'standby' | 'outlet' | 'verifier';

/** A node that runs as a service. */
export interface ServiceNode {
  readonly organisation: TopologyOrganisation;
  readonly node: string;
  readonly kind: ServiceKind;
}

/** The nodes that run as services, with what each is. */
export function servicesOf(topology: Topology): ServiceNode[] {
  return topology.organisations.flatMap((organisation) => servicesOfOrganisation(topology, organisation));
}

/** Those of one organisation. */
export function servicesOfOrganisation(topology: Topology, organisation: TopologyOrganisation): ServiceNode[] {
  const members = ledgerMembers(topology, organisation);
  return [
    { organisation, node: 'center', kind: 'center' },
    ...organisation.outlets.map(({ name }): ServiceNode => ({ organisation, node: name, kind: 'outlet' })),
    ...members.flatMap(({ node, role }) =>
      role === 'standby' || role === 'verifier' ? [{ organisation, node, kind: role }] : [],
    ),
  ];
}

/** The program that a service is. */
export function programOf(kind: ServiceKind): 'enterprise' | 'department' {
  return kind === 'center' || kind === 'standby' ? 'enterprise' : 'department';
}

/** People and programs that only use the network. */
export const users = [
  { node: 'reader', kind: 'reader' },
  { node: 'client', kind: 'client' },
] as const;
