import { peer, type common } from '@hyperledger/fabric-protos';
import type { StateSnapshot } from '../ledger/ledger.ts';

/** The namespace that holds the channel's chaincode definitions. */
export const LIFECYCLE_NAMESPACE = '_lifecycle';
/** What a chaincode's endorsement policy is when its definition names none. */
const DEFAULT_ENDORSEMENT_POLICY = '/Channel/Application/Endorsement';

const NAMESPACES = 'namespaces';
const DATATYPE = 'ChaincodeDefinition';
const FIELDS = ['Sequence', 'EndorsementInfo', 'ValidationInfo', 'Collections'] as const;
type Field = (typeof FIELDS)[number];

/** A chaincode as the channel agreed on it (Fabric: core/chaincode/lifecycle, ChaincodeDefinition). */
export interface ChaincodeDefinition {
  readonly name: string;
  readonly version: string;
  /** 1 for the first definition of a name, then one more for each change. */
  readonly sequence: number;
  /** A `protos.ApplicationPolicy`: a signature policy, or the path of a policy of the channel configuration. */
  readonly endorsementPolicy: peer.ApplicationPolicy;
}

/** The key whose version every transaction of the chaincode reads. */
export function sequenceKey(name: string): string {
  return fieldKey(name, 'Sequence');
}

/** What is stored under the sequence's key. */
export function readSequence(value: Uint8Array): number {
  return peer.lifecycle.StateData.deserializeBinary(value).getInt64();
}

export function channelPolicyReference(path: string = DEFAULT_ENDORSEMENT_POLICY): peer.ApplicationPolicy {
  const policy = new peer.ApplicationPolicy();
  policy.setChannelConfigPolicyReference(path);
  return policy;
}

export function signaturePolicy(envelope: common.SignaturePolicyEnvelope): peer.ApplicationPolicy {
  const policy = new peer.ApplicationPolicy();
  policy.setSignaturePolicy(envelope);
  return policy;
}

/** All keys and values of a definition in `_lifecycle` (Fabric: core/chaincode/lifecycle/serializer.go). */
export function definitionState(definition: ChaincodeDefinition): ReadonlyMap<string, Uint8Array> {
  const endorsement = new peer.lifecycle.ChaincodeEndorsementInfo();
  endorsement.setVersion(definition.version);
  endorsement.setEndorsementPlugin('escc');
  const validation = new peer.lifecycle.ChaincodeValidationInfo();
  validation.setValidationPlugin('vscc');
  validation.setValidationParameter(definition.endorsementPolicy.serializeBinary());
  const sequence = new peer.lifecycle.StateData();
  sequence.setInt64(definition.sequence);
  const metadata = new peer.lifecycle.StateMetadata();
  metadata.setDatatype(DATATYPE);
  metadata.setFieldsList([...FIELDS]);
  return new Map([
    [fieldKey(definition.name, 'Collections'), bytesField(new Uint8Array())],
    [fieldKey(definition.name, 'EndorsementInfo'), bytesField(endorsement.serializeBinary())],
    [fieldKey(definition.name, 'Sequence'), sequence.serializeBinary()],
    [fieldKey(definition.name, 'ValidationInfo'), bytesField(validation.serializeBinary())],
    [metadataKey(definition.name), metadata.serializeBinary()],
  ]);
}

/** The definition in force at the snapshot, or undefined when the channel has none of that name. */
export async function readDefinition(
  snapshot: Pick<StateSnapshot, 'get'>,
  name: string,
): Promise<ChaincodeDefinition | undefined> {
  const stored = await snapshot.get(LIFECYCLE_NAMESPACE, sequenceKey(name));
  if (stored === undefined) return undefined;
  const sequence = readSequence(stored.value);
  const endorsement = peer.lifecycle.ChaincodeEndorsementInfo.deserializeBinary(
    await readBytes(snapshot, name, 'EndorsementInfo'),
  );
  const validation = peer.lifecycle.ChaincodeValidationInfo.deserializeBinary(
    await readBytes(snapshot, name, 'ValidationInfo'),
  );
  // Always empty, and read all the same: who has to agree on what was read reads it as well.
  await readBytes(snapshot, name, 'Collections');
  return {
    name,
    version: endorsement.getVersion(),
    sequence,
    endorsementPolicy: peer.ApplicationPolicy.deserializeBinary(validation.getValidationParameter_asU8()),
  };
}

function fieldKey(name: string, field: Field): string {
  return `${NAMESPACES}/fields/${name}/${field}`;
}

export function metadataKey(name: string): string {
  return `${NAMESPACES}/metadata/${name}`;
}

/** All names that a range of metadata keys may hold: `namespaces/metadata/` and what begins with it. */
export const METADATA_RANGE = { start: `${NAMESPACES}/metadata/`, end: `${NAMESPACES}/metadata/\u007f` } as const;

/** The name that a metadata key belongs to. */
export function nameOfMetadataKey(key: string): string {
  return key.slice(METADATA_RANGE.start.length);
}

function bytesField(bytes: Uint8Array): Uint8Array {
  const data = new peer.lifecycle.StateData();
  data.setBytes(bytes);
  return data.serializeBinary();
}

async function readBytes(snapshot: Pick<StateSnapshot, 'get'>, name: string, field: Field): Promise<Uint8Array> {
  const stored = await snapshot.get(LIFECYCLE_NAMESPACE, fieldKey(name, field));
  return stored === undefined
    ? new Uint8Array()
    : peer.lifecycle.StateData.deserializeBinary(stored.value).getBytes_asU8();
}
