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

/** Fields of `protos.ChaincodeMessage`, with their wire types. */
const TYPE_TAG = 0x08;
const PAYLOAD_TAG = 0x1a;
const TX_ID_TAG = 0x22;
const PROPOSAL_TAG = 0x2a;
const CHANNEL_ID_TAG = 0x3a;
const LONGEST_VARINT_BYTES = 5;

/** What a peer says to a chaincode. */
export interface PeerMessage {
  readonly type: ChaincodeMessageType;
  readonly payload?: Uint8Array | undefined;
  readonly txId?: string;
  readonly channelId?: string;
  /** `protos.SignedProposal` bytes. */
  readonly proposal?: Uint8Array;
}

/** `protos.ChaincodeMessage` bytes after a head of so many bytes, which are left as zeros. */
export function encodeMessage(message: PeerMessage, headBytes: number): Buffer {
  const { type, payload, txId = '', channelId = '', proposal } = message;
  const lengths = [payload?.length ?? 0, Buffer.byteLength(txId), proposal?.length ?? 0, Buffer.byteLength(channelId)];
  const contentBytes = lengths.reduce((sum, length) => sum + 1 + LONGEST_VARINT_BYTES + length, 0);
  const buffer = Buffer.allocUnsafe(headBytes + 1 + LONGEST_VARINT_BYTES + contentBytes).fill(0, 0, headBytes);
  let at = headBytes;
  const writeVarint = (value: number): void => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) | 0x80;
    buffer[at++] = rest;
  };
  const writeBytes = (tag: number, bytes: Uint8Array | undefined, evenIfEmpty = false): void => {
    if (bytes === undefined || (bytes.length === 0 && !evenIfEmpty)) return;
    buffer[at++] = tag;
    writeVarint(bytes.length);
    buffer.set(bytes, at);
    at += bytes.length;
  };
  const writeText = (tag: number, text: string): void => {
    if (text === '') return;
    buffer[at++] = tag;
    writeVarint(Buffer.byteLength(text));
    at += buffer.write(text, at);
  };
  if (type !== 0) {
    buffer[at++] = TYPE_TAG;
    writeVarint(type);
  }
  writeBytes(PAYLOAD_TAG, payload);
  writeText(TX_ID_TAG, txId);
  writeBytes(PROPOSAL_TAG, proposal, true);
  writeText(CHANNEL_ID_TAG, channelId);
  return buffer.subarray(0, at);
}
