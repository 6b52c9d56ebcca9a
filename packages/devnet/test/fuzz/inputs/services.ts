/** Every method that a port of devnet serves, and how it is called. */
export interface Method {
  readonly path: string;
  readonly kind: 'unary' | 'stream';
  /** A call that is right may wait as long as its client does. */
  readonly mayWait: boolean;
}

const unary = (path: string, mayWait = false): Method => ({ path, kind: 'unary', mayWait });
const stream = (path: string, mayWait = true): Method => ({ path, kind: 'stream', mayWait });

export const PROCESS_PROPOSAL = unary('/protos.Endorser/ProcessProposal');
export const EVALUATE = unary('/gateway.Gateway/Evaluate');
export const ENDORSE = unary('/gateway.Gateway/Endorse');
export const SUBMIT = unary('/gateway.Gateway/Submit');
export const COMMIT_STATUS = unary('/gateway.Gateway/CommitStatus', true);
export const CHAINCODE_EVENTS = stream('/gateway.Gateway/ChaincodeEvents');
export const DISCOVER = unary('/discovery.Discovery/Discover');
export const DELIVER = stream('/protos.Deliver/Deliver');
export const DELIVER_FILTERED = stream('/protos.Deliver/DeliverFiltered');
export const DELIVER_PRIVATE = stream('/protos.Deliver/DeliverWithPrivateData');
export const BROADCAST = stream('/orderer.AtomicBroadcast/Broadcast', false);
export const ORDERER_DELIVER = stream('/orderer.AtomicBroadcast/Deliver');

export const PEER_METHODS: readonly Method[] = [
  PROCESS_PROPOSAL,
  EVALUATE,
  ENDORSE,
  SUBMIT,
  COMMIT_STATUS,
  CHAINCODE_EVENTS,
  DISCOVER,
  DELIVER,
  DELIVER_FILTERED,
  DELIVER_PRIVATE,
];
export const ORDERER_METHODS: readonly Method[] = [BROADCAST, ORDERER_DELIVER];
