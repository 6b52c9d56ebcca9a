import type { BatchSize } from '../config/genesis.ts';

export interface PeerOptions {
  /** First label of the peer's host name, for example `peer0`. */
  readonly name: string;
  /** Default: a free port at the first start, the same one ever after. */
  readonly port?: number;
}

export interface OrganisationOptions {
  readonly mspId: string;
  /** Host names and certificates carry it. Default: the MSP id in lower case, without `msp` at its end, plus `.example.com`. */
  readonly domain?: string;
  /** Default: one peer, `peer0`. The first one is the leader: anchor peer, and the gateway that clients are told. */
  readonly peers?: readonly PeerOptions[];
}

/** An organisation that comes when the network runs. */
export interface AddedOrganisationOptions extends OrganisationOptions {
  /** Its servers of chaincodes, `host:port` by chaincode: for those whose options do not name one for all organisations. */
  readonly chaincodes?: Readonly<Record<string, string>>;
}

export interface OrdererOptions {
  /** Default `OrdererMSP`. */
  readonly mspId?: string;
  /** Default `example.com`. */
  readonly domain?: string;
  /** Default `orderer`. */
  readonly name?: string;
  readonly port?: number;
}

/** Where a chaincode's server listens, and how its certificate is checked. */
export interface ChaincodeAddress {
  /** `host:port`. */
  readonly address: string;
  /** PEM; without it the stream is not encrypted. */
  readonly tlsRootCertPem?: string;
  readonly clientKeyPem?: string;
  readonly clientCertPem?: string;
}

export interface ChaincodeOptions {
  readonly name: string;
  /** Default `1.0`. */
  readonly version?: string;
  /** Default 1. One more than the channel has: the definition is changed at the start. */
  readonly sequence?: number;
  /** What the chaincode must register as. Default: whatever it says. */
  readonly packageId?: string;
  /**
   * Fabric's policy language (`AND('Org1MSP.peer', 'Org2MSP.peer')`), or the path of a policy of the channel. Default
   * `/Channel/Application/Endorsement`: a majority of the organisations.
   */
  readonly endorsementPolicy?: string;
  /** One server for all organisations, or one per MSP id; an organisation without one does not have the chaincode. */
  readonly address: string | ChaincodeAddress | Readonly<Record<string, string | ChaincodeAddress>>;
}

export interface BatchOptions extends Partial<BatchSize> {
  /** Time after which a block is cut. Default 250 ms. */
  readonly timeoutMs?: number;
}

export interface DevnetOptions {
  /** Holds everything: certificates, keys, ledgers. Made when absent. */
  readonly dataDir: string;
  readonly organisations: readonly OrganisationOptions[];
  /** Default `mychannel`. */
  readonly channel?: string;
  readonly orderer?: OrdererOptions;
  readonly chaincodes?: readonly ChaincodeOptions[];
  readonly batch?: BatchOptions;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Time that a chaincode has for one transaction. Default 30,000 ms. */
  readonly executeTimeoutMs?: number;
  /** Time that a transaction waits for a chaincode that is not connected. Default 5,000 ms. */
  readonly launchTimeoutMs?: number;
  /** Calls that each gateway serves at once. Default 500. */
  readonly gatewayConcurrencyLimit?: number;
  /** The clock that proposals and requests are judged by. Default: the system's. */
  readonly nowMs?: () => number;
}
