import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import type { SignedData } from '../policy/policy.ts';
import { decode } from '../protobuf/decode.ts';

/**
 * The messages inside of one proposal. Each is read when it is first asked for, and once for all who ask: the gateway, and
 * every peer of the process that is to endorse the proposal. What cannot be read throws each time, with the name of the message.
 */
export class ProposalParts {
  readonly bytes: Uint8Array;
  #proposal: peer.Proposal | undefined;
  #header: common.Header | undefined;
  #channelHeader: common.ChannelHeader | undefined;
  #signatureHeader: common.SignatureHeader | undefined;
  #extension: peer.ChaincodeHeaderExtension | undefined;
  #payload: peer.ChaincodeProposalPayload | undefined;
  #invocation: peer.ChaincodeInvocationSpec | undefined;
  #visiblePayload: Uint8Array | undefined;
  #hash: Uint8Array | undefined;
  #expectedTxId: string | undefined;
  #signed: SignedData | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get proposal(): peer.Proposal {
    return (this.#proposal ??= decode('Proposal', peer.Proposal, this.bytes));
  }

  get header(): common.Header {
    return (this.#header ??= decode('Header', common.Header, this.proposal.getHeader_asU8()));
  }

  get channelHeader(): common.ChannelHeader {
    return (this.#channelHeader ??= decode('ChannelHeader', common.ChannelHeader, this.header.getChannelHeader_asU8()));
  }

  get signatureHeader(): common.SignatureHeader {
    return (this.#signatureHeader ??= decode(
      'SignatureHeader',
      common.SignatureHeader,
      this.header.getSignatureHeader_asU8(),
    ));
  }

  get extension(): peer.ChaincodeHeaderExtension {
    return (this.#extension ??= decode(
      'ChaincodeHeaderExtension',
      peer.ChaincodeHeaderExtension,
      this.channelHeader.getExtension_asU8(),
    ));
  }

  get payload(): peer.ChaincodeProposalPayload {
    return (this.#payload ??= decode(
      'ChaincodeProposalPayload',
      peer.ChaincodeProposalPayload,
      this.proposal.getPayload_asU8(),
    ));
  }

  get invocation(): peer.ChaincodeInvocationSpec {
    return (this.#invocation ??= decode(
      'ChaincodeInvocationSpec',
      peer.ChaincodeInvocationSpec,
      this.payload.getInput_asU8(),
    ));
  }

  /** `ChaincodeProposalPayload` bytes as they may go into a block: without transient data. */
  get visiblePayload(): Uint8Array {
    return (this.#visiblePayload ??= withoutTransient(this.payload));
  }

  /** SHA-256 over both headers and the visible payload. */
  get hash(): Uint8Array {
    return (this.#hash ??= createHash('sha256')
      .update(this.header.getChannelHeader_asU8())
      .update(this.header.getSignatureHeader_asU8())
      .update(this.visiblePayload)
      .digest());
  }

  /** What the transaction id has to be. */
  get expectedTxId(): string {
    return (this.#expectedTxId ??= createHash('sha256')
      .update(this.signatureHeader.getNonce_asU8())
      .update(this.signatureHeader.getCreator_asU8())
      .digest('hex'));
  }

  /** The whole proposal as signed data: the same object for the same signature, by which verdicts are remembered. */
  signed(signature: Uint8Array): SignedData {
    if (this.#signed?.signature !== signature) {
      this.#signed = { data: this.bytes, identity: this.signatureHeader.getCreator_asU8(), signature };
    }
    return this.#signed;
  }
}

const PARTS = Symbol('parts');

/**
 * The parts of a proposal, kept with it: a weak map of what lives for one call is dear to the garbage collector. The bytes
 * of a proposal are never changed once they have arrived.
 */
export function partsOf(signedProposal: peer.SignedProposal & { [PARTS]?: ProposalParts }): ProposalParts {
  const bytes = signedProposal.getProposalBytes_asU8();
  let parts = signedProposal[PARTS];
  if (parts?.bytes !== bytes) signedProposal[PARTS] = parts = new ProposalParts(bytes);
  return parts;
}

/** `ChaincodeProposalPayload` bytes as they may go into a block. */
export function withoutTransient(payload: peer.ChaincodeProposalPayload): Uint8Array {
  const visible = new peer.ChaincodeProposalPayload();
  visible.setInput(payload.getInput_asU8());
  return visible.serializeBinary();
}
