import { randomBytes } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../block/timestamp.ts';
import { DevnetError } from '../errors.ts';
import type { SigningIdentity } from '../msp/msp.ts';

/**
 * A CONFIG_UPDATE that all signers agree to, sent by the first of them. Throws DevnetError CONFIG_INVALID when there is no
 * signer.
 */
export function signUpdate(
  update: common.ConfigUpdate,
  signers: readonly SigningIdentity[],
  timeMs: number,
): common.Envelope {
  const [sender] = signers;
  if (sender === undefined) throw new DevnetError('CONFIG_INVALID', 'an update of the configuration needs a signature');
  const updateBytes = update.serializeBinary();
  const content = new common.ConfigUpdateEnvelope();
  content.setConfigUpdate(updateBytes);
  for (const signer of signers) {
    const header = createSignatureHeader(signer);
    const signature = new common.ConfigSignature();
    signature.setSignatureHeader(header);
    signature.setSignature(signer.sign(Buffer.concat([header, updateBytes])));
    content.addSignatures(signature);
  }
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.CONFIG_UPDATE);
  channelHeader.setChannelId(update.getChannelId());
  channelHeader.setTimestamp(createTimestamp(timeMs));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(createSignatureHeader(sender));
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(content.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(sender.sign(envelope.getPayload_asU8()));
  return envelope;
}

function createSignatureHeader(signer: SigningIdentity): Uint8Array {
  const header = new common.SignatureHeader();
  header.setCreator(signer.serialized);
  header.setNonce(randomBytes(24));
  return header.serializeBinary();
}
