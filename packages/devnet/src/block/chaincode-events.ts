import { common, peer } from '@hyperledger/fabric-protos';

const TRANSACTIONS_FILTER = 2;

/** The peers of a devnet share the data of a block: it is read once. */
const known = new WeakMap<common.BlockData, readonly (readonly peer.ChaincodeEvent[])[]>();

/** Chaincode events of the valid transactions of a block, in order. */
export function chaincodeEventsOf(block: common.Block): peer.ChaincodeEvent[] {
  const data = block.getData();
  if (data === undefined) return [];
  let events = known.get(data);
  if (events === undefined) {
    events = data.getDataList_asU8().map(readableEvents);
    known.set(data, events);
  }
  const flags = block.getMetadata()?.getMetadataList_asU8()[TRANSACTIONS_FILTER] ?? new Uint8Array();
  return events.flatMap((ofTransaction, index) => (flags[index] === peer.TxValidationCode.VALID ? ofTransaction : []));
}

/** What cannot be read has no events: such a transaction is not valid. */
function readableEvents(envelopeBytes: Uint8Array): peer.ChaincodeEvent[] {
  try {
    return eventsOfEnvelope(envelopeBytes);
  } catch {
    return [];
  }
}

function eventsOfEnvelope(envelopeBytes: Uint8Array): peer.ChaincodeEvent[] {
  const envelope = common.Envelope.deserializeBinary(envelopeBytes);
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const channelHeader = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
  );
  if (channelHeader.getType() !== common.HeaderType.ENDORSER_TRANSACTION) return [];
  return chaincodeActionsOf(payload.getData_asU8()).flatMap((action) => {
    const bytes = action.getEvents_asU8();
    return bytes.length === 0 ? [] : [peer.ChaincodeEvent.deserializeBinary(bytes)];
  });
}

/** The chaincode actions of `protos.Transaction` bytes. */
export function chaincodeActionsOf(transactionBytes: Uint8Array): peer.ChaincodeAction[] {
  return peer.Transaction.deserializeBinary(transactionBytes)
    .getActionsList()
    .flatMap((transactionAction) => {
      const payload = peer.ChaincodeActionPayload.deserializeBinary(transactionAction.getPayload_asU8());
      const bytes = payload.getAction()?.getProposalResponsePayload_asU8();
      if (bytes === undefined) return [];
      const response = peer.ProposalResponsePayload.deserializeBinary(bytes);
      return [peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8())];
    });
}
