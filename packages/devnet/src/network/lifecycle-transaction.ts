import { createHash, randomBytes } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../block/timestamp.ts';
import { buildEndorsement, buildProposalResponsePayload } from '../endorser/proposal-response.ts';
import { prepareTransaction } from '../gateway/prepare-transaction.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import {
  LIFECYCLE_NAMESPACE,
  definitionState,
  metadataKey,
  sequenceKey,
  type ChaincodeDefinition,
} from '../lifecycle/chaincode-definition.ts';
import type { SigningIdentity } from '../msp/msp.ts';
import { TxSimulator } from '../simulation/tx-simulator.ts';

const HEADER_VERSION = 1;
/** The version that Fabric gives to the chaincodes of the peer itself. */
const SYSTEM_CHAINCODE_VERSION = 'syscc';
const NONCE_BYTES = 24;

export interface LifecycleTransaction {
  readonly txId: string;
  /** Signed by the submitter, ready to be ordered. */
  readonly envelope: common.Envelope;
}

/**
 * The transaction that commits a chaincode definition, as `_lifecycle`'s CommitChaincodeDefinition makes it, endorsed by one
 * peer of every organisation. The approvals that go before it on Fabric are private data and are taken for granted.
 */
export async function buildCommitDefinition(params: {
  readonly definition: ChaincodeDefinition;
  readonly ledger: PeerLedger;
  readonly submitter: SigningIdentity;
  readonly endorsers: readonly SigningIdentity[];
  readonly nowMs: number;
}): Promise<LifecycleTransaction> {
  const { definition, ledger, submitter } = params;
  const nonce = randomBytes(NONCE_BYTES);
  const txId = createHash('sha256').update(nonce).update(submitter.serialized).digest('hex');
  const header = buildHeader(ledger.channelId, txId, nonce, submitter, params.nowMs);
  const payload = buildProposalPayload(definition);
  const responsePayload = buildProposalResponsePayload({
    proposalHash: createHash('sha256')
      .update(header.getChannelHeader_asU8())
      .update(header.getSignatureHeader_asU8())
      .update(payload.serializeBinary())
      .digest(),
    chaincodeName: LIFECYCLE_NAMESPACE,
    chaincodeVersion: SYSTEM_CHAINCODE_VERSION,
    response: buildSuccess(),
    event: undefined,
    readWriteSet: await simulate(txId, ledger, definition),
  });
  const endorsements = params.endorsers.map((endorser) => buildEndorsement(responsePayload, endorser));
  const envelope = prepareTransaction({ header, payload }, responsePayload, endorsements);
  envelope.setSignature(submitter.sign(envelope.getPayload_asU8()));
  return { txId, envelope };
}

async function simulate(txId: string, ledger: PeerLedger, definition: ChaincodeDefinition): Promise<Uint8Array> {
  const simulator = new TxSimulator(txId, await ledger.snapshot());
  try {
    await simulator.getState(LIFECYCLE_NAMESPACE, sequenceKey(definition.name));
    await simulator.getState(LIFECYCLE_NAMESPACE, metadataKey(definition.name));
    for (const [key, value] of definitionState(definition)) {
      const existing = await simulator.getState(LIFECYCLE_NAMESPACE, key);
      const unchanged = existing !== undefined && Buffer.compare(existing.value, value) === 0;
      if (!unchanged) await simulator.putState(LIFECYCLE_NAMESPACE, key, value);
    }
    return simulator.results().readWriteSet;
  } finally {
    await simulator.done();
  }
}

function buildHeader(
  channelId: string,
  txId: string,
  nonce: Uint8Array,
  submitter: SigningIdentity,
  nowMs: number,
): common.Header {
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(LIFECYCLE_NAMESPACE);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(chaincodeId);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setVersion(HEADER_VERSION);
  channelHeader.setTimestamp(createTimestamp(nowMs));
  channelHeader.setChannelId(channelId);
  channelHeader.setTxId(txId);
  channelHeader.setExtension$(extension.serializeBinary());
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(submitter.serialized);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  return header;
}

function buildProposalPayload(definition: ChaincodeDefinition): peer.ChaincodeProposalPayload {
  const arguments_ = new peer.lifecycle.CommitChaincodeDefinitionArgs();
  arguments_.setSequence(definition.sequence);
  arguments_.setName(definition.name);
  arguments_.setVersion(definition.version);
  arguments_.setEndorsementPlugin('escc');
  arguments_.setValidationPlugin('vscc');
  arguments_.setValidationParameter(definition.endorsementPolicy.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList([Buffer.from('CommitChaincodeDefinition'), arguments_.serializeBinary()]);
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(LIFECYCLE_NAMESPACE);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.GOLANG);
  spec.setChaincodeId(chaincodeId);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return payload;
}

function buildSuccess(): peer.Response {
  const response = new peer.Response();
  response.setStatus(200);
  return response;
}
