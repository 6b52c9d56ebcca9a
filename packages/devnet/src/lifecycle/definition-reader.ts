import type { StateSnapshot } from '../ledger/ledger.ts';
import { LIFECYCLE_NAMESPACE, readDefinition, sequenceKey, type ChaincodeDefinition } from './chaincode-definition.ts';

/** Reads definitions, decoding each only once per change. One per ledger. */
export type DefinitionReader = (
  snapshot: Pick<StateSnapshot, 'get'>,
  name: string,
) => Promise<ChaincodeDefinition | undefined>;

export function createDefinitionReader(): DefinitionReader {
  const known = new Map<string, { readonly version: string; readonly definition: ChaincodeDefinition }>();
  return async (snapshot, name) => {
    const stored = await snapshot.get(LIFECYCLE_NAMESPACE, sequenceKey(name));
    if (stored === undefined) return undefined;
    const version = `${stored.version.blockNumber}:${stored.version.txNumber}`;
    const cached = known.get(name);
    if (cached?.version === version) return cached.definition;
    const definition = await readDefinition(snapshot, name);
    if (definition !== undefined) known.set(name, { version, definition });
    return definition;
  };
}
