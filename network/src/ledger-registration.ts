import { X509Certificate } from 'node:crypto';
import { ledgerConfiguration, ledgerMembers } from './private-ledger.ts';
import type { ProvisionedNode } from './provision.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** Blocks within which a submission that was received must be in the ledger, or its department may claim that it is held back. */
const inclusionBlocks = 64;

/** Argument of `anchors:registerLedger`. */
export interface LedgerRegistration {
  readonly configuration: {
    readonly epoch: number;
    readonly members: readonly string[];
    readonly learners: readonly string[];
    readonly eligible: readonly string[];
    /** Null: the center is trusted. */
    readonly colluding: number | null;
  };
  /** DER, base64url. */
  readonly certificates: readonly string[];
  readonly inclusionBlocks: number;
}

/**
 * How an organisation's ledger is registered on the channel; undefined when it has none, or when its members are not among the nodes.
 *
 * @param nodes of the organisation
 */
export function ledgerRegistration(
  topology: Topology,
  organisation: TopologyOrganisation,
  nodes: readonly Pick<ProvisionedNode, 'enrolmentId' | 'certificatePem'>[],
): LedgerRegistration | undefined {
  const configuration = ledgerConfiguration(topology, organisation);
  if (configuration === undefined) return undefined;
  const members = ledgerMembers(topology, organisation).map(({ node }) =>
    nodes.find(({ enrolmentId }) => enrolmentId === node),
  );
  const found = members.filter((member) => member !== undefined);
  if (found.length < members.length) return undefined;
  const { profile, ...rest } = configuration;
  return {
    configuration: { ...rest, colluding: profile.center === 'lying' ? profile.colluding : null },
    certificates: found.map(({ certificatePem }) => new X509Certificate(certificatePem).raw.toString('base64url')),
    inclusionBlocks,
  };
}
