import { common } from '@hyperledger/fabric-protos';

/** `google.protobuf.Timestamp`, in the very class that the messages of fabric-protos use. */
export type Timestamp = NonNullable<ReturnType<common.ChannelHeader['getTimestamp']>>;

/** A ChannelHeader with an empty timestamp (field 3). */
const HEADER_WITH_TIMESTAMP = Uint8Array.of(0x1a, 0x00);

/**
 * Makes a timestamp. fabric-protos brings its own copy of google-protobuf, which refuses messages of any other copy, so the
 * class is taken from one of its messages instead of being imported.
 */
export function createTimestamp(timeMs: number): Timestamp {
  const timestamp = common.ChannelHeader.deserializeBinary(HEADER_WITH_TIMESTAMP).getTimestamp();
  if (timestamp === undefined) throw new TypeError('fabric-protos did not read a timestamp');
  timestamp.fromDate(new Date(timeMs));
  return timestamp;
}
