import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import type { Firm } from '../support/running-consortium.ts';

/** What the channel's own configuration says, as a peer gives it to a member. */
export interface ChannelConfig {
  /** By MSP id: `host:port` of its anchor peers. */
  readonly anchorPeers: ReadonlyMap<string, readonly string[]>;
  /** `etcdraft` or `BFT`. */
  readonly ordering: string;
  /** `host:port` of those that order. */
  readonly consenters: readonly string[];
}

/** A system chaincode of the firm's gateway peer, as one of the firm's members. */
export async function withSystemChaincode<T>(
  firm: Firm,
  chaincode: '_lifecycle' | 'cscc' | 'qscc',
  use: (ledger: Ledger) => Promise<T>,
  { endpoint, tlsRootPem } = firm.gateway,
): Promise<T> {
  const { certificatePem, privateKeyPem } = await firm.identity('reader');
  const identity = { mspId: firm.mspId, certificatePem, sign: privateKeySigner(privateKeyPem) };
  const ledger = connectGateway({ endpoint, tlsRootPem, identity, channel: firm.channel, chaincode });
  try {
    return await use(ledger);
  } finally {
    ledger.close();
  }
}

/** Reads the newest configuration block. */
export async function readChannelConfig(firm: Firm): Promise<ChannelConfig> {
  const bytes = await withSystemChaincode(firm, 'cscc', (ledger) =>
    ledger.evaluate('', 'GetConfigBlock', [firm.channel]),
  );
  const group = configOf(common.Block.deserializeBinary(bytes)).getChannelGroup();
  const application = group?.getGroupsMap().get('Application');
  const ordering = group?.getGroupsMap().get('Orderer');
  if (application === undefined || ordering === undefined) throw new Error('the configuration has no such groups');
  const anchorPeers = new Map<string, string[]>();
  for (const [mspId, organisation] of application.getGroupsMap().entries()) {
    const value = organisation.getValuesMap().get('AnchorPeers')?.getValue_asU8() ?? new Uint8Array();
    const anchors = peer.AnchorPeers.deserializeBinary(value).getAnchorPeersList();
    anchorPeers.set(
      mspId,
      anchors.map((anchor) => `${anchor.getHost()}:${String(anchor.getPort())}`),
    );
  }
  const valueOf = (name: string): Uint8Array => ordering.getValuesMap().get(name)?.getValue_asU8() ?? new Uint8Array();
  const type = orderer.ConsensusType.deserializeBinary(valueOf('ConsensusType'));
  const consenters =
    type.getType() === 'etcdraft'
      ? orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8()).getConsentersList()
      : common.Orderers.deserializeBinary(valueOf('Orderers')).getConsenterMappingList();
  return {
    anchorPeers,
    ordering: type.getType(),
    consenters: consenters.map((consenter) => `${consenter.getHost()}:${String(consenter.getPort())}`),
  };
}

function configOf(block: common.Block): common.Config {
  const [first] = block.getData()?.getDataList_asU8() ?? [];
  const payload = common.Payload.deserializeBinary(
    common.Envelope.deserializeBinary(first ?? new Uint8Array()).getPayload_asU8(),
  );
  const config = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig();
  if (config === undefined) throw new Error('the block holds no configuration');
  return config;
}

/** A peer's ledger. */
export interface ChainInfo {
  readonly height: number;
  /** Of its newest block, hex. */
  readonly hash: string;
}

/** What a peer of the firm says of its ledger; by default the leader. */
export async function readChainInfo(firm: Firm, place?: Firm['gateway']): Promise<ChainInfo> {
  const bytes = await withSystemChaincode(
    firm,
    'qscc',
    (ledger) => ledger.evaluate('', 'GetChainInfo', [firm.channel]),
    place,
  );
  const info = common.BlockchainInfo.deserializeBinary(bytes);
  return { height: info.getHeight(), hash: Buffer.from(info.getCurrentblockhash_asU8()).toString('hex') };
}

/** Blocks from `from` up to the newest, as the firm's leader has them. */
export async function readBlocks(firm: Firm, from: number): Promise<Uint8Array[]> {
  const { height } = await readChainInfo(firm);
  return withSystemChaincode(firm, 'qscc', (ledger) =>
    Promise.all(
      Array.from({ length: height - from }, (_, index) =>
        ledger.evaluate('', 'GetBlockByNumber', [firm.channel, String(from + index)]),
      ),
    ),
  );
}

/** The definition of a chaincode that the channel has committed. */
export async function readDefinition(firm: Firm, name: string): Promise<{ version: string; sequence: number }> {
  const args = new peer.lifecycle.QueryChaincodeDefinitionArgs();
  args.setName(name);
  const bytes = await withSystemChaincode(firm, '_lifecycle', (ledger) =>
    ledger.evaluate('', 'QueryChaincodeDefinition', [args.serializeBinary()]),
  );
  const result = peer.lifecycle.QueryChaincodeDefinitionResult.deserializeBinary(bytes);
  return { version: result.getVersion(), sequence: result.getSequence() };
}
