import type { Ledger } from '@waymark/fabric';
import { openPrivateLedger, type PrivateLedger, type PrivateLedgerParts } from '@waymark/private-ledger';
import { createAnchorContract, endProcess, type OpenCalls } from '@waymark/service-kit';
import type { DepartmentConfiguration } from '../configuration.ts';

/** What a department's part of the private ledger is made of. */
export interface DepartmentLedgerParts extends Omit<
  PrivateLedgerParts,
  'config' | 'dataFolder' | 'channel' | 'contract' | 'serve' | 'onFault'
> {
  readonly config: DepartmentConfiguration;
  readonly ledger: Ledger;
  readonly openCalls: OpenCalls;
}

/**
 * A department's part of the firm's private ledger: it re-audits and keeps the whole chain (D2, D6). Undefined where it is no member.
 * @throws WaymarkError as `openPrivateLedger`
 */
export async function openDepartmentLedger(parts: DepartmentLedgerParts): Promise<PrivateLedger | undefined> {
  const { config, ledger, openCalls } = parts;
  if (config.privateLedger === undefined) return undefined;
  return openPrivateLedger({
    ...parts,
    config: config.privateLedger,
    dataFolder: config.dataFolder,
    channel: config.channel,
    contract: createAnchorContract(ledger, config.mspId),
    serve: (check, work) => openCalls.serve(check, work),
    onFault: endProcess,
  });
}
