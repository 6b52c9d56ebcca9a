import { common } from '@hyperledger/fabric-protos';

/** The peers of a devnet share block objects: each is read once. */
const known = new WeakMap<common.Block, readonly string[]>();

/** Transaction ids of a block in order; empty where an envelope cannot be read. */
export function transactionIds(block: common.Block): readonly string[] {
  let ids = known.get(block);
  if (ids === undefined) {
    ids = (block.getData()?.getDataList_asU8() ?? []).map((envelope) => channelHeaderOf(envelope)?.getTxId() ?? '');
    known.set(block, ids);
  }
  return ids;
}

export function channelHeaderOf(envelopeBytes: Uint8Array): common.ChannelHeader | undefined {
  try {
    const envelope = common.Envelope.deserializeBinary(envelopeBytes);
    const header = common.Payload.deserializeBinary(envelope.getPayload_asU8()).getHeader();
    return header === undefined
      ? undefined
      : common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  } catch {
    return undefined;
  }
}
