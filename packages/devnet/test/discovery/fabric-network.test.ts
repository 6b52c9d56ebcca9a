import { createRequire } from 'node:module';
import type * as FabricNetwork from 'fabric-network';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';

// Its logger writes what it refuses to stderr, also what is expected here.
process.env['HFC_LOGGING'] = '{}';
const { Gateway, Wallets } = createRequire(import.meta.url)('fabric-network') as typeof FabricNetwork;

describe('the fabric-network client, with discovery on', () => {
  let network: TestNetwork;
  let gateway: FabricNetwork.Gateway;

  beforeAll(async () => {
    network = await startTestNetwork();
    const { mspId, gateway: node, user } = network.devnet.organisation('Org1MSP');
    const wallet = await Wallets.newInMemoryWallet();
    const identity: FabricNetwork.X509Identity = {
      type: 'X.509',
      mspId,
      credentials: { certificate: user.certificatePem, privateKey: user.privateKeyPem },
    };
    await wallet.put('clerk', identity);
    gateway = new Gateway();
    await gateway.connect(
      {
        name: 'devnet',
        version: '1.0.0',
        client: { organization: 'Org1' },
        organizations: { Org1: { mspid: mspId, peers: [node.hostName] } },
        peers: {
          [node.hostName]: { url: `grpcs://${node.address}`, tlsCACerts: { pem: node.tlsRootCertPem } },
        },
      },
      { wallet, identity: 'clerk', discovery: { enabled: true, asLocalhost: false } },
    );
  });
  afterAll(async () => {
    gateway.disconnect();
    await network.stop();
  });

  const contract = async () => (await gateway.getNetwork(CHANNEL)).getContract(CHAINCODE);

  test('submits with endorsements that the layouts ask for, waits for the commit, and evaluates', async () => {
    const assets = await contract();
    await assets.submitTransaction('createAsset', 'fn1', 'Ann', '5');
    const read = await assets.evaluateTransaction('readAsset', 'fn1');
    expect(JSON.parse(read.toString())).toEqual({ id: 'fn1', owner: 'Ann', value: 5 });
  });

  test('found all peers of both organisations, and the orderer', async () => {
    const channel = (await gateway.getNetwork(CHANNEL)).getChannel();
    const addresses = network.devnet.organisations.flatMap(({ peers }) => peers.map(({ address }) => address));
    const names = channel.getEndorsers().map(({ name }) => name);
    expect(names.sort()).toEqual(addresses.sort());
    expect(channel.getCommitters().map(({ name }) => name)).toEqual([network.devnet.orderer.address]);
  });

  test('a contract that throws fails with its text', async () => {
    await expect((await contract()).submitTransaction('readAsset', 'nope')).rejects.toThrow(
      'asset nope does not exist',
    );
  });

  test('queries the ledger through qscc', async () => {
    const qscc = (await gateway.getNetwork(CHANNEL)).getContract('qscc');
    expect((await qscc.evaluateTransaction('GetChainInfo', CHANNEL)).length).toBeGreaterThan(60);
  });
});
