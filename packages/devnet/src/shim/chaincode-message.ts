import { peer } from '@hyperledger/fabric-protos';

export type ChaincodeMessageType = peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap];

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(peer.ChaincodeMessage.Type).map(([name, value]) => [value, name]),
);

export function typeName(type: ChaincodeMessageType): string {
  return TYPE_NAMES.get(type) ?? String(type);
}

export function buildMessage(
  type: ChaincodeMessageType,
  payload?: Uint8Array,
  transaction?: { readonly txId: string; readonly channelId: string },
): peer.ChaincodeMessage {
  const message = new peer.ChaincodeMessage();
  message.setType(type);
  if (payload !== undefined) message.setPayload(payload);
  if (transaction !== undefined) {
    message.setTxid(transaction.txId);
    message.setChannelId(transaction.channelId);
  }
  return message;
}
