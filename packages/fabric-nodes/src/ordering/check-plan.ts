import { WaymarkError } from '@waymark/protocol';
import type { FabricNetworkPlan, OrderingPlan } from '../options.ts';
import { toleratedFaults } from './tolerated-faults.ts';

/** BFT with fewer tolerates nobody. */
export const FEWEST_BFT_ORDERERS = 4;

/**
 * Refuses a plan that makes no network.
 *
 * @throws WaymarkError `configuration-invalid` saying what is wrong
 */
export function checkPlan(plan: FabricNetworkPlan): void {
  checkOrdering(plan.ordering);
  for (const { mspId, peers } of plan.organisations) if (peers.length === 0) refuse(`${mspId} has no peer`);
  const ordering = plan.ordering.organisations;
  refuseRepeated(
    'MSP id',
    plan.organisations.map(({ mspId }) => mspId),
  );
  refuseRepeated(
    'ordering MSP id',
    ordering.map(({ mspId }) => mspId),
  );
  for (const { mspId, domain } of ordering) {
    const other = plan.organisations.find(
      (organisation) => (organisation.mspId === mspId) !== (organisation.domain === domain),
    );
    if (other !== undefined) refuse(`${other.mspId} and ${mspId} share a domain or an MSP id, but not both`);
  }
  refuseRepeated('host name', [
    ...plan.organisations.flatMap(({ domain, peers }) => peers.map(({ name }) => `${name}.${domain}`)),
    ...ordering.flatMap(({ domain, orderers }) => orderers.map(({ name }) => `${name}.${domain}`)),
  ]);
  refuseRepeated('port', [
    ...plan.organisations.flatMap(({ peers }) =>
      peers.flatMap(({ port, chaincodePort, operationsPort }) => [port, chaincodePort, operationsPort]),
    ),
    ...ordering.flatMap(({ orderers }) =>
      orderers.flatMap(({ port, adminPort, operationsPort }) => [port, adminPort, operationsPort]),
    ),
  ]);
}

/**
 * Refuses a kind of ordering that this version of Fabric does not have.
 *
 * @throws WaymarkError `unsupported`
 */
export function checkVersion(plan: FabricNetworkPlan, fabricVersion: string): void {
  if (plan.ordering.type === 'bft' && Number.parseInt(fabricVersion, 10) < 3) {
    throw new WaymarkError('unsupported', `BFT needs Fabric 3 or later, these nodes are of ${fabricVersion}`, {
      details: { fabricVersion },
    });
  }
}

function checkOrdering({ type, organisations }: OrderingPlan): void {
  const count = organisations.reduce((sum, { orderers }) => sum + orderers.length, 0);
  const without = organisations.find(({ orderers }) => orderers.length === 0);
  if (without !== undefined) refuse(`${without.mspId} is to order and has no orderer`);
  if (count === 0) refuse('nobody orders');
  if (type === 'bft' && count < FEWEST_BFT_ORDERERS) {
    refuse(
      `BFT with ${count} orderers tolerates ${toleratedFaults(type, count)} that fail or lie: f of them need 3f + 1, so ${FEWEST_BFT_ORDERERS} are the fewest`,
      { orderers: count, fewest: FEWEST_BFT_ORDERERS },
    );
  }
}

function refuseRepeated(what: string, values: readonly (string | number)[]): void {
  const repeated = values.find((value, index) => values.indexOf(value) !== index);
  if (repeated !== undefined) refuse(`${what} ${repeated} is planned twice`);
}

function refuse(message: string, details: Readonly<Record<string, number>> = {}): never {
  throw new WaymarkError('configuration-invalid', message, { details });
}
