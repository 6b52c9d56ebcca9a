import type { OrganisationCa } from '@waymark/devnet/ca';
import type { ContentSection } from './content/content.ts';
import type { Hosting } from './hosting/hosting.ts';
import type { Layout, PortPlan } from './layout.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** Where a gateway of the channel is. */
export interface GatewayPlace {
  /** `host:port` at which this process reaches it. */
  readonly endpoint: string;
  readonly hostName: string;
  readonly port: number;
  readonly tlsRootFile: string;
}

/** What there is already when nodes are provisioned. */
export interface Surroundings {
  readonly topology: Topology;
  readonly layout: Layout;
  readonly ports: PortPlan;
  readonly hosting: Hosting;
  readonly gateways: ReadonlyMap<string, GatewayPlace>;
  readonly contentOf: (mspId: string) => ContentSection;
}

/** One organisation while its nodes are provisioned. */
export interface OrganisationPlace extends Surroundings {
  readonly organisation: TopologyOrganisation;
  readonly ca: OrganisationCa;
  readonly indexRoot: Uint8Array;
  /** What a center and its standby wrap keys under; undefined where a center has no standby. */
  readonly centerLocalRoot: Uint8Array | undefined;
  readonly gateway: GatewayPlace;
}
