import { common, gateway, msp, orderer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '../../src/msp/index.ts';
import { compareCall, type Comparable } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import type { Answer, StreamOptions } from './harness/fabric-node.ts';
import { buildProposal, type ProposalParts } from './harness/proposal-parts.ts';

const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');
const WAIT_MS = 150;
const user: ProposalParts = { channelId: CHANNEL, chaincode: 'assets', args: ['read', 'a'] };
const qscc: ProposalParts = { channelId: CHANNEL, chaincode: 'qscc', args: ['GetChainInfo', CHANNEL] };

/** What a gateway does with a proposal before any chaincode is asked. `null`: there is none in the request. */
const PROPOSALS: Readonly<Record<string, ProposalParts | null>> = {
  'no proposal': null,
  'an empty proposal': { ...user, proposalBytes: new Uint8Array() },
  'a proposal that is no message': { ...user, proposalBytes: JUNK },
  'a header that is no message': { ...user, headerBytes: JUNK },
  'a channel header that is no message': { ...user, channelHeaderBytes: JUNK },
  'no channel header': { ...user, channelHeaderBytes: new Uint8Array() },
  'a payload that is no message': { ...user, payloadBytes: JUNK },
  'no payload': { ...user, payloadBytes: new Uint8Array() },
  'an invocation that is no message': { ...user, specBytes: JUNK },
  'no chaincode': { ...user, spec: (spec) => spec.clearChaincodeId() },
  'no channel': { ...user, channelId: '' },
  'a channel that is not there': { ...user, channelId: 'nochannel' },
  'a chaincode that is not there': { ...user, chaincode: 'nothing' },
  'a chaincode that is not there, with transient data': { ...user, chaincode: 'nothing', transient: { a: 'b' } },
  'a system chaincode': qscc,
  cscc: { ...qscc, chaincode: 'cscc', args: ['GetChannels'] },
  _lifecycle: { ...qscc, chaincode: '_lifecycle', args: ['QueryChaincodeDefinitions', ''] },
};

interface Signed {
  readonly request?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

describeFidelity(
  'a gateway refuses as Fabric’s',
  { recording: 'gateway', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    const call = (name: string, method: string, request: Uint8Array, options: StreamOptions = {}) =>
      fidelity().same(`${method}: ${name}`, fidelity().twin.peers, async (node) =>
        compareGateway(
          method === 'ChaincodeEvents'
            ? await node.serverStream(`/gateway.Gateway/${method}`, request, options)
            : await node.unary(`/gateway.Gateway/${method}`, request, options),
          node.address,
        ),
      );
    const proposalOf = (name: string) => {
      const parts = PROPOSALS[name];
      return parts === null || parts === undefined ? undefined : buildProposal(fidelity().twin.identities.user, parts);
    };

    test.each(Object.keys(PROPOSALS))('Evaluate: %s', async (name) => {
      const request = new gateway.EvaluateRequest();
      const proposal = proposalOf(name);
      if (proposal !== undefined) request.setProposedTransaction(proposal);
      await call(name, 'Evaluate', request.serializeBinary());
      request.setTargetOrganizationsList(['Org1MSP']);
      await call(`${name}, for Org1MSP`, 'Evaluate', request.serializeBinary());
      request.setTargetOrganizationsList(['NoMSP']);
      await call(`${name}, for NoMSP`, 'Evaluate', request.serializeBinary());
    });

    // A text that ends with the name of no channel does not reach clients in Node; Fabric's twin cannot endorse for Org2.
    const unlike = ['no channel', 'no channel header', '_lifecycle'];
    test.each(Object.keys(PROPOSALS).filter((name) => !unlike.includes(name)))('Endorse: %s', async (name) => {
      const request = new gateway.EndorseRequest();
      const proposal = proposalOf(name);
      if (proposal !== undefined) request.setProposedTransaction(proposal);
      await call(name, 'Endorse', request.serializeBinary());
      request.setEndorsingOrganizationsList(['NoMSP']);
      await call(`${name}, by NoMSP`, 'Endorse', request.serializeBinary());
      request.setEndorsingOrganizationsList(['NoMSP', 'OtherMSP', 'NoMSP']);
      await call(`${name}, by two unknown organisations`, 'Endorse', request.serializeBinary());
    });

    test('Submit', async () => {
      const request = (channelId: string, envelope?: common.Envelope) => {
        const submit = new gateway.SubmitRequest();
        submit.setChannelId(channelId);
        submit.setTransactionId('ff');
        if (envelope !== undefined) submit.setPreparedTransaction(envelope);
        return submit.serializeBinary();
      };
      const signed = new common.Envelope();
      signed.setPayload(JUNK);
      signed.setSignature(JUNK);
      const unsigned = new common.Envelope();
      unsigned.setPayload(JUNK);
      await call('nothing', 'Submit', new Uint8Array());
      await call('no transaction', 'Submit', request(CHANNEL));
      await call('no signature', 'Submit', request(CHANNEL, unsigned));
      await call('an empty transaction', 'Submit', request(CHANNEL, new common.Envelope()));
      await call('a channel that is not there', 'Submit', request('nochannel', signed));
      await call('a transaction that the orderer refuses', 'Submit', request(CHANNEL, signed));
    });

    test('CommitStatus', async () => {
      const { twin } = fidelity();
      const [, block] = await twin.orderers.devnet.blocks(twin.identities.user, CHANNEL);
      const known = transactionIdOf(block);
      const request = (signer: SigningIdentity, change: (request: gateway.CommitStatusRequest) => void) => {
        const status = new gateway.CommitStatusRequest();
        status.setChannelId(CHANNEL);
        status.setTransactionId(known);
        status.setIdentity(signer.serialized);
        change(status);
        return status.serializeBinary();
      };
      const asked = (
        signer: SigningIdentity,
        signed: Signed,
        change: Parameters<typeof request>[1] = () => undefined,
      ) => {
        const status = new gateway.SignedCommitStatusRequest();
        status.setRequest(signed.request ?? request(signer, change));
        const signature = signer.sign(status.getRequest_asU8());
        status.setSignature(signed.signature?.(signature) ?? signature);
        return status.serializeBinary();
      };
      const { user: signer, otherUser, admin } = twin.identities;
      const method = 'CommitStatus';
      await call('a known transaction', method, asked(signer, {}));
      await call('a known transaction, for the other organisation', method, asked(otherUser, {}));
      await call('a known transaction, for an admin', method, asked(admin, {}));
      await call('nothing', method, new Uint8Array());
      await call('no request', method, asked(signer, { request: new Uint8Array() }));
      await call('a request that is no message', method, asked(signer, { request: JUNK }));
      await call(
        'no identity',
        method,
        asked(signer, {}, (status) => status.setIdentity('')),
      );
      await call(
        'an identity that is no message',
        method,
        asked(signer, {}, (status) => status.setIdentity(JUNK)),
      );
      await call(
        'an unknown identity',
        method,
        asked(signer, {}, (status) => status.setIdentity(unknownIdentity())),
      );
      await call(
        'no channel',
        method,
        asked(signer, {}, (status) => status.setChannelId('')),
      );
      await call(
        'an unknown channel',
        method,
        asked(signer, {}, (status) => status.setChannelId('nochannel')),
      );
      await call(
        'no transaction id',
        method,
        asked(signer, {}, (status) => status.setTransactionId('')),
      );
      await call('a wrong signature', method, asked(signer, { signature: () => JUNK }));
      await call('no signature', method, asked(signer, { signature: () => new Uint8Array() }));
      const unknown = asked(signer, {}, (status) => status.setTransactionId('ff'));
      await call('a transaction that is not there', method, unknown, { waitMs: WAIT_MS });
    });

    test('ChaincodeEvents', async () => {
      const { user: signer, otherUser } = fidelity().twin.identities;
      const asked = (
        who: SigningIdentity,
        signed: Signed,
        change: (request: gateway.ChaincodeEventsRequest) => void = () => undefined,
      ) => {
        const events = new gateway.ChaincodeEventsRequest();
        events.setChannelId(CHANNEL);
        events.setChaincodeId('assets');
        events.setIdentity(who.serialized);
        change(events);
        const request = new gateway.SignedChaincodeEventsRequest();
        request.setRequest(signed.request ?? events.serializeBinary());
        const signature = who.sign(request.getRequest_asU8());
        request.setSignature(signed.signature?.(signature) ?? signature);
        return request.serializeBinary();
      };
      const from = (set: (position: orderer.SeekPosition) => void) => (request: gateway.ChaincodeEventsRequest) => {
        const position = new orderer.SeekPosition();
        set(position);
        request.setStartPosition(position);
      };
      const specified = (number: number) =>
        from((position) => {
          const block = new orderer.SeekSpecified();
          block.setNumber(number);
          position.setSpecified(block);
        });
      const method = 'ChaincodeEvents';
      const waiting = { waitMs: WAIT_MS };
      await call('nothing yet', method, asked(signer, {}), waiting);
      await call('nothing yet, for the other organisation', method, asked(otherUser, {}), waiting);
      await call('nothing', method, new Uint8Array());
      await call('no request', method, asked(signer, { request: new Uint8Array() }));
      await call('a request that is no message', method, asked(signer, { request: JUNK }));
      await call(
        'no identity',
        method,
        asked(signer, {}, (request) => request.setIdentity('')),
      );
      await call(
        'no channel',
        method,
        asked(signer, {}, (request) => request.setChannelId('')),
      );
      await call(
        'an unknown channel',
        method,
        asked(signer, {}, (request) => request.setChannelId('nochannel')),
      );
      await call(
        'no chaincode',
        method,
        asked(signer, {}, (request) => request.setChaincodeId('')),
        waiting,
      );
      await call(
        'an unknown chaincode',
        method,
        asked(signer, {}, (request) => request.setChaincodeId('no')),
        waiting,
      );
      await call('a wrong signature', method, asked(signer, { signature: () => JUNK }));
      await call('from block 0', method, asked(signer, {}, specified(0)), waiting);
      await call('from the next block', method, asked(signer, {}, specified(2)), waiting);
      await call('from a block far away', method, asked(signer, {}, specified(99)), waiting);
      const oldest = from((position) => position.setOldest(new orderer.SeekOldest()));
      const newest = from((position) => position.setNewest(new orderer.SeekNewest()));
      const next = from((position) => position.setNextCommit(new orderer.SeekNextCommit()));
      await call('from the oldest block', method, asked(signer, {}, oldest), waiting);
      await call('from the newest block', method, asked(signer, {}, newest), waiting);
      await call('from the next commit', method, asked(signer, {}, next), waiting);
      await call(
        'from nowhere',
        method,
        asked(
          signer,
          {},
          from(() => undefined),
        ),
        waiting,
      );
      const after = asked(signer, {}, (request) => request.setAfterTransactionId('ff'));
      await call('after a transaction that is not there', method, after, waiting);
    });
  },
);

function unknownIdentity(): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid('NoMSP');
  identity.setIdBytes(Buffer.from('x'));
  return identity.serializeBinary();
}

function transactionIdOf(block: common.Block | undefined): string {
  const [envelope] = block?.getData()?.getDataList_asU8() ?? [];
  if (envelope === undefined) throw new Error('no transaction');
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  const header = payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array();
  return common.ChannelHeader.deserializeBinary(header).getTxId();
}

/** Error details say who failed: addresses are each side's own. */
function compareGateway(answer: Answer, address: string): Comparable {
  const compared = compareCall(answer);
  const details = answer.details.map((bytes) => {
    const detail = gateway.ErrorDetail.deserializeBinary(bytes);
    const where = detail.getAddress() === address ? 'the peer asked' : 'another node';
    return `${where} of ${detail.getMspId()}: ${detail.getMessage().replaceAll('\u00a0', ' ')}`;
  });
  return {
    stable: { ...(compared.stable as object), details },
    exact: answer.responses.map((bytes) => Buffer.from(bytes).toString('base64')),
  };
}
