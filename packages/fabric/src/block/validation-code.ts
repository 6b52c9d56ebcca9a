import { peer } from '@hyperledger/fabric-protos';

const names = new Map<number, string>(Object.entries(peer.TxValidationCode).map(([name, code]) => [code, name]));

/** Fabric's name of a validation code. */
export function validationCodeName(code: number): string {
  return names.get(code) ?? `UNKNOWN_${code}`;
}

/** Whether a code is VALID. */
export function isValidCode(code: number): boolean {
  return code === peer.TxValidationCode.VALID;
}
