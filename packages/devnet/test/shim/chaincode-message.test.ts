import { peer } from '@hyperledger/fabric-protos';
import { encodeMessage, type PeerMessage } from '../../src/shim/chaincode-message.ts';

const { Type } = peer.ChaincodeMessage;
const HEAD_BYTES = 5;

describe('a message to a chaincode', () => {
  test.each<[string, PeerMessage]>([
    ['with a type alone', { type: Type.REGISTERED }],
    ['with nothing at all', { type: Type.UNDEFINED }],
    ['with an empty payload', { type: Type.RESPONSE, payload: new Uint8Array(), txId: 'a', channelId: 'b' }],
    [
      'with text beyond ASCII',
      { type: Type.ERROR, payload: Buffer.from('ü€😀'), txId: 'ü€😀', channelId: 'mychannel' },
    ],
    [
      'with a payload of 200 KiB',
      { type: Type.RESPONSE, payload: Buffer.alloc(200 * 1024, 7), txId: 't', channelId: 'c' },
    ],
    [
      'with a proposal',
      { type: Type.TRANSACTION, payload: Buffer.of(1), txId: 't', channelId: 'c', proposal: proposal('x') },
    ],
    ['with an empty proposal', { type: Type.TRANSACTION, txId: 't', channelId: 'c', proposal: new Uint8Array() }],
  ])('%s has the bytes that the protobuf library gives it', (_, message) => {
    const encoded = encodeMessage(message, HEAD_BYTES);
    expect([...encoded.subarray(0, HEAD_BYTES)]).toEqual([0, 0, 0, 0, 0]);
    expect(encoded.subarray(HEAD_BYTES).equals(expected(message))).toBe(true);
  });
});

function expected({ type, payload, txId, channelId, proposal: proposalBytes }: PeerMessage): Uint8Array {
  const message = new peer.ChaincodeMessage();
  message.setType(type);
  if (payload !== undefined) message.setPayload(payload);
  message.setTxid(txId ?? '');
  message.setChannelId(channelId ?? '');
  if (proposalBytes !== undefined) message.setProposal(peer.SignedProposal.deserializeBinary(proposalBytes));
  return message.serializeBinary();
}

function proposal(content: string): Uint8Array {
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(Buffer.from(content));
  signed.setSignature(Buffer.from('s'));
  return signed.serializeBinary();
}
