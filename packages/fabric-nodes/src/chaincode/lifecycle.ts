import type { Gateway } from '@hyperledger/fabric-gateway';
import { peer } from '@hyperledger/fabric-protos';
import { WaymarkError } from '@waymark/protocol';
import type { ConnectedPeer } from '../channel/connected-peer.ts';
import { proposeTo } from '../channel/proposal.ts';
import type { ChaincodePlan, OnInstalled } from '../options.ts';
import {
  approvalOf,
  committedDefinitions,
  definitionOf,
  isToBeCommitted,
  LIFECYCLE,
  type ChaincodeDefinition,
} from './definition.ts';
import { buildChaincodePackage } from './package.ts';
import { messagesOf, patiently } from './patience.ts';

const { lifecycle } = peer;
const ALREADY_INSTALLED = 'already successfully installed';
/** An approval whose answer was lost; one with other content says so. */
const APPROVED_BEFORE = /attempted to redefine (?!.*with different parameters)/;

/** An organisation that takes part: its peers with admin connections, and a gateway as its admin. */
export interface LifecycleOrganisation {
  readonly mspId: string;
  /** The first one is asked what the channel knows. */
  readonly peers: readonly [ConnectedPeer, ...ConnectedPeer[]];
  readonly gateway: Gateway;
}

/**
 * Brings a chaincode definition onto a channel: install on every peer of the organisations that run it, approve by every
 * organisation, commit once. What was done before is left as it is, so it can be repeated after a failure half-way. A definition with
 * the sequence after the committed one is an upgrade.
 *
 * @returns package id by MSP id
 * @throws WaymarkError `conflict` when the channel has another definition of that sequence or a later one, `chaincode-error` with
 *   Fabric's message
 */
export async function deployChaincode(
  channel: string,
  organisations: readonly LifecycleOrganisation[],
  plan: ChaincodePlan,
  onInstalled: OnInstalled = () => Promise.resolve(),
): Promise<Readonly<Record<string, string>>> {
  const [first] = organisations;
  if (first === undefined) throw new WaymarkError('configuration-invalid', 'a channel has organisations');
  const definition = definitionOf(plan);
  const committed = async () =>
    (await committedDefinitions(first.peers[0], channel)).find(({ name }) => name === plan.name);
  const toBeCommitted = isToBeCommitted(definition, await committed());
  const ids: Record<string, string> = {};
  await Promise.all(
    organisations.map(async (organisation) => {
      const address = plan.address[organisation.mspId];
      if (address !== undefined) ids[organisation.mspId] = await install(organisation, definition, address);
    }),
  );
  await onInstalled(ids);
  for (const organisation of organisations) {
    const packageId = ids[organisation.mspId];
    if (toBeCommitted || packageId !== undefined) await approve(channel, organisation, definition, packageId);
  }
  if (!toBeCommitted) return ids;
  try {
    await commit(channel, first, definition, organisations);
  } catch (error) {
    // The answer of an earlier attempt may have been lost.
    if (isToBeCommitted(definition, await committed())) throw error;
  }
  return ids;
}

/**
 * Installs a package of a definition on all peers of an organisation.
 *
 * @param address `host:port` of the organisation's chaincode server, as its peers see it
 * @returns the package id
 */
export async function install(
  { peers }: LifecycleOrganisation,
  { name, version }: Pick<ChaincodeDefinition, 'name' | 'version'>,
  address: string,
): Promise<string> {
  const chaincodePackage = await buildChaincodePackage(`${name}_${version}`, address);
  const args = new lifecycle.InstallChaincodeArgs();
  args.setChaincodeInstallPackage(chaincodePackage.bytes);
  await Promise.all(
    peers.map(async ({ client, admin }) => {
      try {
        await patiently(() =>
          proposeTo(client, admin, {
            channel: '',
            chaincode: LIFECYCLE,
            args: [Buffer.from('InstallChaincode'), args.serializeBinary()],
          }),
        );
      } catch (error) {
        if (!messagesOf(error).some((message) => message.includes(ALREADY_INSTALLED))) throw error;
      }
    }),
  );
  return chaincodePackage.id;
}

/**
 * Approves a definition for an organisation, with its package or with none, unless it has done so. For a definition that is
 * committed already this tells the organisation's peers which package to run.
 */
export async function approve(
  channel: string,
  { mspId, gateway, peers }: LifecycleOrganisation,
  definition: ChaincodeDefinition,
  packageId: string | undefined,
): Promise<void> {
  const before = await approvalOf(peers[0], channel, definition);
  if (
    before?.packageId === packageId &&
    before?.version === definition.version &&
    Buffer.compare(before.endorsementPolicy, definition.endorsementPolicy) === 0
  ) {
    return;
  }
  const args = new lifecycle.ApproveChaincodeDefinitionForMyOrgArgs();
  fill(args, definition);
  const source = new lifecycle.ChaincodeSource();
  if (packageId === undefined) source.setUnavailable(new lifecycle.ChaincodeSource.Unavailable());
  else {
    const local = new lifecycle.ChaincodeSource.Local();
    local.setPackageId(packageId);
    source.setLocalPackage(local);
  }
  args.setSource(source);
  const contract = gateway.getNetwork(channel).getContract(LIFECYCLE);
  try {
    await patiently(() =>
      contract.submit('ApproveChaincodeDefinitionForMyOrg', {
        arguments: [args.serializeBinary()],
        endorsingOrganizations: [mspId],
      }),
    );
  } catch (error) {
    if (!messagesOf(error).some((message) => APPROVED_BEFORE.test(message))) throw error;
  }
}

async function commit(
  channel: string,
  { gateway }: LifecycleOrganisation,
  definition: ChaincodeDefinition,
  organisations: readonly LifecycleOrganisation[],
): Promise<void> {
  const args = new lifecycle.CommitChaincodeDefinitionArgs();
  fill(args, definition);
  // Until gossip has told the gateway of the other organisations' peers, it cannot collect their endorsements.
  await patiently(() =>
    gateway
      .getNetwork(channel)
      .getContract(LIFECYCLE)
      .submit('CommitChaincodeDefinition', {
        arguments: [args.serializeBinary()],
        endorsingOrganizations: organisations.map(({ mspId }) => mspId),
      }),
  );
}

function fill(
  args: peer.lifecycle.ApproveChaincodeDefinitionForMyOrgArgs | peer.lifecycle.CommitChaincodeDefinitionArgs,
  definition: ChaincodeDefinition,
): void {
  args.setName(definition.name);
  args.setVersion(definition.version);
  args.setSequence(definition.sequence);
  args.setEndorsementPlugin(definition.endorsementPlugin);
  args.setValidationPlugin(definition.validationPlugin);
  args.setValidationParameter(definition.endorsementPolicy);
  args.setCollections(definition.collections);
  args.setInitRequired(definition.initRequired);
}
