/**
 * What can go wrong inside devnet itself, as opposed to what a Fabric peer or orderer would tell a client (that travels as a
 * gRPC status or a `TxValidationCode`). The codes are stable; the messages are for people.
 */
export type DevnetErrorCode =
  /** A stored file was altered or lost: the ledger refuses to open or to answer from it. */
  | 'LEDGER_CORRUPT'
  /** Another process holds the folder. */
  | 'LEDGER_LOCKED'
  /** The object was closed, or a previous failure stopped it. */
  | 'LEDGER_CLOSED'
  /** A block does not follow from the one before it, or was not signed as the channel demands. */
  | 'BLOCK_REJECTED'
  /** Channel configuration that Fabric would refuse. */
  | 'CONFIG_INVALID'
  /** A policy that cannot be read. */
  | 'POLICY_INVALID'
  /** Certificates, keys or MSP definitions that Fabric would refuse. */
  | 'MSP_INVALID'
  /** A known Fabric feature that devnet does not have. */
  | 'UNSUPPORTED'
  /** Options that make no network. */
  | 'OPTIONS_INVALID'
  /** The data folder was made for other options. */
  | 'TOPOLOGY_CHANGED'
  /** Another process uses the data folder. */
  | 'DATA_LOCKED'
  /** The data folder is not a devnet's, or is damaged. */
  | 'DATA_INVALID'
  /** A port that the network needs is taken. */
  | 'ADDRESS_IN_USE'
  /** The channel did not accept a chaincode definition. */
  | 'DEFINITION_REFUSED';

/** An error of devnet with a stable code. `details` never holds payloads or keys. */
export class DevnetError extends Error {
  readonly code: DevnetErrorCode;
  readonly details: Readonly<Record<string, string | number | bigint>>;

  constructor(
    code: DevnetErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, string | number | bigint>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DevnetError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** What an error says, whatever was thrown. Errors of other realms (worker contexts) are not instances of this one's Error. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
    ? error.message
    : String(error);
}

/** The code of what LevelDB said, which the library puts into the cause. */
export function levelCodeOf(error: unknown): unknown {
  return codeOf(typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined);
}

/** The `code` of an operating system's error, such as ENOENT. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
