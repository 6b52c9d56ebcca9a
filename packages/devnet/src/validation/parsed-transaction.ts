import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import type { SignedData } from '../policy/policy.ts';
import { parseReadWriteSet, type ParsedNamespace } from './parsed-read-write-set.ts';

export type TxValidationCode = peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap];

const Code = peer.TxValidationCode;

/** What an endorser transaction proposes, once its structure was found right. */
export interface EndorsedAction {
  readonly chaincodeName: string;
  readonly namespaces: readonly ParsedNamespace[];
  readonly endorsements: readonly SignedData[];
}

/**
 * All that can be said of a transaction by looking at its bytes alone. Fabric checks in this order: header, creator's
 * signature, body, duplicate id, action; the first code that is not VALID is the transaction's.
 */
export interface ParsedTransaction {
  /** From the channel header; empty when there is none. */
  readonly txId: string;
  readonly channelId: string;
  readonly type: number;
  /** Said by the client; 0 when absent. */
  readonly timestampMs: number;
  readonly headerCode: TxValidationCode;
  /** Present when the header is right. */
  readonly creator: SignedData | undefined;
  readonly bodyCode: TxValidationCode;
  readonly actionCode: TxValidationCode;
  /** Present when all codes are VALID and it is an endorser transaction. */
  readonly action: EndorsedAction | undefined;
  /** `payload.data` of a configuration transaction. */
  readonly configBytes: Uint8Array | undefined;
}

/** Stops parsing with a code; it never leaves this module. */
class Malformed extends Error {
  readonly code: TxValidationCode;
  constructor(code: TxValidationCode) {
    super('malformed transaction');
    this.code = code;
  }
}

/** Parses `common.Envelope` bytes (core/common/validation/msgvalidation.go and plugindispatcher/dispatcher.go). Never throws. */
export function parseTransaction(envelopeBytes: Uint8Array): ParsedTransaction {
  const found = {
    txId: '',
    channelId: '',
    type: -1,
    timestampMs: 0,
    headerCode: Code.VALID as TxValidationCode,
    creator: undefined as SignedData | undefined,
    bodyCode: Code.VALID as TxValidationCode,
    actionCode: Code.VALID as TxValidationCode,
    action: undefined as EndorsedAction | undefined,
    configBytes: undefined as Uint8Array | undefined,
  };
  const stage = <T>(name: 'headerCode' | 'bodyCode' | 'actionCode', run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      found[name] = error instanceof Malformed ? error.code : Code.INVALID_OTHER_REASON;
      return undefined;
    }
  };
  const head = stage('headerCode', () => {
    const envelope = decode(Code.INVALID_OTHER_REASON, () => common.Envelope.deserializeBinary(envelopeBytes));
    const payloadBytes = envelope.getPayload_asU8();
    const payload = decode(Code.BAD_PAYLOAD, () => common.Payload.deserializeBinary(payloadBytes));
    const header = payload.getHeader() ?? fail(Code.BAD_COMMON_HEADER);
    const channelHeader = decode(Code.BAD_COMMON_HEADER, () =>
      common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
    );
    found.txId = channelHeader.getTxId();
    found.channelId = channelHeader.getChannelId();
    found.type = channelHeader.getType();
    found.timestampMs = channelHeader.getTimestamp()?.toDate().getTime() ?? 0;
    if (found.type === common.HeaderType.CONFIG) found.configBytes = payload.getData_asU8();
    const signatureHeader = decode(Code.BAD_COMMON_HEADER, () =>
      common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
    );
    checkCommonHeader(channelHeader, signatureHeader);
    found.creator = {
      data: payloadBytes,
      identity: signatureHeader.getCreator_asU8(),
      signature: envelope.getSignature_asU8(),
    };
    return { payload, header, channelHeader, signatureHeader };
  });
  if (head === undefined) return found;
  const body = stage('bodyCode', () => {
    switch (head.channelHeader.getType()) {
      case common.HeaderType.ENDORSER_TRANSACTION:
        checkTxId(head.channelHeader, head.signatureHeader);
        return parseEndorserTransaction(head.payload.getData_asU8(), head.header);
      case common.HeaderType.CONFIG:
        return undefined;
      default:
        return fail(Code.UNSUPPORTED_TX_PAYLOAD);
    }
  });
  if (body !== undefined) found.action = stage('actionCode', () => parseAction(body, head.channelHeader));
  return found;
}

function checkCommonHeader(channelHeader: common.ChannelHeader, signatureHeader: common.SignatureHeader): void {
  const { ENDORSER_TRANSACTION, CONFIG_UPDATE, CONFIG } = common.HeaderType;
  const known: readonly number[] = [ENDORSER_TRANSACTION, CONFIG_UPDATE, CONFIG];
  if (!known.includes(channelHeader.getType()) || channelHeader.getEpoch() !== 0) fail(Code.BAD_COMMON_HEADER);
  if (signatureHeader.getNonce_asU8().length === 0) fail(Code.BAD_COMMON_HEADER);
  if (signatureHeader.getCreator_asU8().length === 0) fail(Code.BAD_COMMON_HEADER);
}

function checkTxId(channelHeader: common.ChannelHeader, signatureHeader: common.SignatureHeader): void {
  const computed = createHash('sha256')
    .update(signatureHeader.getNonce_asU8())
    .update(signatureHeader.getCreator_asU8())
    .digest('hex');
  if (computed !== channelHeader.getTxId()) fail(Code.BAD_PROPOSAL_TXID);
}

interface EndorserTransactionBody {
  readonly endorsed: peer.ChaincodeEndorsedAction;
  readonly responsePayloadBytes: Uint8Array;
  readonly responsePayload: peer.ProposalResponsePayload;
}

/** One action, whose proposal hash binds it to the original proposal. */
function parseEndorserTransaction(data: Uint8Array, header: common.Header): EndorserTransactionBody {
  return decode(Code.INVALID_ENDORSER_TRANSACTION, () => {
    const actions = peer.Transaction.deserializeBinary(data).getActionsList();
    const [action] = actions;
    if (action === undefined || actions.length !== 1) return fail(Code.INVALID_ENDORSER_TRANSACTION);
    const actionHeaderBytes = action.getHeader_asU8();
    const actionHeader = common.SignatureHeader.deserializeBinary(actionHeaderBytes);
    const payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
    const endorsed = payload.getAction();
    const proposalPayload = payload.getChaincodeProposalPayload_asU8();
    if (
      endorsed === undefined ||
      actionHeader.getNonce_asU8().length === 0 ||
      actionHeader.getCreator_asU8().length === 0 ||
      header.getChannelHeader_asU8().length === 0 ||
      proposalPayload.length === 0
    ) {
      return fail(Code.INVALID_ENDORSER_TRANSACTION);
    }
    const responsePayloadBytes = endorsed.getProposalResponsePayload_asU8();
    const responsePayload = peer.ProposalResponsePayload.deserializeBinary(responsePayloadBytes);
    const proposalHash = createHash('sha256')
      .update(header.getChannelHeader_asU8())
      .update(actionHeaderBytes)
      .update(proposalPayload)
      .digest();
    if (!proposalHash.equals(responsePayload.getProposalHash_asU8())) fail(Code.INVALID_ENDORSER_TRANSACTION);
    return { endorsed, responsePayloadBytes, responsePayload };
  });
}

function parseAction(body: EndorserTransactionBody, channelHeader: common.ChannelHeader): EndorsedAction {
  const extension = decode(Code.BAD_HEADER_EXTENSION, () =>
    peer.ChaincodeHeaderExtension.deserializeBinary(channelHeader.getExtension_asU8()),
  );
  const actionBytes = body.responsePayload.getExtension_asU8();
  if (actionBytes.length === 0) fail(Code.BAD_RESPONSE_PAYLOAD);
  const action = decode(Code.BAD_RESPONSE_PAYLOAD, () => peer.ChaincodeAction.deserializeBinary(actionBytes));
  const namespaces = decode(Code.BAD_RWSET, () => parseReadWriteSet(action.getResults_asU8()));
  const requested = extension.getChaincodeId() ?? fail(Code.INVALID_OTHER_REASON);
  const executed = action.getChaincodeId() ?? fail(Code.INVALID_OTHER_REASON);
  const chaincodeName = requested.getName();
  if (chaincodeName === '' || chaincodeName !== executed.getName() || executed.getVersion() === '') {
    fail(Code.INVALID_CHAINCODE);
  }
  checkEvent(action.getEvents_asU8(), chaincodeName);
  const names = new Set(namespaces.map(({ namespace }) => namespace));
  if (names.size !== namespaces.length) fail(Code.ILLEGAL_WRITESET);
  return { chaincodeName, namespaces, endorsements: signedEndorsements(body) };
}

function checkEvent(eventBytes: Uint8Array, chaincodeName: string): void {
  if (eventBytes.length === 0) return;
  const event = decode(Code.INVALID_OTHER_REASON, () => peer.ChaincodeEvent.deserializeBinary(eventBytes));
  if (event.getChaincodeId() !== chaincodeName) fail(Code.INVALID_OTHER_REASON);
}

/** An endorser signs the response payload followed by its own identity. */
function signedEndorsements({ endorsed, responsePayloadBytes }: EndorserTransactionBody): SignedData[] {
  return endorsed.getEndorsementsList().map((endorsement) => {
    const identity = endorsement.getEndorser_asU8();
    return {
      data: Buffer.concat([responsePayloadBytes, identity]),
      identity,
      signature: endorsement.getSignature_asU8(),
    };
  });
}

/** Runs a decoder; anything it throws that is not already a verdict becomes `code`. */
function decode<T>(code: TxValidationCode, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof Malformed ? error : new Malformed(code);
  }
}

function fail(code: TxValidationCode): never {
  throw new Malformed(code);
}
