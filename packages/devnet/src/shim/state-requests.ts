import { peer } from '@hyperledger/fabric-protos';
import { unmarshal } from './chaincode-message.ts';
import type { TransactionContext } from './transaction-context.ts';

/** Answers one request of a chaincode with the payload of the RESPONSE; what it throws becomes the ERROR. */
export type StateRequestHandler = (payload: Uint8Array, context: TransactionContext) => Promise<Uint8Array | undefined>;

export const handleGetState: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.GetState, payload);
  refuseCollection(request.getCollection());
  const stored = await context.transaction.simulator.getState(context.namespace, request.getKey());
  return stored?.value;
};

export const handlePutState: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.PutState, payload);
  refuseCollection(request.getCollection());
  await context.transaction.simulator.putState(context.namespace, request.getKey(), request.getValue_asU8());
  return undefined;
};

export const handleDelState: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.DelState, payload);
  refuseCollection(request.getCollection());
  await context.transaction.simulator.deleteState(context.namespace, request.getKey());
  return undefined;
};

export const handleGetStateMetadata: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.GetStateMetadata, payload);
  refuseCollection(request.getCollection());
  const stored = await context.transaction.simulator.getState(context.namespace, request.getKey());
  const result = new peer.StateMetadataResult();
  result.setEntriesList(
    [...(stored?.metadata ?? [])].map(([metakey, value]) => {
      const entry = new peer.StateMetadata();
      entry.setMetakey(metakey);
      entry.setValue(value);
      return entry;
    }),
  );
  return result.serializeBinary();
};

export const handlePutStateMetadata: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.PutStateMetadata, payload);
  refuseCollection(request.getCollection());
  const metadata = request.getMetadata();
  const entries = new Map([[metadata?.getMetakey() ?? '', metadata?.getValue_asU8() ?? new Uint8Array()]]);
  await context.transaction.simulator.putMetadata(context.namespace, request.getKey(), entries);
  return undefined;
};

/** A request that belongs to a feature devnet does not have. */
export function unsupportedRequest(feature: string): StateRequestHandler {
  return () => {
    throw new Error(`UNIMPLEMENTED: ${feature} is not supported by devnet`);
  };
}

export function refuseCollection(collection: string): void {
  if (collection !== '') throw new Error('UNIMPLEMENTED: private data collections are not supported by devnet');
}
