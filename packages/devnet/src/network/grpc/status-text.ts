import { Metadata, type ServerInterceptingCall } from '@grpc/grpc-js';

type SentStatus = Parameters<ServerInterceptingCall['sendStatus']>[0];

/** Clients take about 64 KiB of trailers; one byte more ends their connection with all its calls. */
const MAX_TEXT_BYTES = 16 * 1024;
const MAX_DETAILS_BYTES = 24 * 1024;
const DETAILS_TRAILER = 'grpc-status-details-bin';
const CUT = '... (cut)';

/** A status that can be sent whatever a caller's names and a chaincode's messages put into it. */
export function sendableStatus(answer: SentStatus): SentStatus {
  return {
    ...answer,
    ...(typeof answer.details === 'string' ? { details: sendableText(answer.details) } : {}),
    ...(answer.metadata instanceof Metadata ? { metadata: sendableMetadata(answer.metadata) } : {}),
  };
}

/** The text as it is, or as much of it as a trailer holds. gRPC sends it percent-encoded, which lone surrogates cannot be. */
function sendableText(text: string): string {
  const wellFormed = text.toWellFormed();
  if (wellFormed.length <= MAX_TEXT_BYTES / 9 || encodeURI(wellFormed).length <= MAX_TEXT_BYTES) return wellFormed;
  let cut = wellFormed.slice(0, MAX_TEXT_BYTES);
  while (encodeURI(cut.toWellFormed()).length > MAX_TEXT_BYTES) cut = cut.slice(0, Math.floor(cut.length * 0.9));
  return cut.toWellFormed() + CUT;
}

/** Details that are too large are left out: the text says the same in short. */
function sendableMetadata(metadata: Metadata): Metadata {
  const values = metadata.get(DETAILS_TRAILER);
  if (values.every((value) => value.length <= MAX_DETAILS_BYTES)) return metadata;
  const result = metadata.clone();
  result.remove(DETAILS_TRAILER);
  return result;
}
