import { createHash, randomBytes } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../../src/block/timestamp.ts';
import type { Version } from '../../src/ledger/index.ts';
import {
  LIFECYCLE_NAMESPACE,
  channelPolicyReference,
  definitionState,
  type ChaincodeDefinition,
} from '../../src/lifecycle/chaincode-definition.ts';
import type { SigningIdentity } from '../../src/msp/index.ts';
import { ReadWriteSetBuilder } from '../../src/simulation/index.ts';
import { CHANNEL_ID, type TestChannel } from './test-channel.ts';

export interface TransactionParts {
  readonly creator: SigningIdentity;
  readonly endorsers: readonly SigningIdentity[];
  readonly chaincode?: string;
  readonly chaincodeVersion?: string;
  readonly channelId?: string;
  /** Fills the read-write set. */
  readonly simulate?: (set: ReadWriteSetBuilder) => void;
  /** Takes the place of the set that `simulate` fills. */
  readonly results?: Uint8Array;
  readonly event?: peer.ChaincodeEvent;
  readonly nonce?: Uint8Array;
  readonly timestampMs?: number;
  /** Spoils the parts on their way, to see whether somebody notices. */
  readonly spoil?: {
    readonly channelHeader?: (header: common.ChannelHeader) => void;
    readonly signatureHeader?: (header: common.SignatureHeader) => void;
    readonly action?: (action: peer.ChaincodeAction) => void;
    readonly responsePayload?: (payload: peer.ProposalResponsePayload) => void;
    readonly endorsements?: (endorsements: peer.Endorsement[]) => peer.Endorsement[];
    readonly transaction?: (transaction: peer.Transaction) => void;
    readonly signature?: (signature: Uint8Array) => Uint8Array;
  };
}

export interface TestTransaction {
  readonly txId: string;
  readonly envelope: common.Envelope;
}

/** Builds an endorsed transaction the way a client and its endorsers do. */
export function createTransaction(parts: TransactionParts): TestTransaction {
  const chaincode = parts.chaincode ?? 'basic';
  const nonce = parts.nonce ?? randomBytes(24);
  const txId = createHash('sha256').update(nonce).update(parts.creator.serialized).digest('hex');
  const header = buildHeader(parts, chaincode, nonce, txId);
  const proposalPayload = new peer.ChaincodeProposalPayload();
  proposalPayload.setInput(Buffer.from('input'));
  const proposalPayloadBytes = proposalPayload.serializeBinary();
  const responsePayload = buildResponsePayload(parts, chaincode, header, proposalPayloadBytes);
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(responsePayload);
  const endorsements = parts.endorsers.map((endorser) => endorse(endorser, responsePayload));
  endorsed.setEndorsementsList(parts.spoil?.endorsements?.(endorsements) ?? endorsements);
  const actionPayload = new peer.ChaincodeActionPayload();
  actionPayload.setChaincodeProposalPayload(proposalPayloadBytes);
  actionPayload.setAction(endorsed);
  const action = new peer.TransactionAction();
  action.setHeader(header.getSignatureHeader_asU8());
  action.setPayload(actionPayload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([action]);
  parts.spoil?.transaction?.(transaction);
  return { txId, envelope: signEnvelope(parts, header, transaction.serializeBinary()) };
}

export function signEnvelope(
  parts: Pick<TransactionParts, 'creator' | 'spoil'>,
  header: common.Header,
  data: Uint8Array,
): common.Envelope {
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(data);
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  const signature = parts.creator.sign(envelope.getPayload_asU8());
  envelope.setSignature(parts.spoil?.signature?.(signature) ?? signature);
  return envelope;
}

export function endorse(endorser: SigningIdentity, responsePayload: Uint8Array): peer.Endorsement {
  const endorsement = new peer.Endorsement();
  endorsement.setEndorser(endorser.serialized);
  endorsement.setSignature(endorser.sign(Buffer.concat([responsePayload, endorser.serialized])));
  return endorsement;
}

function buildHeader(parts: TransactionParts, chaincode: string, nonce: Uint8Array, txId: string): common.Header {
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(chaincodeId);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setChannelId(parts.channelId ?? CHANNEL_ID);
  channelHeader.setTxId(txId);
  channelHeader.setTimestamp(createTimestamp(parts.timestampMs ?? 1_700_000_000_000));
  channelHeader.setExtension$(extension.serializeBinary());
  parts.spoil?.channelHeader?.(channelHeader);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(parts.creator.serialized);
  signatureHeader.setNonce(nonce);
  parts.spoil?.signatureHeader?.(signatureHeader);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  return header;
}

function buildResponsePayload(
  parts: TransactionParts,
  chaincode: string,
  header: common.Header,
  proposalPayload: Uint8Array,
): Uint8Array {
  const set = new ReadWriteSetBuilder();
  parts.simulate?.(set);
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(chaincode);
  chaincodeId.setVersion(parts.chaincodeVersion ?? '1.0');
  const response = new peer.Response();
  response.setStatus(200);
  const action = new peer.ChaincodeAction();
  action.setResults(parts.results ?? set.build());
  action.setResponse(response);
  action.setChaincodeId(chaincodeId);
  if (parts.event !== undefined) action.setEvents(parts.event.serializeBinary());
  parts.spoil?.action?.(action);
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(
    createHash('sha256')
      .update(header.getChannelHeader_asU8())
      .update(header.getSignatureHeader_asU8())
      .update(proposalPayload)
      .digest(),
  );
  payload.setExtension$(action.serializeBinary());
  parts.spoil?.responsePayload?.(payload);
  return payload.serializeBinary();
}

/** The transaction that commits a chaincode definition, endorsed as `_lifecycle` demands. */
export function createDefinitionTransaction(
  channel: TestChannel,
  definition: Partial<ChaincodeDefinition> = {},
  replaces?: Version,
): TestTransaction {
  const complete = {
    name: 'basic',
    version: '1.0',
    sequence: 1,
    endorsementPolicy: channelPolicyReference(),
    ...definition,
  };
  return createTransaction({
    creator: channel.org1.admin,
    endorsers: [channel.org1.peer, channel.org2.peer],
    chaincode: LIFECYCLE_NAMESPACE,
    chaincodeVersion: 'syscc',
    simulate: (set) => {
      for (const [key, value] of definitionState(complete)) {
        set.addRead(LIFECYCLE_NAMESPACE, key, replaces);
        set.addWrite(LIFECYCLE_NAMESPACE, key, value);
      }
    },
  });
}
