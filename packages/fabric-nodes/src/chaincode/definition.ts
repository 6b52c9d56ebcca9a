import { peer } from '@hyperledger/fabric-protos';
import { channelPolicyReference, signaturePolicy, signaturePolicyFromString } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { ConnectedPeer } from '../channel/connected-peer.ts';
import { proposeTo } from '../channel/proposal.ts';
import type { ChaincodePlan } from '../options.ts';
import { patiently } from './patience.ts';

const { lifecycle } = peer;
export const LIFECYCLE = '_lifecycle';

/** What the members of a channel agree on about a chaincode. */
export interface ChaincodeDefinition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** `peer.ApplicationPolicy` bytes. */
  readonly endorsementPolicy: Uint8Array;
  /** Fabric's own, when it is not empty. */
  readonly endorsementPlugin: string;
  readonly validationPlugin: string;
  readonly collections: peer.CollectionConfigPackage | undefined;
  readonly initRequired: boolean;
}

/** The definition that a plan asks for: Fabric's own plug-ins, no collections. */
export function definitionOf(plan: ChaincodePlan): ChaincodeDefinition {
  const policy =
    plan.endorsementPolicy === undefined
      ? channelPolicyReference()
      : signaturePolicy(signaturePolicyFromString(plan.endorsementPolicy));
  return {
    name: plan.name,
    version: plan.version,
    sequence: plan.sequence,
    endorsementPolicy: policy.serializeBinary(),
    endorsementPlugin: '',
    validationPlugin: '',
    collections: undefined,
    initRequired: false,
  };
}

/**
 * Whether a definition still has to be committed, given the one that is.
 *
 * @throws WaymarkError `conflict` when another definition has the sequence, when the channel is further, or when a sequence is skipped
 */
export function isToBeCommitted(wanted: ChaincodeDefinition, committed: ChaincodeDefinition | undefined): boolean {
  const current = committed?.sequence ?? 0;
  if (wanted.sequence === current + 1) return true;
  const refuse = (reason: string): never => {
    throw new WaymarkError('conflict', `${wanted.name}, sequence ${wanted.sequence}: ${reason}`, {
      details: { chaincode: wanted.name, sequence: wanted.sequence, committedSequence: current },
    });
  };
  if (committed === undefined || wanted.sequence > current) {
    return refuse(`the next definition on the channel has the sequence ${current + 1}`);
  }
  if (wanted.sequence < current)
    return refuse(`the channel has the sequence ${current} (version ${committed.version})`);
  if (wanted.version !== committed.version) {
    return refuse(
      `the channel has the version ${committed.version}, not ${wanted.version}: a change needs the next sequence`,
    );
  }
  if (Buffer.compare(wanted.endorsementPolicy, committed.endorsementPolicy) !== 0) {
    return refuse('the channel has another endorsement policy: a change needs the next sequence');
  }
  return false;
}

/** The definitions in force on a channel, as one peer knows them. */
export async function committedDefinitions(
  { client, admin }: ConnectedPeer,
  channel: string,
): Promise<ChaincodeDefinition[]> {
  const args = new lifecycle.QueryChaincodeDefinitionsArgs();
  const answer = await patiently(() =>
    proposeTo(client, admin, {
      channel,
      chaincode: LIFECYCLE,
      args: [Buffer.from('QueryChaincodeDefinitions'), args.serializeBinary()],
    }),
  );
  return lifecycle.QueryChaincodeDefinitionsResult.deserializeBinary(answer)
    .getChaincodeDefinitionsList()
    .map((definition) => ({
      name: definition.getName(),
      version: definition.getVersion(),
      sequence: definition.getSequence(),
      endorsementPolicy: definition.getValidationParameter_asU8(),
      endorsementPlugin: definition.getEndorsementPlugin(),
      validationPlugin: definition.getValidationPlugin(),
      collections: definition.getCollections(),
      initRequired: definition.getInitRequired(),
    }));
}

/** What an organisation has approved for a sequence: its package (undefined: none) and the definition's version and policy. */
export interface Approval {
  readonly version: string;
  readonly endorsementPolicy: Uint8Array;
  readonly packageId: string | undefined;
}

/** The organisation's approval, asked of one of its peers; undefined when there is none. */
export async function approvalOf(
  { client, admin }: ConnectedPeer,
  channel: string,
  { name, sequence }: Pick<ChaincodeDefinition, 'name' | 'sequence'>,
): Promise<Approval | undefined> {
  const args = new lifecycle.QueryApprovedChaincodeDefinitionArgs();
  args.setName(name);
  args.setSequence(sequence);
  try {
    const answer = await patiently(() =>
      proposeTo(client, admin, {
        channel,
        chaincode: LIFECYCLE,
        args: [Buffer.from('QueryApprovedChaincodeDefinition'), args.serializeBinary()],
      }),
    );
    const approved = lifecycle.QueryApprovedChaincodeDefinitionResult.deserializeBinary(answer);
    return {
      version: approved.getVersion(),
      endorsementPolicy: approved.getValidationParameter_asU8(),
      packageId: approved.getSource()?.getLocalPackage()?.getPackageId(),
    };
  } catch (error) {
    if (error instanceof WaymarkError && error.code === 'chaincode-error') return undefined;
    throw error;
  }
}
