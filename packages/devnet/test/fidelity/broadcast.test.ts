import { randomBytes } from 'node:crypto';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../../src/block/timestamp.ts';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { createSigningIdentity, serializeIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { buildSeek } from '../harness/proposals.ts';
import { compareCall, stableText, type Comparable } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import type { Answer, FabricNode } from './harness/fabric-node.ts';
import { until } from './harness/twin.ts';

const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');
const MAX_BYTES = 64 * 1024;

interface Message {
  readonly type?: common.HeaderTypeMap[keyof common.HeaderTypeMap];
  readonly data?: Uint8Array;
  readonly channelHeader?: (header: common.ChannelHeader) => void;
  readonly creator?: Uint8Array;
  readonly payload?: (payload: common.Payload) => void;
  readonly payloadBytes?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

const Type = common.HeaderType;

/** What an orderer refuses; what is in a transaction is nothing to it. */
const MESSAGES: Readonly<Record<string, Message>> = {
  'a transaction that is none': { data: JUNK },
  'an empty transaction': {},
  'no payload': { payloadBytes: new Uint8Array() },
  'a payload that is no message': { payloadBytes: JUNK },
  'no header': { payload: (payload) => payload.clearHeader() },
  'no channel header': { payload: (payload) => payload.getHeader()?.setChannelHeader('') },
  'a channel header that is no message': { payload: (payload) => payload.getHeader()?.setChannelHeader(JUNK) },
  'no signature header': { payload: (payload) => payload.getHeader()?.setSignatureHeader('') },
  'a signature header that is no message': { payload: (payload) => payload.getHeader()?.setSignatureHeader(JUNK) },
  'no channel': { channelHeader: (header) => header.setChannelId('') },
  'a channel that is not there': { channelHeader: (header) => header.setChannelId('nochannel') },
  'a configuration': { type: Type.CONFIG },
  'an orderer transaction': { type: Type.ORDERER_TRANSACTION },
  'a message of type MESSAGE': { type: Type.MESSAGE },
  'a seek': { type: Type.DELIVER_SEEK_INFO },
  'a chaincode package': { type: Type.CHAINCODE_PACKAGE },
  'a type that nobody knows': { channelHeader: (header) => header.setType(77) },
  'no time': { channelHeader: (header) => header.clearTimestamp() },
  'an old time': { channelHeader: (header) => header.setTimestamp(createTimestamp(0)) },
  'no signature': { signature: () => new Uint8Array() },
  'a signature that is none': { signature: () => JUNK },
  'a wrong signature': { signature: (signature) => signature.slice().fill(1, -4) },
  'no creator': { creator: new Uint8Array() },
  'a creator that is no message': { creator: JUNK },
  'a creator of an unknown MSP': { creator: serializeIdentity('NoMSP', 'x') },
  'a creator without a certificate': { creator: serializeIdentity('Org1MSP', 'x') },
  'a message that is too large': { data: Buffer.alloc(MAX_BYTES) },
  'a message that is too large and not signed': { data: Buffer.alloc(MAX_BYTES), signature: () => new Uint8Array() },
};

describeFidelity(
  'messages are taken and refused as Fabric’s orderer does it',
  {
    recording: 'broadcast',
    devnet: {
      chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }],
      batch: { timeoutMs: 50, absoluteMaxBytes: MAX_BYTES, preferredMaxBytes: 1024 },
    },
  },
  (fidelity) => {
    let accepted = 0;
    const broadcast = (name: string, messages: readonly Uint8Array[]) =>
      fidelity().same(name, fidelity().twin.orderers, async (node) => {
        const answer = await node.stream('/orderer.AtomicBroadcast/Broadcast', messages, { noMore: true });
        if (node === fidelity().twin.orderers.devnet) accepted += answersOf(answer).filter(isSuccess).length;
        return compareBroadcast(answer);
      });
    const chain = async (node: FabricNode) => {
      const seek = buildSeek(fidelity().twin.identities.user, { channelId: CHANNEL, start: 'oldest', stop: 'newest' });
      const { responses } = await node.stream('/protos.Deliver/Deliver', [seek.serializeBinary()], { noMore: true });
      return responses.flatMap((bytes) => peer.DeliverResponse.deserializeBinary(bytes).getBlock() ?? []);
    };

    test.each(Object.keys(MESSAGES))('%s', async (name) => {
      await broadcast(name, [buildMessage(fidelity().twin.identities.user, MESSAGES[name] ?? {})]);
    });

    test('an empty envelope', async () => {
      await broadcast('an empty envelope', [new Uint8Array()]);
    });

    test('no message at all', async () => {
      await broadcast('no message', []);
    });

    test('several messages are answered one by one, until one is refused', async () => {
      const { user } = fidelity().twin.identities;
      const right = buildMessage(user, { data: Buffer.from('x') });
      const wrong = buildMessage(user, { signature: () => JUNK });
      await broadcast('two right ones', [right, right]);
      await broadcast('a wrong one between right ones', [right, wrong, right]);
    });

    test('who may write', async () => {
      const { admin, otherUser, otherAdmin } = fidelity().twin.identities;
      const foreign = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
      const forged = createSigningIdentity(await foreign.issue({ enrolmentId: 'x', role: 'client' }));
      const org1 = fidelity().twin.devnet.organisation('Org1MSP');
      const peer = createSigningIdentity(await org1.enrol({ enrolmentId: 'another-peer', role: 'peer' }));
      const signers = { admin, otherUser, otherAdmin, 'foreign CA': forged, 'the role peer': peer };
      for (const [name, signer] of Object.entries(signers)) await broadcast(name, [buildMessage(signer, {})]);
    });

    test('the peers judge in the same way what was ordered', async () => {
      const { twin } = fidelity();
      // The genesis block and the definition of the chaincode are there as well.
      await until(async () => codesOf(await chain(twin.peers.devnet)).length === accepted + 2);
      await twin.level();
      await fidelity().same('the chain', twin.peers, async (node) => {
        const blocks = await chain(node);
        const bytes = blocks.map((block) => Buffer.from(block.serializeBinary()).toString('base64'));
        return { stable: { codes: codesOf(blocks) }, exact: bytes };
      });
    });
  },
);

function buildMessage(signer: SigningIdentity, message: Message): Uint8Array {
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(message.type ?? common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTimestamp(createTimestamp(Date.now()));
  channelHeader.setChannelId(CHANNEL);
  message.channelHeader?.(channelHeader);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(message.creator ?? signer.serialized);
  signatureHeader.setNonce(randomBytes(24));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(message.data ?? new Uint8Array());
  message.payload?.(payload);
  const envelope = new common.Envelope();
  envelope.setPayload(message.payloadBytes ?? payload.serializeBinary());
  const signature = signer.sign(envelope.getPayload_asU8());
  envelope.setSignature(message.signature?.(signature) ?? signature);
  return envelope.serializeBinary();
}

function answersOf(answer: Answer): orderer.BroadcastResponse[] {
  return answer.responses.map((bytes) => orderer.BroadcastResponse.deserializeBinary(bytes));
}

function isSuccess(response: orderer.BroadcastResponse): boolean {
  return response.getStatus() === common.Status.SUCCESS;
}

function codesOf(blocks: readonly common.Block[]): number[] {
  return blocks.flatMap((block) => [...(block.getMetadata()?.getMetadataList_asU8()[2] ?? [])]);
}

function compareBroadcast(answer: Answer): Comparable {
  const responses = answersOf(answer);
  const described = responses.map((response) => `${response.getStatus()} ${stableText(response.getInfo())}`);
  // How long a message is depends on its signatures.
  const answers = described.map((text) => text.replace(/payload is \d+ bytes/, 'payload is N bytes'));
  return { stable: { ...(compareCall(answer).stable as object), answers }, exact: described };
}
