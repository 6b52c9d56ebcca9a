import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openGenesis } from './channel/genesis.ts';
import { openMemberships } from './membership/memberships.ts';
import { withAddedOrganisations } from './network/added-organisations.ts';
import type { FabricNetwork } from './network/network.ts';
import { RunningFabric } from './network/running-fabric.ts';
import { childProcessRunner } from './nodes/child-process-runner.ts';
import type { FabricNetworkPlan } from './options.ts';
import { checkPlan, checkVersion } from './ordering/check-plan.ts';
import { findFabricPrograms } from './programs/programs.ts';

/**
 * Starts the nodes and, the first time, makes their certificates and the channel. Organisations that have joined since are there again.
 *
 * @throws WaymarkError `program-missing` when Fabric's programs are not there, `configuration-invalid` for a plan that makes no
 *   network, `unsupported` for BFT before Fabric 3, `unavailable` when a node does not start
 */
export async function startFabricNetwork(given: FabricNetworkPlan): Promise<FabricNetwork> {
  const plan = await withAddedOrganisations(given);
  checkPlan(plan);
  const runner =
    plan.runner ?? childProcessRunner(await findFabricPrograms(plan.programsDir), join(plan.dataDir, 'run'));
  checkVersion(plan, runner.fabricVersion);
  await mkdir(plan.dataDir, { recursive: true, mode: 0o700 });
  const memberships = await openMemberships(plan.dataDir, plan.organisations, plan.ordering.organisations);
  const genesis = await openGenesis(plan, memberships);
  const network = new RunningFabric(plan, runner, memberships, genesis);
  try {
    await network.start();
    return network;
  } catch (error) {
    await network.stop();
    throw error;
  }
}
