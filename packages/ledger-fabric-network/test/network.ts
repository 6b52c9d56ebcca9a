import { privateKeySigner, type Ledger } from '@waymark/fabric';
import type { LedgersUnderTest } from '@waymark/testing/ledger-compliance';
import { connectFabricNetwork, type DiscoveryOptions, type FabricNetworkOptions } from '../src/index.ts';

/** A node as networks describe theirs. */
export interface TestNode {
  readonly address: string;
  readonly tlsRootCertPem: string;
}

/** An organisation as networks describe theirs. */
export interface TestOrganisation {
  readonly mspId: string;
  readonly peers: readonly TestNode[];
  readonly user: { readonly certificatePem: string; readonly privateKeyPem: string };
}

/** A running network of two organisations. */
export interface TestNetwork {
  readonly channel: string;
  readonly chaincode: string;
  readonly organisations: readonly TestOrganisation[];
  readonly orderers: readonly TestNode[];
  stop(): Promise<void>;
}

export function optionsFor(
  network: TestNetwork,
  { mspId, user, peers }: TestOrganisation,
  discovery: DiscoveryOptions | undefined,
): FabricNetworkOptions {
  const nodeOf = ({ address, tlsRootCertPem }: TestNode) => ({ endpoint: address, tlsRootPem: tlsRootCertPem });
  const peersOf = (organisation: Pick<TestOrganisation, 'mspId' | 'peers'>) =>
    organisation.peers.map((peer) => ({ ...nodeOf(peer), mspId: organisation.mspId }));
  return {
    peers:
      discovery === undefined
        ? [...network.organisations].flatMap((organisation) => peersOf(organisation))
        : peersOf({ mspId, peers }),
    ...(discovery === undefined ? { orderers: network.orderers.map(nodeOf) } : { discovery }),
    identity: { mspId, certificatePem: user.certificatePem, sign: privateKeySigner(user.privateKeyPem) },
    channel: network.channel,
    chaincode: network.chaincode,
  };
}

/** Both organisations' ledgers over the fabric-network client; the network goes on when they are closed. */
export function ledgersOf(network: TestNetwork, discovery: DiscoveryOptions | undefined): LedgersUnderTest {
  const [first, second] = network.organisations;
  if (first === undefined || second === undefined) throw new Error('two organisations expected');
  const connect = (organisation: TestOrganisation): Ledger =>
    connectFabricNetwork(optionsFor(network, organisation, discovery));
  const ledger = connect(first);
  const other = connect(second);
  return {
    ledger,
    other,
    connect: () => connect(first),
    dispose: () => {
      ledger.close();
      other.close();
      return Promise.resolve();
    },
  };
}
