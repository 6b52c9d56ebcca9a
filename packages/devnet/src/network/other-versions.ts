import type { StateSnapshot, StateValue } from '../ledger/ledger.ts';

/** The state of a peer whose keys were written by other transactions than everybody else's: same values, other versions. */
export function withOtherVersions(snapshot: StateSnapshot): StateSnapshot {
  return {
    height: snapshot.height,
    get: async (namespace, key) => {
      const found = await snapshot.get(namespace, key);
      return found === undefined ? undefined : otherVersion(found);
    },
    async *range(namespace, start, end) {
      for await (const entry of snapshot.range(namespace, start, end)) yield otherVersion(entry);
    },
    history: (namespace, key) => snapshot.history(namespace, key),
    release: () => snapshot.release(),
  };
}

function otherVersion<Value extends StateValue>(stored: Value): Value {
  const { blockNumber, txNumber } = stored.version;
  return { ...stored, version: { blockNumber, txNumber: txNumber + 1n } };
}
