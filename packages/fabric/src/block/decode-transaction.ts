import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import type { DecodedTransaction, KeyWrite, TransactionEvent } from './decoded-block.ts';
import { isValidCode, validationCodeName } from './validation-code.ts';

/** What is known of a transaction before its payload is read. */
type TransactionFrame = Omit<DecodedTransaction, 'chaincode' | 'writes' | 'events'>;

/** Reads one envelope of a block. Throws only for a valid transaction: an invalid one may hold anything. */
export function decodeTransaction(envelope: Uint8Array, code: number): DecodedTransaction {
  const valid = isValidCode(code);
  try {
    return readEnvelope(envelope, code, valid);
  } catch (error) {
    if (valid) throw error;
    return {
      txId: '',
      type: 'other',
      valid,
      validationCode: validationCodeName(code),
      chaincode: '',
      writes: [],
      events: [],
      creatorMsp: '',
      timestampMs: 0,
    };
  }
}

function readEnvelope(bytes: Uint8Array, code: number, valid: boolean): DecodedTransaction {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
  const header = payload.getHeader();
  if (header === undefined) throw new Error('an envelope has no header');
  const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  const type = channelHeader.getType();
  const frame: TransactionFrame = {
    txId: channelHeader.getTxId(),
    type: typeName(type),
    valid,
    validationCode: validationCodeName(code),
    creatorMsp: creatorMspOf(header),
    timestampMs: timestampMsOf(channelHeader),
  };
  if (frame.type !== 'endorser') return { ...frame, chaincode: '', writes: [], events: [] };
  const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
  const actions = transaction.getActionsList().map(readAction);
  return {
    ...frame,
    chaincode: actions[0]?.chaincode ?? '',
    writes: valid ? actions.flatMap(({ writes }) => writes) : [],
    events: valid ? actions.flatMap(({ events }) => events) : [],
  };
}

function readAction(action: peer.TransactionAction): {
  readonly chaincode: string;
  readonly writes: readonly KeyWrite[];
  readonly events: readonly TransactionEvent[];
} {
  const payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
  const responsePayload = payload.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array();
  const extension = peer.ProposalResponsePayload.deserializeBinary(responsePayload).getExtension_asU8();
  const chaincodeAction = peer.ChaincodeAction.deserializeBinary(extension);
  return {
    chaincode: chaincodeAction.getChaincodeId()?.getName() ?? '',
    writes: readWrites(chaincodeAction.getResults_asU8()),
    events: readEvents(chaincodeAction.getEvents_asU8()),
  };
}

function readWrites(results: Uint8Array): KeyWrite[] {
  return ledger.rwset.TxReadWriteSet.deserializeBinary(results)
    .getNsRwsetList()
    .flatMap((namespaceSet) => {
      const namespace = namespaceSet.getNamespace();
      return ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespaceSet.getRwset_asU8())
        .getWritesList()
        .map((write) => ({
          namespace,
          key: write.getKey(),
          value: write.getValue_asU8(),
          isDelete: write.getIsDelete(),
        }));
    });
}

function readEvents(bytes: Uint8Array): TransactionEvent[] {
  if (bytes.length === 0) return [];
  const event = peer.ChaincodeEvent.deserializeBinary(bytes);
  return [{ chaincode: event.getChaincodeId(), name: event.getEventName(), payload: event.getPayload_asU8() }];
}

function typeName(type: number): DecodedTransaction['type'] {
  if (type === common.HeaderType.ENDORSER_TRANSACTION) return 'endorser';
  return type === common.HeaderType.CONFIG ? 'config' : 'other';
}

function creatorMspOf(header: common.Header): string {
  const creator = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()).getCreator_asU8();
  return msp.SerializedIdentity.deserializeBinary(creator).getMspid();
}

function timestampMsOf(header: common.ChannelHeader): number {
  const timestamp = header.getTimestamp();
  return timestamp === undefined ? 0 : timestamp.getSeconds() * 1_000 + Math.floor(timestamp.getNanos() / 1_000_000);
}
