import { isUtf8 } from 'node:buffer';
import { peer } from '@hyperledger/fabric-protos';

const OK = 200;
const NOT_FOUND = 404;
const ERROR = 500;
/** What stands in a text for bytes that are none. */
const REPLACEMENT = '\ufffd';

/** A call of a system chaincode that fails; `message` is Fabric's text. */
export class SystemCallFailed extends Error {
  readonly status: number;

  constructor(message: string, status: number = ERROR) {
    super(message);
    this.name = 'SystemCallFailed';
    this.status = status;
  }
}

export function notFound(message: string): SystemCallFailed {
  return new SystemCallFailed(message, NOT_FOUND);
}

/**
 * Runs a call with these arguments, and makes a response of what it returns or of the failure it throws. As on Fabric there is
 * none for a failure that repeats an argument which is no text: it could not be sent.
 */
export async function respond(input: peer.ChaincodeInput, call: () => Promise<Uint8Array>): Promise<peer.Response> {
  const response = new peer.Response();
  try {
    response.setPayload(await call());
    response.setStatus(OK);
  } catch (error) {
    if (!(error instanceof SystemCallFailed)) throw error;
    if (error.message.includes(REPLACEMENT) && !input.getArgsList_asU8().every((argument) => isUtf8(argument))) {
      throw new Error(
        'transaction returned with failure: failed to marshal response: string field contains invalid UTF-8',
        { cause: error },
      );
    }
    response.setStatus(error.status);
    response.setMessage(error.message);
  }
  return response;
}

/** Runs an access check; what it throws becomes a failure with Fabric's words around it. */
export function checked(check: () => void, describe: (reason: string) => string): void {
  try {
    check();
  } catch (error) {
    throw new SystemCallFailed(describe(error instanceof Error ? error.message : String(error)));
  }
}
