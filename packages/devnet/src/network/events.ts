import { EventEmitter } from 'node:events';
import type { ChaincodeConnectionState } from '../shim/chaincode-connection.ts';

/** What happens in a running devnet, for logs and tests. */
export interface DevnetEvents {
  /** A peer committed a block. */
  readonly block: [{ readonly peer: string; readonly number: bigint; readonly transactions: number }];
  /** A peer's stream to a chaincode came up or was lost. */
  readonly chaincode: [{ readonly peer: string; readonly chaincode: string; readonly state: ChaincodeConnectionState }];
  /** A peer stopped committing: it cannot go on without a restart. */
  readonly failed: [{ readonly peer: string; readonly error: Error }];
  /** The orderer could not write a block: it is down until its disk is healed or the network is started again. */
  readonly ordererFailed: [{ readonly orderer: string; readonly error: Error }];
}

export type DevnetEmitter = EventEmitter<DevnetEvents>;

export function createDevnetEmitter(): DevnetEmitter {
  return new EventEmitter<DevnetEvents>();
}
