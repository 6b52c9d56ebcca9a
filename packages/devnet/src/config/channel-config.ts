import { createHash } from 'node:crypto';
import { common, msp, orderer, peer } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { BoundedCache } from '../msp/bounded-cache.ts';
import type { MspRegistry } from '../msp/msp.ts';
import { createMspRegistry } from '../msp/registry.ts';
import { rejectPolicy, type Policy } from '../policy/policy.ts';
import { parseDuration } from './duration.ts';
import type { Endpoint } from './consensus.ts';
import type { BatchSize } from './genesis.ts';
import { compilePolicyTree } from './policy-tree.ts';

/** An organisation as the channel configuration describes it. */
export interface ConfiguredOrganisation {
  /** Name of its configuration group. */
  readonly name: string;
  readonly mspId: string;
  readonly mspConfig: msp.FabricMSPConfig;
}

/** What a channel's configuration means: the same for every peer and orderer that has it. */
export interface ChannelConfig {
  readonly channelId: string;
  /** Number of configuration updates so far. */
  readonly sequence: number;
  readonly msps: MspRegistry;
  readonly applicationOrganisations: readonly (ConfiguredOrganisation & {
    readonly anchorPeers: readonly Endpoint[];
  })[];
  readonly ordererOrganisations: readonly (ConfiguredOrganisation & { readonly endpoints: readonly string[] })[];
  readonly batchSize: BatchSize;
  readonly batchTimeoutMs: number;
  /** Access-control overrides: resource (`peer/Propose`) → policy reference. */
  readonly acls: ReadonlyMap<string, string>;
  /** The policy at an absolute path (`/Channel/Application/Writers`); one that nobody satisfies when there is none. */
  policy(path: string): Policy;
  /** As `policy`, and undefined when there is none. */
  findPolicy(path: string): Policy | undefined;
  /** The configuration itself, as cscc and discovery hand it out. Not to be changed. */
  readonly config: common.Config;
}

/** Configurations are the same for all peers of a process, and costly to take apart. */
const knownConfigs = new BoundedCache<ChannelConfig>(8);

/** Reads the payload of a CONFIG transaction (`common.ConfigEnvelope` bytes). Throws DevnetError CONFIG_INVALID. */
export function channelConfigOf(channelId: string, configEnvelopeBytes: Uint8Array): ChannelConfig {
  const key = createHash('sha256').update(channelId).update('\u0000').update(configEnvelopeBytes).digest('base64');
  let known = knownConfigs.get(key);
  if (known === undefined) {
    const config = common.ConfigEnvelope.deserializeBinary(configEnvelopeBytes).getConfig();
    if (config === undefined) throw new DevnetError('CONFIG_INVALID', 'no config found in envelope');
    known = parseConfig(channelId, config);
    knownConfigs.set(key, known);
  }
  return known;
}

/** Reads a configuration block. Throws DevnetError CONFIG_INVALID where Fabric would refuse it. */
export function parseConfigBlock(block: common.Block): ChannelConfig {
  const [envelopeBytes] = block.getData()?.getDataList_asU8() ?? [];
  if (envelopeBytes === undefined)
    throw new DevnetError('CONFIG_INVALID', 'a configuration block holds one transaction');
  const envelope = common.Envelope.deserializeBinary(envelopeBytes);
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const channelHeader = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
  );
  if (channelHeader.getType() !== common.HeaderType.CONFIG) {
    throw new DevnetError('CONFIG_INVALID', 'the transaction is not a configuration');
  }
  return channelConfigOf(channelHeader.getChannelId(), payload.getData_asU8());
}

/** Gives a configuration its meaning. Throws DevnetError CONFIG_INVALID, MSP_INVALID or POLICY_INVALID. */
export function parseConfig(channelId: string, config: common.Config): ChannelConfig {
  const root = config.getChannelGroup();
  const application = root?.getGroupsMap().get('Application');
  const ordering = root?.getGroupsMap().get('Orderer');
  if (root === undefined || application === undefined || ordering === undefined) {
    throw new DevnetError('CONFIG_INVALID', 'a channel needs an Application and an Orderer group');
  }
  const applicationOrganisations = readOrganisations(application, (group) => ({ anchorPeers: readAnchorPeers(group) }));
  const ordererOrganisations = readOrganisations(ordering, (group) => ({ endpoints: readEndpoints(group) }));
  const policies = compilePolicyTree(root);
  return {
    channelId,
    sequence: config.getSequence(),
    msps: createMspRegistry(distinctMsps([...applicationOrganisations, ...ordererOrganisations])),
    applicationOrganisations,
    ordererOrganisations,
    ...readBatch(ordering),
    acls: readAcls(application),
    policy: (path) => policies.get(path) ?? rejectPolicy(path),
    findPolicy: (path) => policies.get(path),
    config,
  };
}

function valueOf(group: common.ConfigGroup, name: string): Uint8Array | undefined {
  return group.getValuesMap().get(name)?.getValue_asU8();
}

function readOrganisations<T>(
  parent: common.ConfigGroup,
  extra: (group: common.ConfigGroup) => T,
): (ConfiguredOrganisation & T)[] {
  const organisations: (ConfiguredOrganisation & T)[] = [];
  parent.getGroupsMap().forEach((group, name) => {
    const typed = msp.MSPConfig.deserializeBinary(valueOf(group, 'MSP') ?? new Uint8Array());
    if (typed.getType() !== 0) throw new DevnetError('UNSUPPORTED', `the MSP of org ${name} is not an X.509 MSP`);
    const mspConfig = msp.FabricMSPConfig.deserializeBinary(typed.getConfig_asU8());
    const mspId = mspConfig.getName();
    if (mspId === '') throw new DevnetError('CONFIG_INVALID', `MSP for org ${name} has empty MSP ID`);
    organisations.push({ name, mspId, mspConfig, ...extra(group) });
  });
  return organisations;
}

/** One organisation may both order and take part: its MSP must then be the same in both places. */
function distinctMsps(organisations: readonly ConfiguredOrganisation[]): msp.MSPConfig[] {
  const definitions = new Map<string, Uint8Array>();
  for (const { mspId, mspConfig } of organisations) {
    const bytes = mspConfig.serializeBinary();
    const known = definitions.get(mspId);
    if (known !== undefined && Buffer.compare(known, bytes) !== 0) {
      throw new DevnetError('CONFIG_INVALID', `Attempted to define two different versions of MSP: ${mspId}`);
    }
    definitions.set(mspId, bytes);
  }
  return [...definitions.values()].map((bytes) => {
    const config = new msp.MSPConfig();
    config.setConfig(bytes);
    return config;
  });
}

function readAnchorPeers(group: common.ConfigGroup): Endpoint[] {
  const bytes = valueOf(group, 'AnchorPeers');
  if (bytes === undefined) return [];
  return peer.AnchorPeers.deserializeBinary(bytes)
    .getAnchorPeersList()
    .map((anchor) => ({ host: anchor.getHost(), port: anchor.getPort() }));
}

function readEndpoints(group: common.ConfigGroup): string[] {
  const bytes = valueOf(group, 'Endpoints');
  return bytes === undefined ? [] : common.OrdererAddresses.deserializeBinary(bytes).getAddressesList();
}

function readAcls(application: common.ConfigGroup): Map<string, string> {
  const acls = new Map<string, string>();
  const bytes = valueOf(application, 'ACLs');
  if (bytes !== undefined) {
    peer.ACLs.deserializeBinary(bytes)
      .getAclsMap()
      .forEach((resource, name) => acls.set(name, resource.getPolicyRef()));
  }
  return acls;
}

function readBatch(ordering: common.ConfigGroup): { batchSize: BatchSize; batchTimeoutMs: number } {
  const size = orderer.BatchSize.deserializeBinary(valueOf(ordering, 'BatchSize') ?? new Uint8Array());
  const batchSize = {
    maxMessageCount: size.getMaxMessageCount(),
    absoluteMaxBytes: size.getAbsoluteMaxBytes(),
    preferredMaxBytes: size.getPreferredMaxBytes(),
  };
  if (
    Object.values(batchSize).some((limit) => limit <= 0) ||
    batchSize.preferredMaxBytes > batchSize.absoluteMaxBytes
  ) {
    throw new DevnetError('CONFIG_INVALID', 'batch sizes must be positive and the preferred not above the absolute');
  }
  const timeout = orderer.BatchTimeout.deserializeBinary(valueOf(ordering, 'BatchTimeout') ?? new Uint8Array());
  const batchTimeoutMs = parseDuration(timeout.getTimeout());
  if (batchTimeoutMs <= 0) throw new DevnetError('CONFIG_INVALID', 'the batch timeout must be positive');
  return { batchSize, batchTimeoutMs };
}
