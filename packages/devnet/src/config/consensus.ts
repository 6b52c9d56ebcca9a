import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { serializeIdentity } from '../msp/signing-identity.ts';
import { formatDuration } from './duration.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One Raft orderer. Both certificates are PEM. */
export interface Consenter extends Endpoint {
  readonly clientTlsCertPem: string;
  readonly serverTlsCertPem: string;
}

/** One BFT orderer: whose it is, and the certificate that it signs blocks with (PEM). */
export interface BftConsenter extends Consenter {
  readonly mspId: string;
  readonly identityPem: string;
}

/** How orderers agree on blocks. Orderers are numbered from 1 in the order given. */
export type Consensus =
  | { readonly type: 'raft'; readonly consenters: readonly Consenter[] }
  | { readonly type: 'bft'; readonly consenters: readonly BftConsenter[]; readonly options?: Partial<SmartBftOptions> };

/** Settings of Fabric's BFT library; what bounds a block comes from the batch size instead. */
export interface SmartBftOptions {
  /** How long a block waits for more transactions: BFT does not look at the batch timeout. */
  readonly requestBatchMaxIntervalMs: number;
  /** After this an orderer hands a transaction on to the leader. Not above the next one. */
  readonly requestForwardTimeoutMs: number;
  /** After this it complains of the leader. */
  readonly requestComplainTimeoutMs: number;
  readonly requestAutoRemoveTimeoutMs: number;
  readonly viewChangeResendIntervalMs: number;
  readonly viewChangeTimeoutMs: number;
  /** A leader that is silent for so long is replaced. */
  readonly leaderHeartbeatTimeoutMs: number;
  readonly leaderHeartbeatCount: number;
  readonly collectTimeoutMs: number;
  /** Messages. */
  readonly incomingMessageBufferSize: number;
  /** Transactions that wait for a block. */
  readonly requestPoolSize: number;
}

/** What `configtx.yaml` of a Fabric release proposes (sampleconfig/configtx.yaml). */
export const DEFAULT_SMARTBFT_OPTIONS: SmartBftOptions = {
  requestBatchMaxIntervalMs: 200,
  requestForwardTimeoutMs: 5_000,
  requestComplainTimeoutMs: 20_000,
  requestAutoRemoveTimeoutMs: 180_000,
  viewChangeResendIntervalMs: 5_000,
  viewChangeTimeoutMs: 20_000,
  leaderHeartbeatTimeoutMs: 60_000,
  leaderHeartbeatCount: 10,
  collectTimeoutMs: 1_000,
  incomingMessageBufferSize: 200,
  requestPoolSize: 100_000,
};

const ETCDRAFT_OPTIONS = {
  tickInterval: '500ms',
  electionTick: 10,
  heartbeatTick: 1,
  maxInflightBlocks: 5,
  snapshotIntervalSizeBytes: 16 * 1024 * 1024,
};

/** Name and metadata as the channel configuration's `ConsensusType` has them. */
export function buildConsensusType(consensus: Consensus): orderer.ConsensusType {
  const message = new orderer.ConsensusType();
  message.setType(consensus.type === 'raft' ? 'etcdraft' : 'BFT');
  message.setMetadata(
    consensus.type === 'raft'
      ? buildRaftMetadata(consensus.consenters).serializeBinary()
      : buildSmartBftOptions({ ...DEFAULT_SMARTBFT_OPTIONS, ...consensus.options }).serializeBinary(),
  );
  return message;
}

/** The `Orderers` value of a BFT channel: who the orderers are and how they prove it. */
export function buildOrderers(consenters: readonly BftConsenter[]): common.Orderers {
  const orderers = new common.Orderers();
  orderers.setConsenterMappingList(
    consenters.map((consenter, index) => {
      const message = new common.Consenter();
      message.setId(index + 1);
      message.setHost(consenter.host);
      message.setPort(consenter.port);
      message.setMspId(consenter.mspId);
      message.setIdentity(Buffer.from(consenter.identityPem));
      message.setClientTlsCert(Buffer.from(consenter.clientTlsCertPem));
      message.setServerTlsCert(Buffer.from(consenter.serverTlsCertPem));
      return message;
    }),
  );
  return orderers;
}

/**
 * Whose signatures make a block of a BFT channel: ⌈(n + f + 1) / 2⌉ of the n orderers by identity, where f = ⌊(n − 1) / 3⌋
 * (common/policies, EncodeBFTBlockVerificationPolicy).
 */
export function buildBftBlockValidation(consenters: readonly BftConsenter[]): common.SignaturePolicyEnvelope {
  const faulty = Math.floor((consenters.length - 1) / 3);
  const outOf = new common.SignaturePolicy.NOutOf();
  outOf.setN(Math.ceil((consenters.length + faulty + 1) / 2));
  outOf.setRulesList(
    consenters.map((_, index) => {
      const signedBy = new common.SignaturePolicy();
      signedBy.setSignedBy(index);
      return signedBy;
    }),
  );
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(outOf);
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(rule);
  envelope.setIdentitiesList(
    consenters.map(({ mspId, identityPem }) => {
      const principal = new msp.MSPPrincipal();
      principal.setPrincipalClassification(msp.MSPPrincipal.Classification.IDENTITY);
      principal.setPrincipal(serializeIdentity(mspId, identityPem));
      return principal;
    }),
  );
  return envelope;
}

/** An orderer as the configuration of a channel names it. */
export interface ConfiguredConsenter extends Endpoint {
  /** Known for BFT only. */
  readonly mspId?: string;
}

/** How the orderers of a channel agree. */
export interface ConfiguredConsensus {
  readonly type: Consensus['type'];
  readonly consenters: readonly ConfiguredConsenter[];
}

/** Reads it from a configuration. Throws DevnetError CONFIG_INVALID, or UNSUPPORTED for another consensus type. */
export function consensusOf(config: common.Config): ConfiguredConsensus {
  const values = config.getChannelGroup()?.getGroupsMap().get('Orderer')?.getValuesMap();
  const bytes = values?.get('ConsensusType')?.getValue_asU8();
  if (bytes === undefined) throw new DevnetError('CONFIG_INVALID', 'the configuration has no ConsensusType');
  const consensus = orderer.ConsensusType.deserializeBinary(bytes);
  switch (consensus.getType()) {
    case 'etcdraft':
      return {
        type: 'raft',
        consenters: orderer.etcdraft.ConfigMetadata.deserializeBinary(consensus.getMetadata_asU8())
          .getConsentersList()
          .map((consenter) => ({ host: consenter.getHost(), port: consenter.getPort() })),
      };
    case 'BFT':
      return {
        type: 'bft',
        consenters: common.Orderers.deserializeBinary(values?.get('Orderers')?.getValue_asU8() ?? new Uint8Array())
          .getConsenterMappingList()
          .map((consenter) => ({
            host: consenter.getHost(),
            port: consenter.getPort(),
            mspId: consenter.getMspId(),
          })),
      };
    default:
      throw new DevnetError('UNSUPPORTED', `ordering of the type ${JSON.stringify(consensus.getType())} is not known`);
  }
}

function buildRaftMetadata(consenters: readonly Consenter[]): orderer.etcdraft.ConfigMetadata {
  const options = new orderer.etcdraft.Options();
  options.setTickInterval(ETCDRAFT_OPTIONS.tickInterval);
  options.setElectionTick(ETCDRAFT_OPTIONS.electionTick);
  options.setHeartbeatTick(ETCDRAFT_OPTIONS.heartbeatTick);
  options.setMaxInflightBlocks(ETCDRAFT_OPTIONS.maxInflightBlocks);
  options.setSnapshotIntervalSize(ETCDRAFT_OPTIONS.snapshotIntervalSizeBytes);
  const metadata = new orderer.etcdraft.ConfigMetadata();
  metadata.setOptions(options);
  metadata.setConsentersList(
    consenters.map((consenter) => {
      const message = new orderer.etcdraft.Consenter();
      message.setHost(consenter.host);
      message.setPort(consenter.port);
      message.setClientTlsCert(Buffer.from(consenter.clientTlsCertPem));
      message.setServerTlsCert(Buffer.from(consenter.serverTlsCertPem));
      return message;
    }),
  );
  return metadata;
}

/** Counts and sizes of a batch are left out (orderers take them from the channel's batch size), and leaders do not rotate. */
function buildSmartBftOptions(options: SmartBftOptions): orderer.smartbft.Options {
  const message = new orderer.smartbft.Options();
  message.setRequestBatchMaxInterval(formatDuration(options.requestBatchMaxIntervalMs));
  message.setRequestForwardTimeout(formatDuration(options.requestForwardTimeoutMs));
  message.setRequestComplainTimeout(formatDuration(options.requestComplainTimeoutMs));
  message.setRequestAutoRemoveTimeout(formatDuration(options.requestAutoRemoveTimeoutMs));
  message.setViewChangeResendInterval(formatDuration(options.viewChangeResendIntervalMs));
  message.setViewChangeTimeout(formatDuration(options.viewChangeTimeoutMs));
  message.setLeaderHeartbeatTimeout(formatDuration(options.leaderHeartbeatTimeoutMs));
  message.setLeaderHeartbeatCount(options.leaderHeartbeatCount);
  message.setCollectTimeout(formatDuration(options.collectTimeoutMs));
  message.setIncomingMessageBufferSize(options.incomingMessageBufferSize);
  message.setRequestPoolSize(options.requestPoolSize);
  return message;
}
