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

/** Reads a request of a chaincode; throws with Fabric's text. */
export function unmarshal<T>(type: { deserializeBinary(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error('unmarshal failed: proto: cannot parse invalid wire-format data', { cause });
  }
}
