import { join } from 'node:path';
import { StateDatabase } from './state-database.ts';
import { encodeStateValue, stateKey } from './state-encoding.ts';

/** One key of the state, as no transaction wrote it. */
export interface AlteredKey {
  readonly namespace: string;
  readonly key: string;
  /** Undefined: the key is not there. */
  readonly value: Uint8Array | undefined;
}

/** Of a block that no chaincode writes in: no transaction that was endorsed elsewhere has read it. */
const FOREIGN_VERSION = { blockNumber: 0n, txNumber: 0n };

/** Writes to the state in a closed ledger's folder, past the chain. Throws DevnetError LEDGER_LOCKED. */
export async function alterState(dir: string, { namespace, key, value }: AlteredKey): Promise<void> {
  const database = await StateDatabase.open(join(dir, 'state'));
  try {
    const databaseKey = stateKey(namespace, key);
    await database.write([
      value === undefined
        ? { type: 'del', key: databaseKey }
        : { type: 'put', key: databaseKey, value: encodeStateValue(databaseKey, FOREIGN_VERSION, value, undefined) },
    ]);
  } finally {
    await database.close();
  }
}
