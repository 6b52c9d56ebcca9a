import { randomBytes } from 'node:crypto';
import { isWaymarkError, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import type { Asked } from '@waymark/reading';
import {
  type CertificateVerifier,
  openExternalAnswer as openSealedAnswer,
  type OpenedExternalAnswer,
  signExternalQuery,
} from '@waymark/vault';
import { z } from 'zod';
import { answerSchemas, parseAnswer } from '../api/answers.ts';
import type { ApiClient } from '../api/api-client.ts';
import type { AskerKeys } from '../keys/asker-keys.ts';
import { askedBy, type TraceQuery } from '../trace/queries.ts';

/** A question of somebody outside the consortium (E_a), signed by its own key. */
export interface ExternalRequest {
  readonly channel: string;
  readonly msp: string;
  /** The answer must carry it: keep it until then. */
  readonly nonce: string;
  /** Compact JWS; this is what the client posts. */
  readonly request: string;
}

/** What the firm's outlet answered: encrypted for the asker. */
export interface SealedExternalAnswer {
  /** Enrolment id of the outlet. */
  readonly outlet: string;
  /** Compact JWE. */
  readonly answer: string;
}

const requestSchema = z.object({
  channel: z.string(),
  msp: z.string(),
  nonce: z.string(),
  request: z.string().max(32_768),
});

/**
 * Signs a question. The asker needs no profile and no connection.
 * @param about whose channel and firm are asked
 * @throws WaymarkError input-invalid
 */
export async function createExternalRequest(
  query: TraceQuery,
  about: { readonly channel: string; readonly msp: string },
  asker: AskerKeys,
  nowMs = Date.now(),
): Promise<ExternalRequest> {
  const asked: Asked = askedBy(query);
  const nonce = randomBytes(16).toString('base64url');
  const request = await signExternalQuery(
    {
      ...('recordOid' in asked ? { recordOid: asked.recordOid } : { businessId: asked }),
      ...about,
      nonce,
      issuedAtMs: nowMs,
      encryptionKey: asker.encryption.publicKey,
    },
    asker.signing,
  );
  return { ...about, nonce, request };
}

/** Reads a request or an answer that was kept as JSON. @throws WaymarkError input-invalid */
export function parseExternalMessage(kind: 'request', bytes: Uint8Array): ExternalRequest;
export function parseExternalMessage(kind: 'answer', bytes: Uint8Array): SealedExternalAnswer;
export function parseExternalMessage(
  kind: 'request' | 'answer',
  bytes: Uint8Array,
): ExternalRequest | SealedExternalAnswer {
  const value = parseJsonStrict(bytes, { maxBytes: 8 * 1024 * 1024 });
  const result = (kind === 'request' ? requestSchema : answerSchemas.external).safeParse(value);
  if (result.success) return result.data;
  throw new WaymarkError('input-invalid', `This is not an external ${kind}.`, {
    details: { place: result.error.issues[0]?.path.map(String).join('.') ?? '' },
  });
}

/** Posts a question as a client of the firm (CL_i). @throws WaymarkError refused, unavailable, message-stale, replay-conflict, ... */
export async function sendExternalRequest(
  api: ApiClient,
  { request }: Pick<ExternalRequest, 'request'>,
  signal?: AbortSignal,
): Promise<SealedExternalAnswer> {
  return parseAnswer(answerSchemas.external, await api.call('POST', 'v1/external-queries', { request }, signal));
}

/**
 * Opens an answer: for this asker, to this question, signed by the outlet it names.
 * @param verifier checks the outlet's certificate against the firm's CA; without it the asker knows that one outlet key signed, not whose it is
 * @throws WaymarkError decryption-failed, signature-invalid, certificate-untrusted, data-abnormal
 */
export async function openExternalAnswer(
  { outlet, answer }: SealedExternalAnswer,
  { nonce, asker, verifier }: { nonce: string; asker: AskerKeys; verifier?: CertificateVerifier | undefined },
): Promise<OpenedExternalAnswer> {
  try {
    return await openSealedAnswer(answer, asker.encryption, {
      outlet,
      nonce,
      nowMs: Date.now(),
      ...(verifier === undefined ? {} : { verifier }),
    });
  } catch (error) {
    if (isWaymarkError(error)) throw error;
    throw new WaymarkError('data-abnormal', 'The answer does not have the agreed form.', { cause: error });
  }
}
