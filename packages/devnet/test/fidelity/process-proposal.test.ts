import { common, msp } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { createTimestamp } from '../../src/block/timestamp.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { compareProposal } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import { buildProposal, type ProposalParts } from './harness/proposal-parts.ts';

const JUNK = Buffer.from('ffffffff', 'hex');
const CHANNEL = 'mychannel';
const call: ProposalParts = { channelId: CHANNEL, chaincode: 'qscc', args: ['GetChainInfo', CHANNEL] };
const user: ProposalParts = { channelId: CHANNEL, chaincode: 'assets', args: ['read', 'a'] };

/** The proposals that a peer must take or refuse in the same words. */
const PROPOSALS: Readonly<Record<string, ProposalParts>> = {
  'a query of the ledger': call,
  'a proposal that is no message': { ...call, proposalBytes: JUNK },
  'an empty proposal': { ...call, proposalBytes: new Uint8Array() },
  'a header that is no message': { ...call, headerBytes: JUNK },
  'no header': { ...call, headerBytes: new Uint8Array() },
  'a channel header that is no message': { ...call, channelHeaderBytes: JUNK },
  'no channel header': { ...call, channelHeaderBytes: new Uint8Array() },
  'a signature header that is no message': { ...call, signatureHeaderBytes: JUNK },
  'no signature header': { ...call, signatureHeaderBytes: new Uint8Array() },
  'an extension that is no message': { ...call, extensionBytes: JUNK },
  'no extension': { ...call, extensionBytes: new Uint8Array() },
  'an extension without a chaincode name': {
    ...call,
    extension: (extension) => extension.getChaincodeId()?.setName(''),
  },
  'a payload that is no message': { ...call, payloadBytes: JUNK },
  'no payload': { ...call, payloadBytes: new Uint8Array() },
  'an invocation that is no message': { ...call, specBytes: JUNK },
  'an invocation without a chaincode': { ...call, invocation: (invocation) => invocation.clearChaincodeSpec() },
  'a chaincode without an input': { ...call, spec: (spec) => spec.clearInput() },
  'the type CONFIG': { ...call, channelHeader: (header) => header.setType(common.HeaderType.CONFIG) },
  'the type CONFIG_UPDATE': { ...call, channelHeader: (header) => header.setType(common.HeaderType.CONFIG_UPDATE) },
  'the type MESSAGE': { ...call, channelHeader: (header) => header.setType(common.HeaderType.MESSAGE) },
  'a type that nobody knows': {
    ...call,
    channelHeader: (header) => header.setType(77),
  },
  'an epoch': { ...call, channelHeader: (header) => header.setEpoch(1) },
  'no nonce': { ...call, signatureHeader: (header) => header.setNonce('') },
  'no creator': { ...call, signatureHeader: (header) => header.setCreator('') },
  'another transaction id': { ...call, channelHeader: (header) => header.setTxId('00') },
  'no transaction id': { ...call, channelHeader: (header) => header.setTxId('') },
  'no signature': { ...call, signature: () => new Uint8Array() },
  'a signature that is none': { ...call, signature: () => Buffer.from('hello') },
  'a signature of something else': { ...call, signature: (signature) => signature.slice().fill(1, -4) },
  'a creator that is no message': { ...call, signatureHeader: (header) => header.setCreator(JUNK) },
  'a creator of an unknown MSP': { ...call, signatureHeader: (header) => header.setCreator(identity('NoMSP', 'x')) },
  'a creator without a certificate': {
    ...call,
    signatureHeader: (header) => header.setCreator(identity('Org1MSP', 'not PEM')),
  },
  'a creator without anything': { ...call, signatureHeader: (header) => header.setCreator(identity('', '')) },
  'a clock that is behind': {
    ...call,
    channelHeader: (header) => header.setTimestamp(createTimestamp(Date.UTC(2020, 0, 2))),
  },
  'a clock that is ahead': {
    ...call,
    channelHeader: (header) => header.setTimestamp(createTimestamp(Date.UTC(2096, 0, 2))),
  },
  'no time': { ...call, channelHeader: (header) => header.clearTimestamp() },
  'a channel that is not there': { ...call, channelId: 'nochannel' },
  'a channel that is not there, and a wrong signature': {
    ...call,
    channelId: 'nochannel',
    signature: () => Buffer.from('hello'),
  },
  'no channel': { ...call, channelId: '' },
  'no channel, for a chaincode of the channel': { ...user, channelId: '' },
  'a chaincode that is not defined': { ...user, chaincode: 'nothing' },
  'a chaincode with a version': { ...user, chaincode: 'assets:1.0' },
  vscc: { ...user, chaincode: 'vscc' },
  escc: { ...user, chaincode: 'escc' },
  'the name of a chaincode that differs between header and call': {
    ...call,
    spec: (spec) => spec.getChaincodeId()?.setName('cscc'),
  },
  'a chaincode call without an id': { ...call, spec: (spec) => spec.clearChaincodeId() },
  'transient data': { ...call, transient: { secret: 'x' } },
};

describeFidelity(
  'ProcessProposal answers as a Fabric peer does',
  { recording: 'process-proposal', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    const propose = (name: string, signer: SigningIdentity, parts: ProposalParts) => {
      const proposal = buildProposal(signer, parts);
      return fidelity().same(name, fidelity().twin.peers, async (node) =>
        compareProposal(await node.propose(proposal)),
      );
    };

    test.each(Object.keys(PROPOSALS))('%s', async (name) => {
      await propose(name, fidelity().twin.identities.user, PROPOSALS[name] ?? call);
    });

    test('a signer of another organisation, with and without a channel', async () => {
      const { otherUser } = fidelity().twin.identities;
      await propose('other organisation', otherUser, call);
      await propose('other organisation, no channel', otherUser, { ...call, channelId: '' });
    });

    test('a signer of the right name from a foreign CA', async () => {
      const foreign = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
      const issued = await foreign.issue({ enrolmentId: 'User1@org1.example.com', role: 'client' });
      const forged = createSigningIdentity(issued);
      await propose('foreign CA, system chaincode', forged, call);
      await propose('foreign CA, chaincode', forged, user);
      await propose('foreign CA, no channel', forged, { ...call, channelId: '' });
    });
  },
);

function identity(mspId: string, pem: string): Uint8Array {
  const serialized = new msp.SerializedIdentity();
  serialized.setMspid(mspId);
  serialized.setIdBytes(Buffer.from(pem));
  return serialized.serializeBinary();
}
