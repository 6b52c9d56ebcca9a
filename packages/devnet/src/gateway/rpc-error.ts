import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { gateway, google } from '@hyperledger/fabric-protos';
import { messageOf } from '../errors.ts';

const DETAIL_TYPE_URL = 'type.googleapis.com/gateway.ErrorDetail';
const STATUS_TRAILER = 'grpc-status-details-bin';

/** What one endpoint answered, as a gateway client sees it. */
export interface EndpointError {
  readonly address: string;
  readonly mspId: string;
  readonly message: string;
}

/** A failed call of the gateway: a gRPC status, and what the peers or orderers behind it said. */
export class RpcError extends Error {
  readonly code: status;
  readonly details: readonly EndpointError[];

  constructor(code: status, message: string, details: readonly EndpointError[] = []) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.details = details;
  }
}

/** The error in the form that grpc-js sends: details go into the trailer, as google.rpc.Status. */
export function toServiceError(error: unknown): ServiceError {
  const message = messageOf(error);
  const code = error instanceof RpcError ? error.code : status.UNKNOWN;
  const metadata = new Metadata();
  if (error instanceof RpcError && error.details.length > 0) {
    metadata.set(STATUS_TRAILER, Buffer.from(buildStatus(code, message, error.details)));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function buildStatus(code: status, message: string, details: readonly EndpointError[]): Uint8Array {
  const result = new google.rpc.Status();
  result.setCode(code);
  result.setMessage(message);
  for (const { address, mspId, message: reason } of details) {
    const detail = new gateway.ErrorDetail();
    detail.setAddress(address);
    detail.setMspId(mspId);
    detail.setMessage(reason);
    const any = result.addDetails();
    any.setTypeUrl(DETAIL_TYPE_URL);
    any.setValue(detail.serializeBinary());
  }
  return result.serializeBinary();
}
