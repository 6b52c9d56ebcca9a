import type { common } from '@hyperledger/fabric-protos';

/** How a seek request ends. */
export type DeliverStatus = common.StatusMap[keyof common.StatusMap];
