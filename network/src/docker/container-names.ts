import type { ServiceNode } from '../layout.ts';
import type { TopologyOrganisation } from '../topology.ts';

/** Networks that several organisations share; no domain has an underscore. */
export const channelNetwork = 'shared_channel';
export const swarmNetwork = 'shared_swarm';

/** The one-shot container that gives volumes to the user that the others run as. */
export const volumesService = 'volumes';

/** Inside the network a container is called as its host name is; here is what has none in its certificates, or shares it. */
export function kuboHost({ domain }: Pick<TopologyOrganisation, 'domain'>): string {
  return `ipfs.${domain}`;
}

/** What peers dial: every version of the chaincode has the same name and a port of its own. */
export function chaincodeHost({ domain }: Pick<TopologyOrganisation, 'domain'>): string {
  return `chaincode.${domain}`;
}

/** Each version is a container of its own. */
export function chaincodeContainer(organisation: Pick<TopologyOrganisation, 'domain'>, name: string): string {
  const plain = `chaincode-${organisation.domain}`;
  const version = name.startsWith(plain) ? name.slice(plain.length) : `-${name}`;
  return `chaincode${version}.${organisation.domain}`;
}

/** An outlet's peer has the outlet's own name (S12): the outlet's service stands one label below it. */
export function serviceContainer({ organisation: { domain }, node, kind }: ServiceNode): string {
  return kind === 'outlet' ? `outlet.${node}.${domain}` : `${node}.${domain}`;
}
