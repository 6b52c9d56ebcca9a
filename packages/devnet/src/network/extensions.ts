import { DevnetError } from '../errors.ts';
import { checkAddresses, chaincodesOf } from './chaincode-addresses.ts';
import { definitionOf } from './definitions.ts';
import { openMembership } from './membership.ts';
import type { AddedOrganisationOptions, ChaincodeOptions } from './options.ts';
import { assignPorts } from './ports.ts';
import type { NetworkSetup } from './running-network.ts';
import { extendTopology, topologyOrganisationOf } from './topology.ts';

/**
 * A setup with one organisation more: its certificates are made and the folder knows it when this resolves. The same setup
 * when it has the organisation. Throws DevnetError OPTIONS_INVALID, TOPOLOGY_CHANGED (another one of this MSP id).
 */
export async function withOrganisation(setup: NetworkSetup, options: AddedOrganisationOptions): Promise<NetworkSetup> {
  const { topology: stored, memberships, folder } = setup;
  const { chaincodes = {} } = options;
  const asked = { ...topologyOrganisationOf(options), ...(options.chaincodes === undefined ? {} : { chaincodes }) };
  const others = stored.organisations.filter(({ mspId }) => mspId !== asked.mspId);
  const index = stored.organisations.findIndex(({ mspId }) => mspId === asked.mspId);
  const wanted = { ...stored, organisations: index < 0 ? [...others, asked] : stored.organisations.with(index, asked) };
  const extended = extendTopology(stored, wanted);
  if (extended === stored) return setup;
  const known = (setup.options.chaincodes ?? []).map(({ name }) => name);
  const unknown = Object.keys(chaincodes).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new DevnetError('OPTIONS_INVALID', `the network has no chaincode ${unknown}`);
  chaincodesOf(asked.mspId, setup.options.chaincodes ?? [], chaincodes);
  const topology = await assignPorts(extended);
  const added = topology.organisations.at(-1);
  if (added === undefined) throw new DevnetError('OPTIONS_INVALID', 'a network has organisations');
  const membership = await openMembership(folder, added, topology.host);
  await folder.complete(topology);
  return {
    ...setup,
    topology,
    memberships: { ...memberships, organisations: [...memberships.organisations, membership] },
  };
}

/** A setup with another definition of a chaincode, or with one more chaincode. Throws DevnetError OPTIONS_INVALID, POLICY_INVALID. */
export function withChaincode(setup: NetworkSetup, chaincode: ChaincodeOptions): NetworkSetup {
  const replaced = <T extends { readonly name: string }>(list: readonly T[], item: T): T[] => {
    const index = list.findIndex(({ name }) => name === item.name);
    return index < 0 ? [...list, item] : list.with(index, item);
  };
  const chaincodes = replaced(setup.options.chaincodes ?? [], chaincode);
  const mspIds = setup.topology.organisations.map(({ mspId }) => mspId);
  checkAddresses(chaincodes, mspIds);
  return {
    ...setup,
    options: { ...setup.options, chaincodes },
    definitions: replaced(setup.definitions, definitionOf(chaincode)),
  };
}
