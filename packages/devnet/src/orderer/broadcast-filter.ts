import { common } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';
import { validSigners } from '../policy/policy.ts';
import type { OrderedMessage } from './block-cutter.ts';

export type Status = common.StatusMap[keyof common.StatusMap];

/** What an orderer answers to one message. */
export interface BroadcastResult {
  readonly status: Status;
  /** Empty on success. */
  readonly info: string;
}

export type FilterResult =
  | { readonly message: OrderedMessage }
  /** It may ask for another configuration; whether it may have it is another question. */
  | { readonly isConfigUpdate: true }
  | { readonly refusal: BroadcastResult };

const { BAD_REQUEST, FORBIDDEN } = common.Status;
const WRITERS = '/Channel/Writers';
const WIRE_FORMAT = 'proto: cannot parse invalid wire-format data';

/**
 * Decides whether a message may be ordered, with Fabric's answers and in its order (orderer/common/broadcast,
 * multichannel/registrar.go, msgprocessor): channel, kind, empty, size, expired certificate, Writers.
 */
export function filterMessage(envelope: common.Envelope, config: ChannelConfig, nowMs: number): FilterResult {
  const payloadBytes = envelope.getPayload_asU8();
  const heads = readHeads(payloadBytes);
  if (typeof heads === 'string') return refuse(BAD_REQUEST, `could not determine channel ID: ${heads}`);
  const { channelHeader, signatureHeader } = heads;
  if (channelHeader.getChannelId() !== config.channelId) return refuse(BAD_REQUEST, 'channel does not exist');
  switch (channelHeader.getType()) {
    case common.HeaderType.CONFIG:
      return refuse(BAD_REQUEST, 'message is of type that cannot be processed directly');
    case common.HeaderType.ORDERER_TRANSACTION:
      return refuse(BAD_REQUEST, 'message is of type that is no longer supported');
    case common.HeaderType.CONFIG_UPDATE: {
      const checked = checkMessage(envelope, signatureHeader, config, nowMs);
      return 'refusal' in checked
        ? refuse(
            checked.refusal.status,
            `config update for existing channel did not pass initial checks: ${checked.refusal.info}`,
          )
        : { isConfigUpdate: true };
    }
  }
  return checkMessage(envelope, signatureHeader, config, nowMs);
}

/** Size, certificate and Writers: what Fabric asks of messages of either kind. */
function checkMessage(
  envelope: common.Envelope,
  signatureHeader: common.SignatureHeader | undefined,
  config: ChannelConfig,
  nowMs: number,
): Exclude<FilterResult, { isConfigUpdate: true }> {
  const payloadBytes = envelope.getPayload_asU8();
  const signature = envelope.getSignature_asU8();
  const sizeBytes = payloadBytes.length + signature.length;
  const { absoluteMaxBytes } = config.batchSize;
  if (sizeBytes > absoluteMaxBytes) {
    return refuse(
      BAD_REQUEST,
      `message payload is ${sizeBytes} bytes and exceeds maximum allowed ${absoluteMaxBytes} bytes`,
    );
  }
  if (signatureHeader === undefined) {
    return refuse(
      BAD_REQUEST,
      `could not convert message to signedData: GetSignatureHeaderFromBytes failed, err ${WIRE_FORMAT}`,
    );
  }
  const identity = signatureHeader.getCreator_asU8();
  if (hasExpired(identity, config, nowMs)) return refuse(BAD_REQUEST, 'broadcast client identity expired');
  const policy = config.policy(WRITERS);
  const signers = validSigners([{ data: payloadBytes, identity, signature }], config.msps);
  if (!policy.evaluate(signers)) return refuse(FORBIDDEN, `${policy.whyNot(signers)}: permission denied`);
  return { message: { envelopeBytes: envelope.serializeBinary(), sizeBytes } };
}

function readHeads(
  payloadBytes: Uint8Array,
): { channelHeader: common.ChannelHeader; signatureHeader: common.SignatureHeader | undefined } | string {
  let header: common.Header | undefined;
  try {
    header = common.Payload.deserializeBinary(payloadBytes).getHeader();
  } catch {
    return `error unmarshalling Payload: ${WIRE_FORMAT}`;
  }
  if (header === undefined) return 'header not set';
  if (header.getChannelHeader_asU8().length === 0) return 'channel header not set';
  let channelHeader: common.ChannelHeader;
  try {
    channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  } catch {
    return `error unmarshalling channel header: error unmarshalling ChannelHeader: ${WIRE_FORMAT}`;
  }
  return { channelHeader, signatureHeader: readSignatureHeader(header) };
}

function readSignatureHeader(header: common.Header): common.SignatureHeader | undefined {
  try {
    return common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
  } catch {
    return undefined;
  }
}

/** An identity that cannot be read is left to the Writers policy. */
function hasExpired(identity: Uint8Array, config: ChannelConfig, nowMs: number): boolean {
  try {
    return config.msps.deserialize(identity).notAfterMs <= nowMs;
  } catch {
    return false;
  }
}

function refuse(status: Status, info: string): { readonly refusal: BroadcastResult } {
  return { refusal: { status, info } };
}
