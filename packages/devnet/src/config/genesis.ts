import { createHash, randomBytes } from 'node:crypto';
import { common, orderer, peer, type msp } from '@hyperledger/fabric-protos';
import { dataHash } from '../block/hashes.ts';
import { createTimestamp } from '../block/timestamp.ts';
import { buildCapabilities, buildConfigGroup, type PolicyRules } from './config-group.ts';
import {
  buildBftBlockValidation,
  buildConsensusType,
  buildOrderers,
  type Consensus,
  type Endpoint,
} from './consensus.ts';
import { formatDuration } from './duration.ts';

export interface ApplicationOrganisation {
  readonly mspId: string;
  readonly mspConfig: msp.MSPConfig;
  readonly anchorPeers?: readonly Endpoint[];
  /** Replaces the default Readers, Writers, Admins and Endorsement rules by name. */
  readonly policies?: PolicyRules;
}

export interface OrdererOrganisation {
  readonly mspId: string;
  readonly mspConfig: msp.MSPConfig;
  readonly endpoints: readonly Endpoint[];
  readonly policies?: PolicyRules;
}

/** Limits of a block, as in configtx.yaml. */
export interface BatchSize {
  readonly maxMessageCount: number;
  /** A larger message is refused. */
  readonly absoluteMaxBytes: number;
  /** A larger message gets a block of its own. */
  readonly preferredMaxBytes: number;
}

export interface GenesisParams {
  readonly channelId: string;
  readonly applicationOrganisations: readonly ApplicationOrganisation[];
  readonly ordererOrganisations: readonly OrdererOrganisation[];
  readonly consensus: Consensus;
  readonly batchSize: BatchSize;
  readonly batchTimeoutMs: number;
  /** Replaces application-level rules by name, for example Endorsement. */
  readonly applicationPolicies?: PolicyRules;
  readonly timestampMs: number;
}

const UNLIMITED_WIDTH = 0xffffffff;

const implicitMeta = (rule: string) => ({ type: 'ImplicitMeta', rule }) as const;
const signature = (rule: string) => ({ type: 'Signature', rule }) as const;

const GROUP_POLICIES: PolicyRules = {
  Readers: implicitMeta('ANY Readers'),
  Writers: implicitMeta('ANY Writers'),
  Admins: implicitMeta('MAJORITY Admins'),
};

/**
 * The genesis block of an application channel without a system channel, the same tree that `configtxgen -outputBlock` makes
 * for `osnadmin channel join` (internal/configtxgen/encoder/encoder.go).
 */
export function buildGenesisBlock(params: GenesisParams): common.Block {
  const config = new common.Config();
  config.setChannelGroup(buildChannelGroup(params));
  const configEnvelope = new common.ConfigEnvelope();
  configEnvelope.setConfig(config);
  const envelope = buildConfigTransaction(params, configEnvelope);
  return buildBlockZero(envelope);
}

function buildChannelGroup(params: GenesisParams): common.ConfigGroup {
  const hashing = new common.HashingAlgorithm();
  hashing.setName('SHA256');
  const structure = new common.BlockDataHashingStructure();
  structure.setWidth(UNLIMITED_WIDTH);
  return buildConfigGroup({
    policies: GROUP_POLICIES,
    values: {
      HashingAlgorithm: hashing,
      BlockDataHashingStructure: structure,
      // BFT needs orderers by organisation and other block signatures, which peers before Fabric 3 do not know.
      Capabilities: buildCapabilities(params.consensus.type === 'bft' ? 'V3_0' : 'V2_0'),
    },
    groups: { Orderer: buildOrdererGroup(params), Application: buildApplicationGroup(params) },
  });
}

function buildOrdererGroup(params: GenesisParams): common.ConfigGroup {
  const size = new orderer.BatchSize();
  size.setMaxMessageCount(params.batchSize.maxMessageCount);
  size.setAbsoluteMaxBytes(params.batchSize.absoluteMaxBytes);
  size.setPreferredMaxBytes(params.batchSize.preferredMaxBytes);
  const timeout = new orderer.BatchTimeout();
  timeout.setTimeout(formatDuration(params.batchTimeoutMs));
  const { consensus } = params;
  const isBft = consensus.type === 'bft';
  return buildConfigGroup({
    policies: {
      ...GROUP_POLICIES,
      BlockValidation: isBft ? buildBftBlockValidation(consensus.consenters) : implicitMeta('ANY Writers'),
    },
    values: {
      BatchSize: size,
      BatchTimeout: timeout,
      ChannelRestrictions: new orderer.ChannelRestrictions(),
      ConsensusType: buildConsensusType(consensus),
      ...(isBft ? { Orderers: buildOrderers(consensus.consenters) } : {}),
      Capabilities: buildCapabilities('V2_0'),
    },
    groups: Object.fromEntries(params.ordererOrganisations.map((org) => [org.mspId, buildOrdererOrgGroup(org)])),
  });
}

function buildOrdererOrgGroup(org: OrdererOrganisation): common.ConfigGroup {
  const endpoints = new common.OrdererAddresses();
  endpoints.setAddressesList(org.endpoints.map(({ host, port }) => `${host}:${port}`));
  return buildConfigGroup({
    policies: {
      Readers: signature(`OR('${org.mspId}.member')`),
      Writers: signature(`OR('${org.mspId}.member')`),
      Admins: signature(`OR('${org.mspId}.admin')`),
      ...org.policies,
    },
    values: { MSP: org.mspConfig, Endpoints: endpoints },
  });
}

function buildApplicationGroup(params: GenesisParams): common.ConfigGroup {
  return buildConfigGroup({
    policies: {
      ...GROUP_POLICIES,
      Endorsement: implicitMeta('MAJORITY Endorsement'),
      LifecycleEndorsement: implicitMeta('MAJORITY Endorsement'),
      ...params.applicationPolicies,
    },
    values: { Capabilities: buildCapabilities('V2_5') },
    groups: Object.fromEntries(
      params.applicationOrganisations.map((org) => [org.mspId, buildApplicationOrgGroup(org)]),
    ),
  });
}

/** Also what a new organisation brings along when it joins a running channel. */
export function buildApplicationOrgGroup(org: ApplicationOrganisation): common.ConfigGroup {
  const anchorPeers = new peer.AnchorPeers();
  anchorPeers.setAnchorPeersList(
    (org.anchorPeers ?? []).map(({ host, port }) => {
      const message = new peer.AnchorPeer();
      message.setHost(host);
      message.setPort(port);
      return message;
    }),
  );
  return buildConfigGroup({
    policies: {
      Readers: signature(`OR('${org.mspId}.admin', '${org.mspId}.peer', '${org.mspId}.client')`),
      Writers: signature(`OR('${org.mspId}.admin', '${org.mspId}.client')`),
      Admins: signature(`OR('${org.mspId}.admin')`),
      Endorsement: signature(`OR('${org.mspId}.peer')`),
      ...org.policies,
    },
    values: { MSP: org.mspConfig, ...(org.anchorPeers?.length ? { AnchorPeers: anchorPeers } : {}) },
  });
}

function buildConfigTransaction(
  params: Pick<GenesisParams, 'channelId' | 'timestampMs'>,
  configEnvelope: common.ConfigEnvelope,
): common.Envelope {
  const nonce = randomBytes(24);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.CONFIG);
  channelHeader.setVersion(1);
  channelHeader.setChannelId(params.channelId);
  channelHeader.setTimestamp(createTimestamp(params.timestampMs));
  channelHeader.setTxId(createHash('sha256').update(nonce).digest('hex'));
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(configEnvelope.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

function buildBlockZero(envelope: common.Envelope): common.Block {
  const envelopeBytes = envelope.serializeBinary();
  const data = new common.BlockData();
  data.setDataList([envelopeBytes]);
  const header = new common.BlockHeader();
  header.setDataHash(dataHash([envelopeBytes]));
  const lastConfig = new common.LastConfig();
  const signatures = new common.OrdererBlockMetadata();
  signatures.setLastConfig(lastConfig);
  const metadata = new common.BlockMetadata();
  metadata.setMetadataList([
    metadataSlot(signatures.serializeBinary()),
    metadataSlot(lastConfig.serializeBinary()),
    new Uint8Array(),
    new Uint8Array(),
    new Uint8Array(),
  ]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(data);
  block.setMetadata(metadata);
  return block;
}

function metadataSlot(value: Uint8Array): Uint8Array {
  const slot = new common.Metadata();
  slot.setValue(value);
  return slot.serializeBinary();
}
