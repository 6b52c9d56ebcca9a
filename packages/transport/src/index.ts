export {
  BatchReceipt,
  BusinessId,
  CenterClient,
  CenterService,
  ExternalAnswer,
  ExternalQuery,
  Failure,
  GetPositionRequest,
  GetTransportKeyRequest,
  OutletClient,
  OutletService,
  Position,
  Record as RecordMessage,
  RecordFailure,
  RecordReceipt,
  Rejection,
  SealedBatch,
  SubmitRequest,
  SubmitResponse,
  TransportKey,
  type CenterServer,
  type OutletServer,
} from './generated/waymark.ts';
export * from './credentials.ts';
export * from './errors.ts';
export * from './in-turn.ts';
export * from './limits.ts';
export * from './server.ts';
export * from './stream/client-stream.ts';
export * from './stream/server-stream.ts';
export type { MessageWriter } from './stream/writer.ts';
export * from './unary.ts';
