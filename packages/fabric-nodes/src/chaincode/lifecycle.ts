import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { peer } from '@hyperledger/fabric-protos';
import { channelPolicyReference, signaturePolicy, signaturePolicyFromString } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { ChaincodePlan } from '../options.ts';
import { proposeTo } from '../channel/proposal.ts';
import type { ConnectedPeer } from '../channel/connected-peer.ts';
import { buildChaincodePackage } from './package.ts';

const { lifecycle } = peer;
const LIFECYCLE = '_lifecycle';
const RETRY_TIMEOUT_MS = 60_000;
const RETRY_MS = 250;
const ALREADY_INSTALLED = 'already successfully installed';

/** An organisation that takes part: its peers with admin connections, and a gateway as its admin. */
export interface LifecycleOrganisation {
  readonly mspId: string;
  readonly peers: readonly ConnectedPeer[];
  readonly gateway: Gateway;
}

/**
 * Brings a chaincode definition onto a channel: install on every peer of the organisations that run it, approve by every
 * organisation, commit once. What was done before is left as it is, so it can be repeated after a failure half-way.
 *
 * @returns package id by MSP id
 * @throws WaymarkError `chaincode-error` with Fabric's message
 */
export async function deployChaincode(
  channel: string,
  organisations: readonly LifecycleOrganisation[],
  plan: ChaincodePlan,
): Promise<Readonly<Record<string, string>>> {
  const installed = await Promise.all(organisations.map((organisation) => install(organisation, plan)));
  const ids = Object.fromEntries(installed.flat());
  const [first] = organisations;
  if (first === undefined) throw new WaymarkError('configuration-invalid', 'a channel has organisations');
  if ((await committedSequence(first.gateway.getNetwork(channel), plan.name)) >= plan.sequence) return ids;
  for (const organisation of organisations) await approve(channel, organisation, plan, ids[organisation.mspId]);
  const mspIds = organisations.map(({ mspId }) => mspId);
  const contract = first.gateway.getNetwork(channel).getContract(LIFECYCLE);
  // Until gossip has told the gateway of the other organisations' peers, it cannot collect their endorsements.
  await patiently(() =>
    contract.submit('CommitChaincodeDefinition', {
      arguments: [commitArguments(plan).serializeBinary()],
      endorsingOrganizations: mspIds,
    }),
  );
  return ids;
}

async function install(organisation: LifecycleOrganisation, plan: ChaincodePlan): Promise<[string, string][]> {
  const address = plan.address[organisation.mspId];
  if (address === undefined) return [];
  const chaincodePackage = await buildChaincodePackage(`${plan.name}_${plan.version}`, address);
  const args = new lifecycle.InstallChaincodeArgs();
  args.setChaincodeInstallPackage(chaincodePackage.bytes);
  await Promise.all(
    organisation.peers.map(async ({ client, admin }) => {
      try {
        await proposeTo(client, admin, {
          channel: '',
          chaincode: LIFECYCLE,
          args: [Buffer.from('InstallChaincode'), args.serializeBinary()],
        });
      } catch (error) {
        if (!(error instanceof WaymarkError && error.message.includes(ALREADY_INSTALLED))) throw error;
      }
    }),
  );
  return [[organisation.mspId, chaincodePackage.id]];
}

async function approve(
  channel: string,
  { mspId, gateway }: LifecycleOrganisation,
  plan: ChaincodePlan,
  packageId: string | undefined,
): Promise<void> {
  const args = new lifecycle.ApproveChaincodeDefinitionForMyOrgArgs();
  args.setName(plan.name);
  args.setVersion(plan.version);
  args.setSequence(plan.sequence);
  args.setValidationParameter(endorsementPolicyOf(plan));
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
    if (!messagesOf(error).some((message) => message.includes('attempted to redefine uncommitted sequence')))
      throw error;
  }
}

function commitArguments(plan: ChaincodePlan): peer.lifecycle.CommitChaincodeDefinitionArgs {
  const args = new lifecycle.CommitChaincodeDefinitionArgs();
  args.setName(plan.name);
  args.setVersion(plan.version);
  args.setSequence(plan.sequence);
  args.setValidationParameter(endorsementPolicyOf(plan));
  return args;
}

function endorsementPolicyOf(plan: ChaincodePlan): Uint8Array {
  const policy =
    plan.endorsementPolicy === undefined
      ? channelPolicyReference()
      : signaturePolicy(signaturePolicyFromString(plan.endorsementPolicy));
  return policy.serializeBinary();
}

/** 0 when nothing of this name is committed. */
async function committedSequence(network: Network, name: string): Promise<number> {
  const args = new lifecycle.QueryChaincodeDefinitionsArgs();
  const result = await patiently(() =>
    network.getContract(LIFECYCLE).evaluate('QueryChaincodeDefinitions', { arguments: [args.serializeBinary()] }),
  );
  const definitions = lifecycle.QueryChaincodeDefinitionsResult.deserializeBinary(result).getChaincodeDefinitionsList();
  return definitions.find((definition) => definition.getName() === name)?.getSequence() ?? 0;
}

/** Repeats what fails because the network has only just come up; what the chaincode itself refuses is final. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + RETRY_TIMEOUT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const messages = messagesOf(error);
      const final = messages.some((message) => message.includes('chaincode response 500'));
      if (final || Date.now() > deadline) {
        throw new WaymarkError('chaincode-error', messages.join('; '), { cause: error });
      }
      await delay(RETRY_MS);
    }
  }
}

function messagesOf(error: unknown): string[] {
  const own = error instanceof Error ? [error.message] : [];
  return error instanceof GatewayError ? [...own, ...error.details.map(({ message }) => message)] : own;
}
