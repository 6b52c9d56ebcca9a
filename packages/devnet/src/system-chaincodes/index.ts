import type { SystemChaincode } from '../endorser/endorser.ts';
import type { SystemChaincodeContext } from './context.ts';
import { createCscc } from './cscc.ts';
import { createLifecycle } from './lifecycle.ts';
import { createQscc } from './qscc.ts';

export type { SystemChaincodeContext } from './context.ts';

/** The chaincodes of a peer itself by name. Others of Fabric's, such as lscc, are refused by name. */
export function createSystemChaincodes(context: SystemChaincodeContext): ReadonlyMap<string, SystemChaincode> {
  return new Map([
    ['qscc', createQscc(context)],
    ['cscc', createCscc(context)],
    ['_lifecycle', createLifecycle(context)],
  ]);
}

/** Names that every peer answers to, deployed or not (Fabric: core/scc/scc.go, BuiltinSCCs). */
export function isSystemChaincode(name: string): boolean {
  return name === 'lscc' || name === 'qscc' || name === 'cscc' || name === '_lifecycle';
}
