import { common, peer } from '@hyperledger/fabric-protos';
import { chaincodeActionsOf } from '../block/chaincode-events.ts';

const TRANSACTIONS_FILTER = 2;

interface Filtered {
  readonly flags: Uint8Array;
  readonly block: peer.FilteredBlock;
}

/** The peers of a devnet share the data of a block, and as a rule they agree on its codes. */
const known = new WeakMap<common.BlockData, Filtered>();

/**
 * Transaction ids, types, codes and event names of a block: no payload (Fabric: core/peer/deliverevents.go). Not to be changed:
 * others may get the same object.
 */
export function filteredBlockOf(block: common.Block): peer.FilteredBlock {
  const data = block.getData();
  const flags = block.getMetadata()?.getMetadataList_asU8()[TRANSACTIONS_FILTER] ?? new Uint8Array();
  const last = data === undefined ? undefined : known.get(data);
  if (last !== undefined && Buffer.compare(last.flags, flags) === 0) return last.block;
  const filtered = build(block, flags);
  if (data !== undefined) known.set(data, { flags, block: filtered });
  return filtered;
}

function build(block: common.Block, flags: Uint8Array): peer.FilteredBlock {
  const filtered = new peer.FilteredBlock();
  filtered.setNumber(block.getHeader()?.getNumber() ?? 0);
  (block.getData()?.getDataList_asU8() ?? []).forEach((envelopeBytes, index) => {
    const payload = common.Payload.deserializeBinary(
      common.Envelope.deserializeBinary(envelopeBytes).getPayload_asU8(),
    );
    const header = payload.getHeader();
    if (header === undefined) return;
    const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
    filtered.setChannelId(channelHeader.getChannelId());
    const transaction = new peer.FilteredTransaction();
    transaction.setTxid(channelHeader.getTxId());
    transaction.setType(channelHeader.getType() as common.HeaderTypeMap[keyof common.HeaderTypeMap]);
    transaction.setTxValidationCode(
      (flags[index] ?? peer.TxValidationCode.NOT_VALIDATED) as peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap],
    );
    if (channelHeader.getType() === common.HeaderType.ENDORSER_TRANSACTION) {
      transaction.setTransactionActions(buildFilteredActions(payload.getData_asU8()));
    }
    filtered.addFilteredTransactions(transaction);
  });
  return filtered;
}

function buildFilteredActions(transactionBytes: Uint8Array): peer.FilteredTransactionActions {
  const actions = new peer.FilteredTransactionActions();
  for (const action of chaincodeActionsOf(transactionBytes)) {
    const bytes = action.getEvents_asU8();
    if (bytes.length === 0) continue;
    const event = peer.ChaincodeEvent.deserializeBinary(bytes);
    if (event.getChaincodeId() === '') continue;
    event.setPayload('');
    const filtered = new peer.FilteredChaincodeAction();
    filtered.setChaincodeEvent(event);
    actions.addChaincodeActions(filtered);
  }
  return actions;
}
