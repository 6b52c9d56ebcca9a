import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '@waymark/devnet/fabric';

/** A transaction taken apart. */
interface Parts {
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
  readonly action: peer.ChaincodeAction;
  readonly responsePayload: peer.ProposalResponsePayload;
  endorsements: readonly peer.Endorsement[];
}

type Spoil = {
  readonly parts?: (parts: Parts) => void;
  /** After the response payload is complete, so that its signatures do not cover this. */
  readonly endorsements?: (endorsements: readonly peer.Endorsement[]) => readonly peer.Endorsement[];
  readonly responsePayload?: (payload: peer.ProposalResponsePayload) => void;
  readonly transaction?: (transaction: peer.Transaction) => void;
};

/**
 * What is wrong with a transaction that still passes the orderer. Left out are those on which Fabric's peer stops for good: a
 * transaction without actions, and a chaincode action that cannot be decoded.
 */
const SPOILS = {
  unknownType: {
    parts: ({ channelHeader }) => {
      setType(channelHeader, 99);
    },
  },
  epoch: {
    parts: ({ channelHeader }) => {
      channelHeader.setEpoch(1);
    },
  },
  noNonce: {
    parts: ({ signatureHeader }) => {
      signatureHeader.setNonce('');
    },
  },
  otherTxId: {
    parts: ({ channelHeader }) => {
      channelHeader.setTxId('0'.repeat(64));
    },
  },
  otherNonce: {
    parts: ({ signatureHeader }) => {
      signatureHeader.setNonce(Buffer.from('other'));
    },
  },
  twoActions: {
    transaction: (transaction) =>
      transaction.setActionsList([...transaction.getActionsList(), ...transaction.getActionsList()]),
  },
  noActionHeader: {
    transaction: (transaction) => {
      transaction.getActionsList()[0]?.setHeader('');
    },
  },
  otherProposalHash: {
    responsePayload: (payload) => {
      payload.setProposalHash(Buffer.alloc(32));
    },
  },
  brokenExtension: {
    parts: ({ channelHeader }) => {
      channelHeader.setExtension$(Buffer.of(0xff));
    },
  },
  noExtension: {
    parts: ({ channelHeader }) => {
      channelHeader.setExtension$('');
    },
  },
  noAction: {
    responsePayload: (payload) => {
      payload.setExtension$('');
    },
  },
  brokenResults: {
    parts: ({ action }) => {
      action.setResults(Buffer.of(0xff));
    },
  },
  noChaincodeId: {
    parts: ({ action }) => {
      action.setChaincodeId(undefined);
    },
  },
  otherChaincode: {
    parts: ({ action }) => {
      action.getChaincodeId()?.setName('other');
    },
  },
  noVersion: {
    parts: ({ action }) => {
      action.getChaincodeId()?.setVersion('');
    },
  },
  otherVersion: {
    parts: ({ action }) => {
      action.getChaincodeId()?.setVersion('9.9');
    },
  },
  brokenEvent: {
    parts: ({ action }) => {
      action.setEvents(Buffer.of(0xff));
    },
  },
  foreignEvent: {
    parts: ({ action }) => {
      action.setEvents(foreignEvent());
    },
  },
  oneEndorsement: { endorsements: (list) => list.slice(0, 1) },
  sameEndorsementTwice: { endorsements: ([first]) => (first === undefined ? [] : [first, first]) },
  noEndorsement: { endorsements: () => [] },
  badEndorsementSignatures: {
    endorsements: (list) =>
      list.map((endorsement) => {
        endorsement.setSignature(Buffer.from('no signature'));
        return endorsement;
      }),
  },
} satisfies Readonly<Record<string, Spoil>>;

export type SpoilName = keyof typeof SPOILS;
export const SPOIL_NAMES = Object.keys(SPOILS) as readonly SpoilName[];

/** The same transaction with one thing wrong, and every signature that is not meant to be wrong made anew. */
export function spoilTransaction(
  envelope: common.Envelope,
  name: SpoilName,
  client: SigningIdentity,
  endorsers: readonly SigningIdentity[],
): common.Envelope {
  const spoil: Spoil = SPOILS[name];
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const header = payload.getHeader() ?? new common.Header();
  const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
  const [transactionAction] = transaction.getActionsList();
  if (transactionAction === undefined) throw new Error('a transaction has an action');
  const actionPayload = peer.ChaincodeActionPayload.deserializeBinary(transactionAction.getPayload_asU8());
  const endorsed = actionPayload.getAction();
  if (endorsed === undefined) throw new Error('a transaction was endorsed');
  const responsePayload = peer.ProposalResponsePayload.deserializeBinary(endorsed.getProposalResponsePayload_asU8());
  const parts: Parts = {
    channelHeader: common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
    signatureHeader: common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
    action: peer.ChaincodeAction.deserializeBinary(responsePayload.getExtension_asU8()),
    responsePayload,
    endorsements: endorsed.getEndorsementsList(),
  };
  spoil.parts?.(parts);
  header.setChannelHeader(parts.channelHeader.serializeBinary());
  header.setSignatureHeader(parts.signatureHeader.serializeBinary());
  responsePayload.setExtension$(parts.action.serializeBinary());
  responsePayload.setProposalHash(
    createHash('sha256')
      .update(header.getChannelHeader_asU8())
      .update(header.getSignatureHeader_asU8())
      .update(actionPayload.getChaincodeProposalPayload_asU8())
      .digest(),
  );
  spoil.responsePayload?.(responsePayload);
  const responseBytes = responsePayload.serializeBinary();
  const endorsements = endorsers.map((endorser) => endorse(endorser, responseBytes));
  endorsed.setProposalResponsePayload(responseBytes);
  endorsed.setEndorsementsList([...(spoil.endorsements?.(endorsements) ?? endorsements)]);
  transactionAction.setHeader(header.getSignatureHeader_asU8());
  transactionAction.setPayload(actionPayload.serializeBinary());
  spoil.transaction?.(transaction);
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  return sign(payload, client);
}

/** Makes the envelope of a payload. */
export function sign(payload: common.Payload, client: SigningIdentity): common.Envelope {
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(client.sign(envelope.getPayload_asU8()));
  return envelope;
}

function endorse(endorser: SigningIdentity, responsePayload: Uint8Array): peer.Endorsement {
  const endorsement = new peer.Endorsement();
  endorsement.setEndorser(endorser.serialized);
  endorsement.setSignature(endorser.sign(Buffer.concat([responsePayload, endorser.serialized])));
  return endorsement;
}

function foreignEvent(): Uint8Array {
  const event = new peer.ChaincodeEvent();
  event.setChaincodeId('other');
  event.setEventName('happened');
  return event.serializeBinary();
}

function setType(header: common.ChannelHeader, type: number): void {
  header.setType(type);
}
