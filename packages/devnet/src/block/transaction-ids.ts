import { common } from '@hyperledger/fabric-protos';

/** The peers of a devnet share the data of a block: it is read once. */
const known = new WeakMap<common.BlockData, readonly string[]>();

/** Transaction ids of a block in order; empty where an envelope cannot be read. */
export function transactionIds(block: common.Block): readonly string[] {
  const data = block.getData();
  if (data === undefined) return [];
  let ids = known.get(data);
  if (ids === undefined) {
    ids = data.getDataList_asU8().map((envelope) => channelHeaderOf(envelope)?.getTxId() ?? '');
    known.set(data, ids);
  }
  return ids;
}

function channelHeaderOf(envelopeBytes: Uint8Array): common.ChannelHeader | undefined {
  try {
    const envelope = common.Envelope.deserializeBinary(envelopeBytes);
    const header = common.Payload.deserializeBinary(envelope.getPayload_asU8()).getHeader();
    return header === undefined ? undefined : common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  } catch {
    return undefined;
  }
}
