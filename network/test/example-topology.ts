import { join } from 'node:path';
import { checkTopology, readTopology, type Topology, type TopologyOrganisation } from '../src/topology.ts';

const folder = join(import.meta.dirname, '..');

/** The two topologies that are shipped. */
export const shipped = {
  s12: join(folder, 'topology.yaml'),
  full: join(folder, 'topology.full.yaml'),
} as const;

/** S12's. */
export function smallTopology(): Promise<Topology> {
  return readTopology(shipped.s12);
}

/** An organisation that is like any other; `index` tells it apart. */
export function exampleOrganisation(index: number): TopologyOrganisation {
  return {
    mspId: `Firm${index}MSP`,
    domain: `firm${index}.example`,
    name: `Firm ${index}`,
    role: 'carrier',
    leaderPeer: 'leader',
    centerIsRecipient: true,
    outlets: [{ name: 'depot', peer: index % 2 === 0 }],
  };
}

/** A topology whose organisations each have a private ledger: outlets, some members of it, and departments that only verify. */
export function ledgerTopology(privateLedger: object = {}, ...outlets: readonly (readonly string[])[]): Topology {
  const topology = topologyOf(Math.max(1, outlets.length), { type: 'raft' });
  const organisations = topology.organisations.map((organisation, index) => ({
    ...organisation,
    outlets: (outlets[index] ?? ['depot']).map((name) => ({ name })),
  }));
  return checkTopology({ ...topology, privateLedger, organisations }, 'example');
}

/** A topology of so many organisations. */
export function topologyOf(
  count: number,
  ordering: { type: 'raft' | 'bft'; orderers?: number; operators?: Topology['ordering']['operators'] },
): Topology {
  const value = {
    version: 1,
    channel: 'waymark',
    chaincode: { name: 'waymark', version: '0.1.0', sequence: 1 },
    ordering: {
      ...ordering,
      batchTimeoutMs: 250,
      maxMessageCount: 500,
      preferredMaxBytes: 2 ** 21,
      absoluteMaxBytes: 2 ** 23,
    },
    organisations: Array.from({ length: count }, (_, index) => exampleOrganisation(index)),
  };
  return checkTopology(value, 'example');
}
