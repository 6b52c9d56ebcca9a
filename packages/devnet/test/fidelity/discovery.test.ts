import { createHash, X509Certificate } from 'node:crypto';
import { discovery, msp, peer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '../../src/msp/index.ts';
import { signaturePolicyFromString } from '../../src/policy/index.ts';
import { compareCall, sorted, type Comparable } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import type { Answer } from './harness/fabric-node.ts';

const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');

type Change = (query: discovery.Query) => void;

const configQuery: Change = (query) => query.setConfigQuery(new discovery.ConfigQuery());
const localPeers: Change = (query) => query.setLocalPeers(new discovery.LocalPeerQuery());
const peers =
  (...chaincodes: readonly string[]): Change =>
  (query) => {
    const peerQuery = new discovery.PeerMembershipQuery();
    if (chaincodes.length > 0) peerQuery.setFilter(interest(...chaincodes.map((name) => call(name))));
    query.setPeerQuery(peerQuery);
  };
const endorsers =
  (...interests: readonly peer.ChaincodeInterest[]): Change =>
  (query) => {
    const chaincodeQuery = new discovery.ChaincodeQuery();
    chaincodeQuery.setInterestsList([...interests]);
    query.setCcQuery(chaincodeQuery);
  };
const call = (name: string, change: (call: peer.ChaincodeCall) => void = () => undefined) => {
  const result = new peer.ChaincodeCall();
  result.setName(name);
  change(result);
  return result;
};
const interest = (...calls: readonly peer.ChaincodeCall[]) => {
  const result = new peer.ChaincodeInterest();
  result.setChaincodesList([...calls]);
  return result;
};
const keyPolicy = (chaincodeCall: peer.ChaincodeCall) =>
  chaincodeCall.setKeyPoliciesList([signaturePolicyFromString("OR('Org1MSP.peer')")]);

/** Queries whose answer does not tell which peers there are: Fabric's twin has one. */
const QUERIES: Readonly<Record<string, Change>> = {
  'the configuration': configQuery,
  'no query': () => undefined,
  'local peers, of a channel': localPeers,
  'peers with a chaincode that is not there': peers('nothing'),
  'peers with one that is there and one that is not': peers('assets', 'nothing'),
  'endorsers for no interest': endorsers(),
  'endorsers for an empty interest': endorsers(interest()),
  'endorsers for a chaincode without a name': endorsers(interest(call(''))),
  'endorsers for a chaincode that is not there': endorsers(interest(call('nothing'))),
  'endorsers for two interests, one of them empty': endorsers(interest(call('nothing')), interest()),
  'endorsers for a system chaincode': endorsers(interest(call('qscc'))),
  'endorsers for two chaincodes that are not there': endorsers(interest(call('nothing'), call('nobody'))),
  'endorsers without the policy of the chaincode': endorsers(
    interest(call('nothing', (to) => to.setDisregardNamespacePolicy(true))),
  ),
  'endorsers with a policy of a key only': endorsers(
    interest(
      call('nothing', (to) => {
        to.setDisregardNamespacePolicy(true);
        keyPolicy(to);
      }),
    ),
  ),
  'endorsers for a collection': endorsers(interest(call('nothing', (to) => to.setCollectionNamesList(['private'])))),
};

interface Asked {
  readonly channel?: string;
  readonly authentication?: (authentication: discovery.AuthInfo) => void;
  readonly request?: (request: discovery.Request) => void;
  readonly payload?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

const REQUESTS: Readonly<Record<string, Asked>> = {
  'no channel': { channel: '' },
  'a channel that is not there': { channel: 'nochannel' },
  'no authentication': { request: (request) => request.clearAuthentication() },
  'no identity': { authentication: (authentication) => authentication.setClientIdentity('') },
  'an identity that is no message': { authentication: (authentication) => authentication.setClientIdentity(JUNK) },
  'an identity of an unknown MSP': { authentication: (authentication) => authentication.setClientIdentity(unknown()) },
  'no queries': { request: (request) => request.setQueriesList([]) },
  'a request that is no message': { payload: JUNK },
  'no request': { payload: new Uint8Array() },
  'no signature': { signature: () => new Uint8Array() },
  'a wrong signature': { signature: () => JUNK },
};

describeFidelity(
  'discovery answers as Fabric’s',
  { recording: 'discovery', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    const discover = (name: string, signer: SigningIdentity, query: Change, asked: Asked = {}) => {
      const { clientTls } = fidelity().twin;
      const tlsHash = createHash('sha256').update(new X509Certificate(clientTls.certificatePem).raw).digest();
      const request = buildRequest(signer, tlsHash, query, asked);
      return fidelity().same(name, fidelity().twin.peers, async (node) =>
        compareDiscovery(await node.unary('/discovery.Discovery/Discover', request)),
      );
    };

    test.each(Object.keys(QUERIES))('%s', async (name) => {
      const { user, admin, otherUser } = fidelity().twin.identities;
      const query = QUERIES[name] ?? configQuery;
      await discover(name, user, query);
      await discover(`${name}, for an admin`, admin, query);
      await discover(`${name}, for the other organisation`, otherUser, query);
      await discover(`${name}, without a channel`, user, query, { channel: '' });
      await discover(`${name}, without a channel, for the other organisation`, otherUser, query, { channel: '' });
    });

    test.each(Object.keys(REQUESTS))('%s', async (name) => {
      await discover(`request: ${name}`, fidelity().twin.identities.user, configQuery, REQUESTS[name] ?? {});
    });

    test('peers of no channel are for admins of the own organisation', async () => {
      const { user, otherAdmin } = fidelity().twin.identities;
      await discover('local peers, for a user', user, localPeers, { channel: '' });
      await discover('local peers, for the other admin', otherAdmin, localPeers, { channel: '' });
    });

    test('a TLS certificate of the client is not asked for', async () => {
      const request = buildRequest(fidelity().twin.identities.user, new Uint8Array(), configQuery, {});
      await fidelity().same('no TLS certificate', fidelity().twin.anonymousPeers, async (node) =>
        compareDiscovery(await node.unary('/discovery.Discovery/Discover', request)),
      );
    });
  },
);

function buildRequest(signer: SigningIdentity, tlsHash: Uint8Array, change: Change, asked: Asked): Uint8Array {
  const query = new discovery.Query();
  query.setChannel(asked.channel ?? CHANNEL);
  change(query);
  const authentication = new discovery.AuthInfo();
  authentication.setClientIdentity(signer.serialized);
  authentication.setClientTlsCertHash(tlsHash);
  asked.authentication?.(authentication);
  const request = new discovery.Request();
  request.setAuthentication(authentication);
  request.setQueriesList([query]);
  asked.request?.(request);
  const signed = new discovery.SignedRequest();
  signed.setPayload(asked.payload ?? request.serializeBinary());
  const signature = signer.sign(signed.getPayload_asU8());
  signed.setSignature(asked.signature?.(signature) ?? signature);
  return signed.serializeBinary();
}

function compareDiscovery(answer: Answer): Comparable {
  const results = answer.responses.flatMap((bytes) => discovery.Response.deserializeBinary(bytes).getResultsList());
  const described = results.map((result) => {
    const error = result.getError();
    if (error !== undefined) return `error: ${error.getContent().replaceAll(/[\u00a0 ]+/g, ' ')}`;
    const config = result.getConfigResult();
    if (config === undefined) return 'members or endorsers';
    return `MSPs of ${[...config.getMspsMap().keys()].sort().join()}, orderers of ${[...config.getOrderersMap().keys()].join()}`;
  });
  return {
    stable: { ...(compareCall(answer).stable as object), results: described },
    exact: results.map((result) => sorted(result.getConfigResult()?.toObject())),
  };
}

function unknown(): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid('NoMSP');
  identity.setIdBytes(Buffer.from('x'));
  return identity.serializeBinary();
}
