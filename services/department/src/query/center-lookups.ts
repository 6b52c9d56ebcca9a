import { Agent, request } from 'node:https';
import { type ErrorCode, errorCodes, isWaymarkError, parseCid, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import type { IndexHit } from '@waymark/query-api';
import { z } from 'zod';

const maxAnswerBytes = 4 * 1024 * 1024;
const callTimeoutMs = 10_000;

/** A record of the firm's private ledger, with its proof; nothing of it is proven yet. */
export interface ProvenHit extends IndexHit {
  readonly proof: Uint8Array;
}

/** Asks the firm's centers for what an outlet that is no member of the private ledger does not have. */
export interface CenterLookups {
  /** Undefined: no block of the ledger holds the record, accepted. @throws WaymarkError unavailable; whatever the center answers */
  find(recordOid: Uint8Array): Promise<ProvenHit | undefined>;
  close(): void;
}

const hit = z.object({
  recordOid: z.string().regex(/^[0-9a-f]{64}$/),
  evidenceId: z.string().max(512),
  leafIndex: z.int().min(0),
  cid: z.string().max(128),
  proof: z.base64url().nullable().optional(),
});
const lookupAnswer = z.object({ results: z.array(z.object({ hits: z.array(hit).max(1) })).length(1) });
const proofAnswer = z.object({ proof: z.base64url() });

/** @param centers in turn, the one that answered last first: every center of the firm has the whole ledger */
export function createCenterLookups(
  centers: readonly { readonly apiUrl: string; readonly tlsRootPem: string }[],
  identity: { readonly certificatePem: string; readonly privateKeyPem: string },
): CenterLookups {
  const places = centers.map(({ apiUrl, tlsRootPem: ca }) => {
    const { certificatePem: cert, privateKeyPem: key } = identity;
    return { apiUrl, agent: new Agent({ keepAlive: true, maxSockets: 4, ca, cert, key }) };
  });
  let first = 0;

  async function ask<T>(path: string, body: object | undefined, schema: z.ZodType<T>): Promise<T> {
    let failure: unknown = new WaymarkError('unavailable', 'There is no center to ask.');
    for (let offset = 0; offset < places.length; offset += 1) {
      const index = (first + offset) % places.length;
      const { apiUrl, agent } = places[index] as (typeof places)[number];
      try {
        const read = schema.safeParse(await call(agent, new URL(path, apiUrl), body));
        if (!read.success) throw new WaymarkError('unavailable', 'The center answered in another form.');
        first = index;
        return read.data;
      } catch (error) {
        if (!isWaymarkError(error, 'unavailable')) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  return {
    async find(recordOid) {
      const oid = Buffer.from(recordOid).toString('hex');
      const { results } = await ask('/v1/lookups', { queries: [{ recordOid: oid }], proofs: true }, lookupAnswer);
      const found = results[0]?.hits[0];
      if (found?.proof === undefined || found.recordOid !== oid) return undefined;
      const proof = found.proof ?? (await ask(`/v1/records/${oid}/proof`, undefined, proofAnswer)).proof;
      const { evidenceId, leafIndex, cid } = found;
      return { recordOid, evidenceId, leafIndex, cid: parseCid(cid), proof: Buffer.from(proof, 'base64url') };
    },
    close() {
      for (const { agent } of places) agent.destroy();
    },
  };
}

/** One JSON call. @throws WaymarkError unavailable, or the code of the problem that the center answered with */
function call(agent: Agent, url: URL, body: object | undefined): Promise<unknown> {
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new WaymarkError('unavailable', 'The center did not answer.', { cause }));
    const headers =
      content === undefined ? {} : { 'content-type': 'application/json', 'content-length': content.length };
    const method = content === undefined ? 'GET' : 'POST';
    const outgoing = request(url, { method, agent, signal: AbortSignal.timeout(callTimeoutMs), headers }, (answer) => {
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      answer.on('data', (piece: Buffer) => {
        sizeBytes += piece.length;
        if (sizeBytes > maxAnswerBytes) answer.destroy(new Error('the answer is too long'));
        else pieces.push(piece);
      });
      answer.on('error', failed);
      answer.on('end', () => {
        const value = jsonOf(Buffer.concat(pieces));
        if (answer.statusCode === 200) resolve(value);
        else reject(problemOf(answer.statusCode ?? 0, value));
      });
    });
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

/** The refusal in the words of the center; what is no problem document of ours is a center that does not work. */
function problemOf(status: number, value: unknown): WaymarkError {
  const code = z.object({ code: z.string() }).safeParse(value).data?.code;
  const known = code !== undefined && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'unavailable';
  return new WaymarkError(known, errorCodes[known], { details: { status } });
}
