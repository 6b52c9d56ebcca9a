/** Reads a message; what cannot be read is an error that names the message. */
export function decode<T>(name: string, type: { deserializeBinary(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error(`error unmarshalling ${name}: proto: cannot parse invalid wire-format data`, { cause });
  }
}
