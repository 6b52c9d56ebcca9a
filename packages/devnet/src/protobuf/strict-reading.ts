import { isUtf8 } from 'node:buffer';
import { common } from '@hyperledger/fabric-protos';

/** The part of `jspb.BinaryReader` that generated code calls by its public names. */
interface Reader {
  nextField: (this: Reader) => boolean;
  getFieldNumber(): number;
  getWireType(): number;
  getCursor(): number;
  readBytes(): Uint8Array;
  readString(): string;
  readMessage(message: unknown, read: (message: unknown, reader: Reader) => void): void;
}

type ReaderClass = new (bytes: Uint8Array) => Reader;

const END_GROUP = 4;
const STRICT = Symbol.for('@waymark/devnet strict protobuf reading');
const MALFORMED = 'proto: cannot parse invalid wire-format data';
const INVALID_TEXT = 'proto: string field contains invalid UTF-8';

/** Bytes that are no message of the kind that was asked for; the words are those of Go's protobuf library. */
class MalformedProtobuf extends Error {}

/**
 * Makes the protobuf library under `@hyperledger/fabric-protos` read as strictly as Fabric's does, for the whole process.
 * As it is, it takes the length of a string or a submessage at its word: one request of a few bytes keeps it busy for minutes
 * with a string of 4 GiB that is not there, and makes it read what follows the message. It also makes lone surrogates of
 * invalid UTF-8, which grpc-js cannot send in a status. Only what Fabric refuses is refused: lengths beyond the message, field
 * number 0, the end of a group that never began, strings that are not UTF-8.
 */
export function readProtobufStrictly(): void {
  const prototype = Object.getPrototypeOf(captureReader()) as Reader & { [STRICT]?: true; constructor: ReaderClass };
  if (prototype[STRICT] === true) return;
  const { nextField } = prototype;
  Object.assign(prototype, {
    nextField(this: Reader): boolean {
      if (!nextField.call(this)) return false;
      if (this.getFieldNumber() === 0 || this.getWireType() === END_GROUP) throw new MalformedProtobuf(MALFORMED);
      return true;
    },
    // `readBytes` is the one reader of the library that checks a length.
    readString(this: Reader): string {
      const bytes = this.readBytes();
      if (!isUtf8(bytes)) throw new MalformedProtobuf(INVALID_TEXT);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    },
    readMessage(this: Reader, message: unknown, read: (message: unknown, reader: Reader) => void): void {
      read(message, new prototype.constructor(this.readBytes()));
    },
    [STRICT]: true,
  });
  sayWhatGoSays(prototype);
}

/** The library's own words for malformed input are those of an assertion, or of a stack that is used up. */
function sayWhatGoSays(prototype: object): void {
  const methods = prototype as Record<string, unknown>;
  for (const [name, method] of Object.entries(methods)) {
    if (!/^(?:read|skip|next)[A-Z]/.test(name) || typeof method !== 'function') continue;
    methods[name] = function (this: unknown, ...args: unknown[]): unknown {
      try {
        return method.apply(this, args) as unknown;
      } catch (error) {
        throw error instanceof MalformedProtobuf ? error : new MalformedProtobuf(MALFORMED, { cause: error });
      }
    };
  }
}

/** The library is a dependency of a dependency: a message in reading leads to the one that is in use. */
function captureReader(): object {
  const type = common.Envelope as unknown as {
    deserializeBinary(bytes: Uint8Array): unknown;
    deserializeBinaryFromReader: (this: unknown, message: object, reader: object) => object;
  };
  const original = type.deserializeBinaryFromReader;
  let captured: object | undefined;
  type.deserializeBinaryFromReader = (message, reader) => {
    captured = reader;
    return original.call(type, message, reader);
  };
  try {
    type.deserializeBinary(new Uint8Array());
  } finally {
    type.deserializeBinaryFromReader = original;
  }
  if (captured === undefined) throw new Error('the protobuf library has changed: no reader was seen');
  return captured;
}
