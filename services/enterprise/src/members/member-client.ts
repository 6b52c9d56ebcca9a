import { Agent, request } from 'node:https';
import { createGatewaySource, type GatewayContentSource } from '@waymark/content';
import { type ErrorCode, errorCodes, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import type { MemberCenter } from './members-file.ts';

/** Batches in one call about pins. */
export const maxCidsPerCall = 64;
const maxAnswerBytes = 1024 * 1024;
const callTimeoutMs = 30_000;

/** What a center answers about one batch that it was asked to pin. */
export interface PinAnswer {
  readonly cid: string;
  /** The pin receipt, base64; nothing in it is proven yet. */
  readonly receipt?: string | undefined;
  /** Why there is none. */
  readonly code?: string | undefined;
}

/** Whether a center has a batch, whole and intact, in its own store. */
export interface HeldAnswer {
  readonly cid: string;
  readonly held: boolean;
}

/** The center of another organisation. What it says is not believed here: blocks are verified, receipts by who takes them. */
export interface MemberClient {
  /** @throws WaymarkError unavailable; whatever the other center answers */
  requestPins(cids: readonly string[]): Promise<readonly PinAnswer[]>;
  /** @throws as `requestPins` */
  checkPins(cids: readonly string[]): Promise<readonly HeldAnswer[]>;
  /** Its trustless gateway. */
  readonly blocks: GatewayContentSource;
  close(): void;
}

const cid = z.string().max(128);
const pinAnswers = z.strictObject({
  results: z
    .array(z.strictObject({ cid, receipt: z.string().max(16_384).optional(), code: z.string().max(64).optional() }))
    .max(maxCidsPerCall),
});
const heldAnswers = z.strictObject({
  results: z.array(z.strictObject({ cid, held: z.boolean() })).max(maxCidsPerCall),
});

/** Connects to a center as the own center. */
export function connectMember(
  center: Pick<MemberCenter, 'apiUrl' | 'tlsRootPem'>,
  identity: { readonly certificatePem: string; readonly privateKeyPem: string },
): MemberClient {
  const { certificatePem: cert, privateKeyPem: key } = identity;
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: center.tlsRootPem, cert, key });
  const blocks = createGatewaySource({
    baseUrl: center.apiUrl,
    tls: { ca: center.tlsRootPem, certificate: cert, privateKey: key },
  });
  const call = async <T>(path: string, cids: readonly string[], answer: z.ZodType<T>): Promise<T> => {
    const { status, bytes } = await post(agent, new URL(path, center.apiUrl), { cids });
    if (status !== 200) throw problemOf(status, bytes);
    const read = answer.safeParse(jsonOf(bytes));
    if (!read.success) throw new WaymarkError('unavailable', 'The other center answered in another form.');
    return read.data;
  };
  return {
    requestPins: async (cids) => (await call('/v1/pins', cids, pinAnswers)).results,
    checkPins: async (cids) => (await call('/v1/pins/check', cids, heldAnswers)).results,
    blocks,
    close() {
      agent.destroy();
      void blocks.close();
    },
  };
}

function post(agent: Agent, url: URL, body: unknown): Promise<{ status: number; bytes: Uint8Array }> {
  const content = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new WaymarkError('unavailable', 'The other center did not answer.', { cause }));
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent,
        signal: AbortSignal.timeout(callTimeoutMs),
        headers: { 'content-type': 'application/json', 'content-length': content.length },
      },
      (answer) => {
        const pieces: Buffer[] = [];
        let sizeBytes = 0;
        answer.on('data', (piece: Buffer) => {
          sizeBytes += piece.length;
          if (sizeBytes > maxAnswerBytes) answer.destroy(new Error('the answer is too long'));
          else pieces.push(piece);
        });
        answer.on('error', failed);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(pieces) }));
      },
    );
    outgoing.on('error', failed);
    outgoing.end(content);
  });
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseJsonStrict(bytes, { maxBytes: maxAnswerBytes });
  } catch {
    return undefined;
  }
}

/** The refusal in the words of the other center; what is no problem document of ours is a center that does not work. */
function problemOf(status: number, bytes: Uint8Array): WaymarkError {
  const problem = z.object({ code: z.string() }).safeParse(jsonOf(bytes));
  const code = problem.data?.code;
  const details = { status };
  if (status < 500 && code !== undefined && code in errorCodes)
    return new WaymarkError(code as ErrorCode, 'The other center refused the call.', { details });
  return new WaymarkError('unavailable', 'The other center could not answer.', { details });
}
