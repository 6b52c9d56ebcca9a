import { randomBytes } from 'node:crypto';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../../src/block/timestamp.ts';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import type { Comparable } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import type { Answer, FabricNode, StreamOptions } from './harness/fabric-node.ts';

const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');
/** Long enough for any answer, short enough to wait for nothing. */
const WAIT_MS = 100;

/** `orderer.SeekPosition` bytes: the largest block number cannot be written as a JavaScript number. */
type Position = Uint8Array;

const position = (set: (position: orderer.SeekPosition) => void): Position => {
  const result = new orderer.SeekPosition();
  set(result);
  return result.serializeBinary();
};
const oldest = position((to) => to.setOldest(new orderer.SeekOldest()));
const newest = position((to) => to.setNewest(new orderer.SeekNewest()));
const nextCommit = position((to) => to.setNextCommit(new orderer.SeekNextCommit()));
const nothing = position(() => undefined);
const block = (number: number): Position => {
  const specified = new orderer.SeekSpecified();
  specified.setNumber(number);
  return position((to) => to.setSpecified(specified));
};
const lastOfAll: Position = Buffer.from('1a0b08ffffffffffffffffff01', 'hex');

interface Seek {
  readonly start?: Position;
  readonly stop?: Position;
  readonly seek?: (seek: orderer.SeekInfo) => void;
  readonly channelHeader?: (header: common.ChannelHeader) => void;
  readonly channelHeaderBytes?: Uint8Array;
  readonly creator?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly payload?: (payload: common.Payload) => void;
  readonly payloadBytes?: Uint8Array;
  /** Waits for blocks that do not come. */
  readonly waits?: true;
}

const failIfNotReady = (seek: orderer.SeekInfo) => seek.setBehavior(orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY);
const bestEffort = (seek: orderer.SeekInfo) => seek.setErrorResponse(orderer.SeekInfo.SeekErrorResponse.BEST_EFFORT);
const headersOnly = (seek: orderer.SeekInfo) => seek.setContentType(orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG);
const all = { start: oldest, stop: newest };

const SEEKS: Readonly<Record<string, Seek>> = {
  'from the oldest to the newest': all,
  'from the newest to the newest': { start: newest, stop: newest },
  'from the oldest to the oldest': { start: oldest, stop: oldest },
  'from the newest to the oldest': { start: newest, stop: oldest },
  'block 0': { start: block(0), stop: block(0) },
  'block 1': { start: block(1), stop: block(1) },
  'from block 1 to block 0': { start: block(1), stop: block(0) },
  'from block 1 to the oldest': { start: block(1), stop: oldest },
  'from block 1 to the newest': { start: block(1), stop: newest },
  'the next block': { start: block(2), stop: block(2), waits: true },
  'the block after the next one': { start: block(3), stop: block(3) },
  'from the next block to the newest': { start: block(2), stop: newest, waits: true },
  'from the next commit on': { start: nextCommit, stop: lastOfAll, waits: true },
  'from the next commit to the newest': { start: nextCommit, stop: newest, waits: true },
  'from the next commit to block 1': { start: nextCommit, stop: block(1) },
  'to the next commit': { start: newest, stop: nextCommit, waits: true },
  'from the oldest to the next commit': { start: oldest, stop: nextCommit },
  'from the largest block number': { start: lastOfAll, stop: lastOfAll },
  'everything there will be': { start: oldest, stop: lastOfAll, waits: true },
  'no start': { stop: newest },
  'no stop': { start: oldest },
  'a start that says nothing': { start: nothing, stop: newest },
  'a stop that says nothing': { start: oldest, stop: nothing },
  'a stop that says nothing, from block 1': { start: block(1), stop: nothing, waits: true },
  'the next block, if it is there': { start: block(2), stop: block(2), seek: failIfNotReady },
  'the block after the next one, if it is there': { start: block(3), stop: block(3), seek: failIfNotReady },
  'from block 1 to block 5, as far as they are there': { start: block(1), stop: block(5), seek: failIfNotReady },
  'the next commit, if it is there': { start: nextCommit, stop: lastOfAll, seek: failIfNotReady },
  'in spite of errors': { ...all, seek: bestEffort },
  'a seek that is no message': { ...all, payload: (payload) => payload.setData(JUNK) },
  'no seek': { payload: (payload) => payload.setData('') },
  'a payload that is no message': { ...all, payloadBytes: JUNK },
  'no payload': { ...all, payloadBytes: new Uint8Array() },
  'no header': { ...all, payload: (payload) => payload.clearHeader() },
  'a channel header that is no message': { ...all, channelHeaderBytes: JUNK },
  'a signature header that is no message': {
    ...all,
    payload: (payload) => payload.getHeader()?.setSignatureHeader(JUNK),
  },
  'no signature header': { ...all, payload: (payload) => payload.getHeader()?.setSignatureHeader('') },
  'no time': { ...all, channelHeader: (header) => header.clearTimestamp() },
  'a clock that is behind': { ...all, channelHeader: (header) => header.setTimestamp(createTimestamp(0)) },
  'a clock that is ahead': {
    ...all,
    channelHeader: (header) => header.setTimestamp(createTimestamp(Date.UTC(2096, 1, 1))),
  },
  'a channel that is not there': { ...all, channelHeader: (header) => header.setChannelId('nochannel') },
  'no channel': { ...all, channelHeader: (header) => header.setChannelId('') },
  'another type of message': { ...all, channelHeader: (header) => header.setType(common.HeaderType.MESSAGE) },
  'no signature': { ...all, signature: () => new Uint8Array() },
  'a wrong signature': { ...all, signature: (signature) => signature.slice().fill(1, -4) },
  'no creator': { ...all, creator: new Uint8Array() },
  'a creator that is no message': { ...all, creator: JUNK },
  'a wrong signature, and no start': { stop: newest, signature: (signature) => signature.slice().fill(1, -4) },
};

const SERVICES = {
  'protos.Deliver/Deliver': { nodes: 'peers', read: peer.DeliverResponse },
  'protos.Deliver/DeliverFiltered': { nodes: 'peers', read: peer.DeliverResponse },
  'protos.Deliver/DeliverWithPrivateData': { nodes: 'peers', read: peer.DeliverResponse },
  'orderer.AtomicBroadcast/Deliver': { nodes: 'orderers', read: orderer.DeliverResponse },
} as const;

type Service = keyof typeof SERVICES;

describeFidelity(
  'blocks are delivered as Fabric delivers them',
  { recording: 'deliver', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    const deliver = (service: Service, name: string, requests: readonly Uint8Array[], options: StreamOptions) =>
      fidelity().same(`${service}: ${name}`, fidelity().twin[SERVICES[service].nodes], (node) =>
        ask(node, service, requests, options),
      );

    describe.each(Object.keys(SERVICES) as Service[])('%s', (service) => {
      test.each(Object.keys(SEEKS))('%s', async (name) => {
        const request = SEEKS[name] ?? {};
        const envelope = buildSeek(fidelity().twin.identities.user, request);
        await deliver(service, name, [envelope], { noMore: true, ...(request.waits ? { waitMs: WAIT_MS } : {}) });
      });

      // Fabric's peer ends with a nil pointer when it filters a block without data.
      const filtersHeaders = service === 'protos.Deliver/DeliverFiltered';
      (filtersHeaders ? test.skip : test)('headers only; configuration blocks are whole', async () => {
        const request = { start: oldest, stop: newest, seek: headersOnly };
        await deliver(service, 'headers only', [buildSeek(fidelity().twin.identities.user, request)], { noMore: true });
      });

      test('one seek after the other, until one fails', async () => {
        const { user } = fidelity().twin.identities;
        const request = (seek: Seek) => buildSeek(user, seek);
        const first = request({ start: block(0), stop: block(0) });
        const wrong = request({ start: block(1), stop: block(0) });
        await deliver(service, 'two seeks', [first, first], { noMore: true });
        await deliver(service, 'a wrong one between', [first, wrong, first], {});
        await deliver(service, 'nothing', [], { noMore: true });
        await deliver(service, 'nothing yet', [], { waitMs: WAIT_MS });
      });

      test('other signers', async () => {
        const { admin, otherUser } = fidelity().twin.identities;
        const foreign = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
        const forged = createSigningIdentity(await foreign.issue({ enrolmentId: 'x', role: 'admin' }));
        const signers = { admin, 'user of the other organisation': otherUser, 'foreign CA': forged };
        for (const [name, signer] of Object.entries(signers)) {
          await deliver(service, name, [buildSeek(signer, { start: block(0), stop: block(0) })], { noMore: true });
        }
      });
    });
  },
);

async function ask(
  node: FabricNode,
  service: Service,
  requests: readonly Uint8Array[],
  options: StreamOptions,
): Promise<Comparable> {
  return compareDeliveries(await node.stream(`/${service}`, requests, options), SERVICES[service].read);
}

/** Numbers and statuses are the same in every run, blocks where the chain is the same. */
function compareDeliveries(answer: Answer, type: (typeof SERVICES)[Service]['read']): Comparable {
  const read = answer.responses.map((bytes) => type.deserializeBinary(bytes));
  const described = read.map((response) => {
    if (response.getStatus() !== 0) return `status ${response.getStatus()}`;
    const delivered =
      response.getBlock() ??
      (response instanceof peer.DeliverResponse ? response.getBlockAndPrivateData()?.getBlock() : undefined);
    const number = delivered?.getHeader()?.getNumber();
    if (number !== undefined) {
      const data = delivered?.getData()?.getDataList().length;
      return `block ${number}, ${data === undefined ? 'no data' : `${data} transactions`}`;
    }
    return response instanceof peer.DeliverResponse ? describeFiltered(response.getFilteredBlock()) : 'nothing';
  });
  return {
    stable: { code: answer.code, text: answer.text.replaceAll('\u00a0', ' '), delivered: described },
    exact: type === peer.DeliverResponse ? answer.responses.map((bytes) => Buffer.from(bytes).toString('base64')) : [],
  };
}

function describeFiltered(filtered: peer.FilteredBlock | undefined): string {
  const types = filtered?.getFilteredTransactionsList().map((transaction) => transaction.getType());
  return `filtered block ${filtered?.getNumber()} of types ${types?.join()}`;
}

function buildSeek(signer: SigningIdentity, request: Seek): Uint8Array {
  const seek = new orderer.SeekInfo();
  request.seek?.(seek);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setTimestamp(createTimestamp(Date.now()));
  channelHeader.setChannelId(CHANNEL);
  request.channelHeader?.(channelHeader);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(request.creator ?? signer.serialized);
  signatureHeader.setNonce(randomBytes(24));
  const header = new common.Header();
  header.setChannelHeader(request.channelHeaderBytes ?? channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(Buffer.concat([field(1, request.start), field(2, request.stop), seek.serializeBinary()]));
  request.payload?.(payload);
  const envelope = new common.Envelope();
  envelope.setPayload(request.payloadBytes ?? payload.serializeBinary());
  const signature = signer.sign(envelope.getPayload_asU8());
  envelope.setSignature(request.signature?.(signature) ?? signature);
  return envelope.serializeBinary();
}

/** A length-delimited field, if there is one. */
function field(number: number, content: Uint8Array | undefined): Uint8Array {
  return content === undefined
    ? new Uint8Array()
    : Buffer.concat([Buffer.of((number << 3) | 2, content.length), content]);
}
