import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { discovery, gossip, msp, peer } from '@hyperledger/fabric-protos';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { signaturePolicyFromString } from '../../src/policy/index.ts';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';

const CERT_HASH = Buffer.alloc(32, 7);

function channelQuery(fill: (query: discovery.Query) => void, channelId = CHANNEL): discovery.Query {
  const query = new discovery.Query();
  query.setChannel(channelId);
  fill(query);
  return query;
}

function interestIn(...names: readonly string[]): peer.ChaincodeInterest {
  const interest = new peer.ChaincodeInterest();
  for (const name of names) {
    const call = new peer.ChaincodeCall();
    call.setName(name);
    interest.addChaincodes(call);
  }
  return interest;
}

const configQuery = (channelId?: string) =>
  channelQuery((query) => query.setConfigQuery(new discovery.ConfigQuery()), channelId);
const peerQuery = (filter?: peer.ChaincodeInterest) =>
  channelQuery((query) => {
    const wanted = new discovery.PeerMembershipQuery();
    wanted.setFilter(filter);
    query.setPeerQuery(wanted);
  });
const chaincodeQuery = (...interests: peer.ChaincodeInterest[]) =>
  channelQuery((query) => {
    const wanted = new discovery.ChaincodeQuery();
    wanted.setInterestsList(interests);
    query.setCcQuery(wanted);
  });
const localQuery = () => channelQuery((query) => query.setLocalPeers(new discovery.LocalPeerQuery()), '');

describe('discovery.Discovery/Discover', () => {
  let network: TestNetwork;
  let client: discovery.DiscoveryClient;
  let user: SigningIdentity;
  let admin: SigningIdentity;

  beforeAll(async () => {
    network = await startTestNetwork();
    const { gateway, ...issued } = network.devnet.organisation('Org1MSP');
    user = createSigningIdentity(issued.user);
    admin = createSigningIdentity(issued.admin);
    client = new discovery.DiscoveryClient(gateway.address, credentials.createSsl(Buffer.from(gateway.tlsRootCertPem)));
  });
  afterAll(async () => {
    client.close();
    await network.stop();
  });

  const send = (payload: Uint8Array, signature: Uint8Array): Promise<discovery.Response> =>
    new Promise((resolve, reject) => {
      const request = new discovery.SignedRequest();
      request.setPayload(payload);
      request.setSignature(signature);
      client.discover(request, (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error('neither an answer nor an error'));
      });
    });
  const discover = async (
    queries: discovery.Query[],
    { signer = user, hash = CERT_HASH }: { signer?: SigningIdentity; hash?: Uint8Array } = {},
  ) => {
    const authentication = new discovery.AuthInfo();
    authentication.setClientIdentity(signer.serialized);
    authentication.setClientTlsCertHash(hash);
    const request = new discovery.Request();
    request.setAuthentication(authentication);
    request.setQueriesList(queries);
    const payload = request.serializeBinary();
    return (await send(payload, signer.sign(payload))).getResultsList();
  };
  const errorOf = (result: discovery.QueryResult | undefined) => result?.getError()?.getContent();
  const addressesOf = (peers: discovery.Peers | undefined) =>
    peers
      ?.getPeersList()
      .map((found) => messageIn(found.getMembershipInfo()).getAliveMsg()?.getMembership()?.getEndpoint());

  test('the configuration names all MSPs and where the orderer listens', async () => {
    const [result] = await discover([configQuery()]);
    const config = result?.getConfigResult();
    expect([...(config?.getMspsMap().keys() ?? [])].sort()).toEqual(['OrdererMSP', 'Org1MSP', 'Org2MSP']);
    const [endpoint] = config?.getOrderersMap().get('OrdererMSP')?.getEndpointList() ?? [];
    expect(`${endpoint?.getHost()}:${endpoint?.getPort()}`).toBe(network.devnet.orderer.address);
  });

  test('peers come with identity, and with messages signed by themselves: address, height, chaincodes', async () => {
    const [result] = await discover([peerQuery()]);
    const members = result?.getMembers()?.getPeersByOrgMap();
    for (const organisation of network.devnet.organisations) {
      const found = members?.get(organisation.mspId);
      expect(addressesOf(found)).toEqual(organisation.peers.map(({ address }) => address));
      for (const entry of found?.getPeersList() ?? []) {
        const identity = msp.SerializedIdentity.deserializeBinary(entry.getIdentity_asU8());
        expect(identity.getMspid()).toBe(organisation.mspId);
        const properties = messageIn(entry.getStateInfo()).getStateInfo()?.getProperties();
        expect(properties?.getLedgerHeight()).toBeGreaterThan(0);
        expect(properties?.getChaincodesList().map((cc) => `${cc.getName()} ${cc.getVersion()}`)).toEqual([
          `${CHAINCODE} 1.0`,
        ]);
        expect(entry.getStateInfo()?.getSignature_asU8().length).toBeGreaterThan(60);
      }
    }
  });

  test('peers may be asked for by chaincode', async () => {
    const [known, unknown] = await discover([peerQuery(interestIn(CHAINCODE)), peerQuery(interestIn('nothing'))]);
    expect(known?.getMembers()?.getPeersByOrgMap().get('Org2MSP')?.getPeersList()).toHaveLength(2);
    expect(errorOf(unknown)).toBe(`No metadata was found for chaincode nothing in channel ${CHANNEL}`);
  });

  test('layouts say how many peers of which group satisfy the endorsement policy', async () => {
    const [result] = await discover([chaincodeQuery(interestIn(CHAINCODE))]);
    const [descriptor] = result?.getCcQueryRes()?.getContentList() ?? [];
    expect(descriptor?.getChaincode()).toBe(CHAINCODE);
    const layouts = descriptor?.getLayoutsList().map((layout) => layout.getQuantitiesByGroupMap().toObject());
    expect(layouts).toEqual([
      [
        ['G0', 1],
        ['G1', 1],
      ],
    ]);
    const groups = ['G0', 'G1'].map((group) => addressesOf(descriptor?.getEndorsersByGroupsMap().get(group)));
    expect(groups).toEqual(network.devnet.organisations.map(({ peers }) => peers.map(({ address }) => address)));
  });

  test('each principal is a group of its own: a peer that key policies ask for twice is in both groups', async () => {
    const interest = interestIn(CHAINCODE);
    const policies = ["AND('Org1MSP.peer')", "AND('Org1MSP.member', 'Org2MSP.member')"];
    interest.getChaincodesList()[0]?.setKeyPoliciesList(policies.map(signaturePolicyFromString));
    interest.getChaincodesList()[0]?.setDisregardNamespacePolicy(true);
    const [result] = await discover([chaincodeQuery(interest)]);
    const [descriptor] = result?.getCcQueryRes()?.getContentList() ?? [];
    const [layout, ...others] = descriptor?.getLayoutsList() ?? [];
    expect(others).toEqual([]);
    const organisationsOf = (group: string) =>
      descriptor
        ?.getEndorsersByGroupsMap()
        .get(group)
        ?.getPeersList()
        .map((found) => msp.SerializedIdentity.deserializeBinary(found.getIdentity_asU8()).getMspid());
    const asked = layout?.getQuantitiesByGroupMap().toObject();
    expect(asked?.map(([group, quantity]) => [quantity, organisationsOf(group)])).toEqual([
      [1, ['Org1MSP', 'Org1MSP']],
      [1, ['Org2MSP', 'Org2MSP']],
      [1, ['Org1MSP', 'Org1MSP']],
    ]);
  });

  test('a query that is wrong leaves the others of the request alone', async () => {
    const results = await discover([
      chaincodeQuery(),
      chaincodeQuery(interestIn()),
      chaincodeQuery(interestIn('')),
      chaincodeQuery(interestIn('nothing')),
      channelQuery(() => undefined),
      configQuery('other'),
      localQuery(),
      configQuery(),
    ]);
    expect(results.map(errorOf)).toEqual([
      'chaincode query must have at least one chaincode interest',
      'chaincode interest must contain at least one chaincode',
      'chaincode name in interest cannot be empty',
      'failed constructing descriptor for chaincodes:{name:"nothing"}',
      'unknown or missing request type',
      'access denied',
      'access denied',
      undefined,
    ]);
  });

  test('local peers are for admins of the own organisation', async () => {
    const [result] = await discover([localQuery()], { signer: admin });
    expect(addressesOf(result?.getMembers()?.getPeersByOrgMap().get('Org1MSP'))).toHaveLength(2);
    const stranger = createSigningIdentity(network.devnet.organisation('Org2MSP').admin);
    const [refused] = await discover([localQuery()], { signer: stranger });
    expect(errorOf(refused)).toBe('access denied');
  });

  test('a request that another key signed is denied', async () => {
    const forged = { ...user, sign: (message: Uint8Array) => admin.sign(message) };
    expect((await discover([configQuery()], { signer: forged })).map(errorOf)).toEqual(['access denied']);
  });

  test('the hash of a TLS certificate is not asked for, as by a Fabric peer without mutual TLS', async () => {
    expect(
      (await discover([configQuery()], { hash: new Uint8Array() })).map((result) => result.hasConfigResult()),
    ).toEqual([true]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['bytes that are no request', () => send(Buffer.from([0xff]), Buffer.alloc(1)), 'failed parsing request'],
    [
      'no authentication',
      () => send(new discovery.Request().serializeBinary(), Buffer.alloc(1)),
      'access denied, no authentication info in request',
    ],
    [
      'no identity',
      () => discover([configQuery()], { signer: { ...user, serialized: new Uint8Array() } }),
      "access denied, client identity wasn't supplied",
    ],
  ])('a request with %s is refused as a whole', async (_name, request, text) => {
    const error = await request().catch((caught: unknown) => caught as ServiceError);
    expect(error).toMatchObject({ code: status.UNKNOWN, details: expect.stringContaining(text) as string });
  });
});

function messageIn(envelope: gossip.Envelope | undefined): gossip.GossipMessage {
  return gossip.GossipMessage.deserializeBinary(envelope?.getPayload_asU8() ?? new Uint8Array());
}
