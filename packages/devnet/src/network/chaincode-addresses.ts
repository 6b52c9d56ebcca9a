import { DevnetError } from '../errors.ts';
import type { ChaincodeOfPeer } from '../shim/chaincode-support.ts';
import type { ChaincodeAddress, ChaincodeOptions } from './options.ts';

const ADDRESS = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/;

/** Throws DevnetError OPTIONS_INVALID for an address that is none, or is for an organisation that is not there. */
export function checkAddresses(chaincodes: readonly ChaincodeOptions[], mspIds: readonly string[]): void {
  for (const mspId of mspIds) chaincodesOf(mspId, chaincodes);
  for (const { name, address } of chaincodes) {
    if (typeof address === 'string' || isAddress(address)) continue;
    const unknown = Object.keys(address).find((mspId) => !mspIds.includes(mspId));
    if (unknown !== undefined) {
      throw new DevnetError(
        'OPTIONS_INVALID',
        `chaincode ${name} has an address for ${unknown}, which is not in the network`,
      );
    }
  }
}

/**
 * The chaincodes that an organisation's peers connect to.
 *
 * @param named addresses that were given with the organisation, by chaincode; those of the options go before
 * @throws DevnetError OPTIONS_INVALID
 */
export function chaincodesOf(
  mspId: string,
  chaincodes: readonly ChaincodeOptions[],
  named: Readonly<Record<string, string>> = {},
): ChaincodeOfPeer[] {
  return chaincodes.flatMap((chaincode) => {
    const own = named[chaincode.name];
    const endpoint = addressFor(mspId, chaincode) ?? (own === undefined ? undefined : { address: own });
    if (endpoint === undefined) return [];
    if (!ADDRESS.test(endpoint.address)) {
      throw new DevnetError(
        'OPTIONS_INVALID',
        `the address of chaincode ${chaincode.name} must be host:port, got '${endpoint.address}'`,
      );
    }
    const { name, packageId } = chaincode;
    return [{ name, endpoint, ...(packageId === undefined ? {} : { packageId }) }];
  });
}

function addressFor(mspId: string, { address }: ChaincodeOptions): ChaincodeAddress | undefined {
  if (typeof address === 'string') return { address };
  if (isAddress(address)) return address;
  const own = address[mspId];
  return typeof own === 'string' ? { address: own } : own;
}

function isAddress(value: Exclude<ChaincodeOptions['address'], string>): value is ChaincodeAddress {
  return 'address' in value && typeof value.address === 'string';
}
