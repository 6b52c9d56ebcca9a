import { orderer, type common } from '@hyperledger/fabric-protos';
import type { OrganisationCa } from '../../src/ca/index.ts';
import { definitionOf } from './test-channel.ts';

/** Gives an organisation of the configuration the MSP of this CA, with a revocation list. */
export function definitionToGroup(config: common.Config, ca: OrganisationCa, crlPem: string | undefined): void {
  const group = config.getChannelGroup()?.getGroupsMap().get('Application')?.getGroupsMap().get(ca.mspId);
  group?.getValuesMap().get('MSP')?.setValue(definitionOf(ca, crlPem).mspConfig.serializeBinary());
}

/** The batch size and the value that holds it. */
export function batchSizeOf(config: common.Config): { size: orderer.BatchSize; value: common.ConfigValue } {
  const value = config.getChannelGroup()?.getGroupsMap().get('Orderer')?.getValuesMap().get('BatchSize');
  if (value === undefined) throw new Error('no batch size');
  return { size: orderer.BatchSize.deserializeBinary(value.getValue_asU8()), value };
}
