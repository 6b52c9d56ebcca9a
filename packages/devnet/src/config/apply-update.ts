import { common } from '@hyperledger/fabric-protos';
import { decode } from '../protobuf/decode.ts';
import { messageOf } from '../errors.ts';
import { validSigners, type SignedData } from '../policy/policy.ts';
import { parseConfig, type ChannelConfig } from './channel-config.ts';
import { elementsOf, treeOf, whatIsWrongWith, type ConfigElement, type ConfigElements } from './config-elements.ts';

/**
 * What a signed CONFIG_UPDATE makes of the configuration in force (Fabric: common/configtx/validator.go, update.go and
 * orderer/common/multichannel/chainsupport.go). Throws a plain Error with Fabric's text when the update does not fit, is not
 * signed by those whom the policies of the changed elements ask for, or would make a configuration that is none.
 */
export function applyUpdate(current: ChannelConfig, envelope: common.Envelope): ChannelConfig {
  const update = within('error converting envelope to config update', () => readUpdate(envelope));
  const elements = within('error authorizing update', () => authorise(current, update));
  const root = within('could not turn configMap back to channelGroup', () => treeOf(elements));
  const config = new common.Config();
  config.setSequence(current.sequence + 1);
  config.setChannelGroup(root);
  const next = parseConfig(current.channelId, config);
  refuseOtherMspIds(current, next);
  refuseOtherConsensus(current, next);
  return next;
}

function readUpdate(envelope: common.Envelope): common.ConfigUpdateEnvelope {
  const payload = decode('Payload', common.Payload, envelope.getPayload_asU8());
  return decode('message for type CONFIG_UPDATE', common.ConfigUpdateEnvelope, payload.getData_asU8());
}

/** The elements after the update. */
function authorise(current: ChannelConfig, envelope: common.ConfigUpdateEnvelope): ConfigElements {
  const update = parse(common.ConfigUpdate, envelope.getConfigUpdate_asU8());
  if (update.getChannelId() !== current.channelId) {
    throw new Error(
      `ConfigUpdate for channel '${update.getChannelId()}' but envelope for channel '${current.channelId}'`,
    );
  }
  const existing = elementsOf(current.config.getChannelGroup());
  const readSet = within('error mapping ReadSet', () => elementsOf(update.getReadSet()));
  within('error validating ReadSet', () => verifyReadSet(readSet, existing));
  const writeSet = within('error mapping WriteSet', () => elementsOf(update.getWriteSet()));
  const delta = new Map(
    [...writeSet].filter(([name, { message }]) => readSet.get(name)?.message.getVersion() !== message.getVersion()),
  );
  const signatures = signaturesOf(envelope);
  within('error validating DeltaSet', () => verifyDelta(current, delta, existing, signatures));
  const result = new Map([...existing, ...delta]);
  const unknown = [...writeSet.keys()].find((name) => !result.has(name));
  if (unknown !== undefined) {
    throw new Error(
      `full config did not verify: writeset contained key ${unknown} which did not appear in proposed config`,
    );
  }
  return result;
}

function verifyReadSet(readSet: ConfigElements, existing: ConfigElements): void {
  for (const [name, { message }] of readSet) {
    const version = existing.get(name)?.message.getVersion();
    if (version === undefined) {
      throw new Error(`existing config does not contain element for ${name} but was in the read set`);
    }
    if (version !== message.getVersion()) {
      throw new Error(
        `proposed update requires that key ${name} be at version ${message.getVersion()}, but it is currently at version ${version}`,
      );
    }
  }
}

/** Every changed element is one version further, and its policy is satisfied by those who signed. */
function verifyDelta(
  current: ChannelConfig,
  delta: ConfigElements,
  existing: ConfigElements,
  signatures: readonly SignedData[],
): void {
  if (delta.size === 0) throw new Error('delta set was empty -- update would have no effect');
  const signers = validSigners(signatures, current.msps);
  for (const [name, { message }] of delta) {
    within(`invalid mod_policy for element ${name}`, () => checkModPolicy(message.getModPolicy()));
    const before = existing.get(name);
    const version = message.getVersion();
    if (before === undefined) {
      if (version === 0) continue;
      throw new Error(`attempted to set key ${name} to version ${version}, but key does not exist`);
    }
    const versionBefore = before.message.getVersion();
    if (version !== versionBefore + 1) {
      throw new Error(`attempt to set key ${name} to version ${version}, but key is at version ${versionBefore}`);
    }
    const policy = current.findPolicy(policyPathOf(before));
    if (policy === undefined) {
      throw new Error(`unexpected missing policy ${before.message.getModPolicy()} for item ${name}`);
    }
    if (!policy.evaluate(signers)) throw new Error(`policy for ${name} not satisfied: ${policy.whyNot(signers)}`);
  }
}

/** A relative policy is one of the group, or of the group that holds the value or policy. */
function policyPathOf(element: ConfigElement): string {
  const modPolicy = element.message.getModPolicy();
  if (modPolicy.startsWith('/')) return modPolicy;
  const path = element.kind === 'Group' ? [...element.path, element.key] : element.path;
  return `/${[...path, modPolicy].join('/')}`;
}

function checkModPolicy(modPolicy: string): void {
  if (modPolicy === '') throw new Error('mod_policy not set');
  const parts = (modPolicy.startsWith('/') ? modPolicy.slice(1) : modPolicy).split('/');
  for (const [index, part] of parts.entries()) {
    const wrong = whatIsWrongWith(part);
    if (wrong !== undefined) throw new Error(`path element at ${index} is invalid: ${wrong}`);
  }
}

/** Each signs its header and the update. */
function signaturesOf(envelope: common.ConfigUpdateEnvelope): SignedData[] {
  return envelope.getSignaturesList().map((signature) => {
    const header = signature.getSignatureHeader_asU8();
    return {
      data: Buffer.concat([header, envelope.getConfigUpdate_asU8()]),
      identity: parse(common.SignatureHeader, header).getCreator_asU8(),
      signature: signature.getSignature_asU8(),
    };
  });
}

function refuseOtherMspIds(current: ChannelConfig, next: ChannelConfig): void {
  const sections = [
    ['orderer', current.ordererOrganisations, next.ordererOrganisations],
    ['application', current.applicationOrganisations, next.applicationOrganisations],
  ] as const;
  for (const [section, before, after] of sections) {
    for (const { name, mspId } of before) {
      const changed = after.find((organisation) => organisation.name === name && organisation.mspId !== mspId);
      if (changed === undefined) continue;
      throw new Error(`${section} org ${name} attempted to change MSP ID from ${mspId} to ${changed.mspId}`);
    }
  }
}

/** There is one orderer, whoever the configuration says it is. */
function refuseOtherConsensus(current: ChannelConfig, next: ChannelConfig): void {
  const consensusOf = ({ config }: ChannelConfig) =>
    config.getChannelGroup()?.getGroupsMap().get('Orderer')?.getValuesMap().get('ConsensusType')?.getValue_asB64();
  if (consensusOf(current) !== consensusOf(next)) {
    throw new Error('UNIMPLEMENTED: changes of the consensus type and its consenters are not supported by devnet');
  }
}

function parse<T>(type: { deserializeBinary(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error('proto: cannot parse invalid wire-format data', { cause });
  }
}

function within<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${what}: ${messageOf(cause)}`, { cause });
  }
}
