import { common, discovery, gateway, orderer, peer } from '@hyperledger/fabric-protos';
import { createSigningIdentity, type SigningIdentity } from '../../../src/msp/index.ts';
import { buildSeek, buildSignedProposal } from '../../harness/proposals.ts';
import type { TargetDescription } from '../target/messages.ts';
import { CHAINCODE, HOSTILE_CHAINCODE } from '../target/target.ts';
import type { Random } from './random.ts';
import type { RawClient } from './raw-client.ts';
import {
  BROADCAST,
  CHAINCODE_EVENTS,
  COMMIT_STATUS,
  DELIVER,
  DELIVER_FILTERED,
  DELIVER_PRIVATE,
  DISCOVER,
  ENDORSE,
  EVALUATE,
  ORDERER_DELIVER,
  PROCESS_PROPOSAL,
  SUBMIT,
  type Method,
} from './services.ts';

/** A right request: the part that is signed, and how it and its signature become the request. */
export interface Seed {
  readonly method: Method;
  readonly signer: SigningIdentity;
  readonly signed: Uint8Array;
  readonly wrap: (signed: Uint8Array, signature: Uint8Array) => Uint8Array;
}

export interface SeedMaker {
  readonly signer: SigningIdentity;
  /** A seed for any method of a peer or the orderer, fresh each time: transaction ids are used once. */
  make(random: Random, method: Method, chaincode?: string): Seed;
  /** Asks for all blocks, or all events of the hostile chaincode, from the first on and without end. */
  fromTheBeginning(method: Method): Seed;
}

const EXTREME_NUMBERS = [0, 1, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048];

/** Captures what only the network can make, an endorsed transaction; builds the rest. */
export async function createSeedMaker(target: TargetDescription, client: RawClient): Promise<SeedMaker> {
  const signer = createSigningIdentity(target.user);
  const admin = createSigningIdentity(target.admin);
  const { channel } = target;
  const propose = (random: Random, args: readonly (string | Uint8Array)[], chaincode = CHAINCODE) =>
    buildSignedProposal(signer, { channelId: channel, chaincode, args, nonce: random.bytes(24) });
  const prepared: Uint8Array[] = [];

  const capture = async (random: Random): Promise<void> => {
    const request = new gateway.EndorseRequest();
    request.setProposedTransaction(propose(random, ['put', 'fuzzed', String(random.below(1e6))]));
    request.setChannelId(channel);
    const outcome = await client.unary(ENDORSE.path, request.serializeBinary(), 10_000);
    const response = gateway.EndorseResponse.deserializeBinary(outcome.messages[0] ?? Buffer.alloc(0));
    const payload = response.getPreparedTransaction()?.getPayload_asU8();
    if (payload === undefined) throw new Error(`no transaction to start from: ${outcome.code} ${outcome.text}`);
    prepared.push(payload);
  };

  const proposals = (random: Random, chaincode?: string): peer.SignedProposal => {
    if (chaincode !== undefined) return propose(random, ['anything'], chaincode);
    const { target, args } = random.pick([
      { target: CHAINCODE, args: ['put', 'key', 'value'] },
      { target: CHAINCODE, args: ['get', 'key'] },
      { target: CHAINCODE, args: ['range'] },
      { target: CHAINCODE, args: [] },
      { target: HOSTILE_CHAINCODE, args: ['anything'] },
      { target: 'absent', args: ['x'] },
      { target: 'qscc', args: ['GetChainInfo', channel] },
      { target: 'qscc', args: ['GetBlockByNumber', channel, '0'] },
      { target: 'qscc', args: ['GetBlockByNumber', channel, '18446744073709551615'] },
      { target: 'qscc', args: ['GetBlockByHash', channel, 'x'] },
      { target: 'qscc', args: ['GetTransactionByID', channel, 'x'] },
      { target: 'cscc', args: ['GetConfigBlock', channel] },
      { target: 'cscc', args: ['GetChannels'] },
      { target: '_lifecycle', args: ['QueryChaincodeDefinitions', new Uint8Array()] },
      { target: '_lifecycle', args: ['QueryChaincodeDefinition', Uint8Array.of(0x0a, 1, 0x61)] },
      { target: 'lscc', args: ['x'] },
    ]);
    return propose(random, args, target);
  };

  const seek = (random: Random): common.Envelope =>
    buildSeek(signer, {
      channelId: channel,
      start: random.pick(['oldest', 'newest', ...EXTREME_NUMBERS]),
      stop: random.pick(['oldest', 'newest', ...EXTREME_NUMBERS]),
      failIfNotReady: random.chance(0.5),
      headersOnly: random.chance(0.3),
    });

  const envelopeSeed = (method: Method, payload: Uint8Array): Seed => ({
    method,
    signer,
    signed: payload,
    wrap: wrapEnvelope,
  });

  await capture({
    bytes: () => Buffer.from(`seed${prepared.length}${Date.now()}`.padEnd(24)),
    below: () => 1,
  } as unknown as Random);
  const builders = new Map<Method, (random: Random, chaincode?: string) => Seed>([
    [
      PROCESS_PROPOSAL,
      (random, chaincode) =>
        proposalSeed(PROCESS_PROPOSAL, signer, proposals(random, chaincode), (proposal) => proposal.serializeBinary()),
    ],
    [
      EVALUATE,
      (random, chaincode) =>
        proposalSeed(EVALUATE, signer, proposals(random, chaincode), (proposal) => {
          const request = new gateway.EvaluateRequest();
          request.setChannelId(channel);
          request.setProposedTransaction(proposal);
          if (random.chance(0.2)) request.setTargetOrganizationsList(['Org2MSP', 'NoneMSP']);
          return request.serializeBinary();
        }),
    ],
    [
      ENDORSE,
      (random, chaincode) =>
        proposalSeed(ENDORSE, signer, proposals(random, chaincode), (proposal) => {
          const request = new gateway.EndorseRequest();
          request.setChannelId(channel);
          request.setProposedTransaction(proposal);
          if (random.chance(0.2)) request.setEndorsingOrganizationsList(['Org2MSP', 'NoneMSP']);
          return request.serializeBinary();
        }),
    ],
    [
      SUBMIT,
      (random) => ({
        ...envelopeSeed(SUBMIT, random.pick(prepared)),
        wrap: (payload, signature) => {
          const request = new gateway.SubmitRequest();
          request.setChannelId(channel);
          request.setPreparedTransaction(common.Envelope.deserializeBinary(wrapEnvelope(payload, signature)));
          return request.serializeBinary();
        },
      }),
    ],
    [
      COMMIT_STATUS,
      (random) => {
        const request = new gateway.CommitStatusRequest();
        request.setChannelId(channel);
        request.setIdentity(signer.serialized);
        request.setTransactionId(random.pick(['never', 'f'.repeat(64), random.bytes(32).toString('hex')]));
        return {
          method: COMMIT_STATUS,
          signer,
          signed: request.serializeBinary(),
          wrap: wrapRequest(gateway.SignedCommitStatusRequest),
        };
      },
    ],
    [
      CHAINCODE_EVENTS,
      (random) => eventsSeed(channel, signer, CHAINCODE, random.chance(0.7) ? random.pick(EXTREME_NUMBERS) : undefined),
    ],
    [
      DISCOVER,
      (random) => ({
        method: DISCOVER,
        signer: random.chance(0.5) ? signer : admin,
        signed: buildDiscovery(random, channel, signer),
        wrap: (payload, signature) => {
          const request = new discovery.SignedRequest();
          request.setPayload(payload);
          request.setSignature(signature);
          return request.serializeBinary();
        },
      }),
    ],
    ...[DELIVER, DELIVER_FILTERED, DELIVER_PRIVATE, ORDERER_DELIVER].map(
      (method) => [method, (random: Random) => envelopeSeed(method, seek(random).getPayload_asU8())] as const,
    ),
    [BROADCAST, (random) => envelopeSeed(BROADCAST, random.pick(prepared))],
  ]);
  return {
    signer,
    fromTheBeginning: (method) => {
      if (method === CHAINCODE_EVENTS) return eventsSeed(channel, signer, HOSTILE_CHAINCODE, 0);
      const envelope = buildSeek(signer, { channelId: channel, start: 'oldest', stop: 2 ** 53 - 1 });
      return envelopeSeed(method, envelope.getPayload_asU8());
    },
    make: (random, method, chaincode) => {
      const build = builders.get(method);
      if (build === undefined) throw new Error(`no seed for ${method.path}`);
      return build(random, chaincode);
    },
  };
}

function wrapEnvelope(payload: Uint8Array, signature: Uint8Array): Uint8Array {
  const envelope = new common.Envelope();
  envelope.setPayload(payload);
  envelope.setSignature(signature);
  return envelope.serializeBinary();
}

function wrapRequest(type: typeof gateway.SignedCommitStatusRequest | typeof gateway.SignedChaincodeEventsRequest) {
  return (bytes: Uint8Array, signature: Uint8Array): Uint8Array => {
    const request = new type();
    request.setRequest(bytes);
    request.setSignature(signature);
    return request.serializeBinary();
  };
}

function proposalSeed(
  method: Method,
  signer: SigningIdentity,
  proposal: peer.SignedProposal,
  wrap: (proposal: peer.SignedProposal) => Uint8Array,
): Seed {
  return {
    method,
    signer,
    signed: proposal.getProposalBytes_asU8(),
    wrap: (bytes, signature) => {
      const changed = new peer.SignedProposal();
      changed.setProposalBytes(bytes);
      changed.setSignature(signature);
      return wrap(changed);
    },
  };
}

function eventsSeed(channel: string, signer: SigningIdentity, chaincode: string, from: number | undefined): Seed {
  const request = new gateway.ChaincodeEventsRequest();
  request.setChannelId(channel);
  request.setIdentity(signer.serialized);
  request.setChaincodeId(chaincode);
  if (from !== undefined) {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(from);
    const position = new orderer.SeekPosition();
    position.setSpecified(specified);
    request.setStartPosition(position);
  }
  const wrap = wrapRequest(gateway.SignedChaincodeEventsRequest);
  return { method: CHAINCODE_EVENTS, signer, signed: request.serializeBinary(), wrap };
}

function buildDiscovery(random: Random, channel: string, signer: SigningIdentity): Uint8Array {
  const authentication = new discovery.AuthInfo();
  authentication.setClientIdentity(signer.serialized);
  authentication.setClientTlsCertHash(Buffer.alloc(32, 7));
  const request = new discovery.Request();
  request.setAuthentication(authentication);
  for (let i = random.pick([1, 1, 3, 100]); i > 0; i--) {
    const query = new discovery.Query();
    query.setChannel(random.chance(0.9) ? channel : '');
    const kind = random.below(4);
    if (kind === 0) query.setConfigQuery(new discovery.ConfigQuery());
    else if (kind === 1) query.setPeerQuery(new discovery.PeerMembershipQuery());
    else if (kind === 2) query.setLocalPeers(new discovery.LocalPeerQuery());
    else query.setCcQuery(buildChaincodeQuery(random));
    request.addQueries(query);
  }
  return request.serializeBinary();
}

function buildChaincodeQuery(random: Random): discovery.ChaincodeQuery {
  const call = new peer.ChaincodeCall();
  call.setName(CHAINCODE);
  if (random.chance(0.5)) {
    const rule = new common.SignaturePolicy();
    rule.setSignedBy(random.pick([0, 1, -1, 2 ** 31 - 1]));
    const policy = new common.SignaturePolicyEnvelope();
    policy.setRule(rule);
    call.addKeyPolicies(policy);
    call.setDisregardNamespacePolicy(random.chance(0.5));
  }
  const interest = new peer.ChaincodeInterest();
  interest.addChaincodes(call);
  const query = new discovery.ChaincodeQuery();
  query.setInterestsList(Array.from({ length: random.pick([1, 20]) }, () => interest));
  return query;
}

/** A proposal whose headers are odd but whose transaction id and signature are right. */
export function buildOddProposal(
  random: Random,
  signer: SigningIdentity,
  channel: string,
  creator: Uint8Array,
): peer.SignedProposal {
  const odd: SigningIdentity = { ...signer, serialized: creator };
  return buildSignedProposal(odd, {
    channelId: channel,
    chaincode: random.pick([CHAINCODE, 'qscc', '']),
    args: ['get', 'key'],
    nonce: random.pick([Buffer.alloc(0), random.bytes(1), random.bytes(24), Buffer.alloc(100_000, 3)]),
    timeMs: random.pick([Date.now(), 0, 8.64e15 - 1, Date.now() + 60 * 60 * 1000]),
  });
}
