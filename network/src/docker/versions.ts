/** Exact versions of what is not built here; official images carry them as tags. */
export const defaultFabricVersion = '3.1.5';
export const kuboVersion = '0.43.0';
export const nodeVersion = '24.21.0';

/** Images by what runs in them. */
export interface Images {
  readonly orderer: string;
  readonly peer: string;
  readonly kubo: string;
  /** Centers and outlets. */
  readonly service: string;
  readonly chaincode: string;
}

/**
 * @param fabricVersion an exact one, `3.1.5` or `2.5.16`
 * @param ownVersion of this repository
 */
export function imagesOf(fabricVersion: string, ownVersion: string): Images {
  return {
    orderer: `hyperledger/fabric-orderer:${fabricVersion}`,
    peer: `hyperledger/fabric-peer:${fabricVersion}`,
    kubo: `ipfs/kubo:v${kuboVersion}`,
    service: `waymark/service:${ownVersion}`,
    chaincode: `waymark/chaincode:${ownVersion}`,
  };
}
