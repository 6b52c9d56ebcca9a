import type { Ledger } from '@waymark/fabric';
import { type LedgerRest, openLedgerRest, operatorCallers } from '@waymark/ledger-operations';
import type { PrivateLedger } from '@waymark/private-ledger';
import type { Callers, Register, Replica } from '@waymark/service-kit';
import type { CertificateVerifier } from '@waymark/vault';
import type { DepartmentConfiguration } from '../configuration.ts';

/** What the routes about the private ledger are made of at a department. */
export interface DepartmentLedgerRestParts {
  readonly config: DepartmentConfiguration;
  readonly privateLedger: PrivateLedger | undefined;
  readonly verifier: CertificateVerifier;
  readonly callers: Callers;
  readonly register: Register;
  readonly replica: Replica;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
}

/** Undefined where the department is no member. */
export function openDepartmentLedgerRest(parts: DepartmentLedgerRestParts): LedgerRest | undefined {
  const { config, privateLedger, verifier, callers, nowMs, ...rest } = parts;
  if (privateLedger === undefined || config.privateLedger === undefined) return undefined;
  const { mspId, dataFolder } = config;
  const identify = operatorCallers({ mspId, verifier, callers: () => callers, nowMs });
  return openLedgerRest({ ...rest, mspId, config: config.privateLedger, dataFolder, privateLedger, identify, nowMs });
}
