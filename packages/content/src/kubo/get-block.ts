import { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { joinBytes } from '../block/join-bytes.ts';
import { abnormal, missing } from '../block/verify.ts';
import { maxBlockSizeBytes } from '../store/limits.ts';
import type { KuboConnection } from './kubo-connection.ts';
import { kuboFaultOf, unavailableKubo } from './kubo-fault.ts';

const maxMessageSizeBytes = 16 * 1024;

export interface GetBlockOptions {
  /** Whether the swarm is left out; default: it is asked for what kubo lacks. */
  readonly local?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `block/get`, with a limit on the answer: the client library takes an answer of any length into memory.
 * @returns bytes that are still to be verified
 * @throws `unavailable`, `data-abnormal`
 */
export async function getBlock(
  connection: KuboConnection,
  cid: CID,
  { local, signal }: GetBlockOptions,
): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(
      `${connection.apiUrl}/block/get?arg=${cid.toString()}${local === true ? '&offline=true' : ''}`,
      {
        method: 'POST',
        headers: connection.headers,
        redirect: 'error',
        signal: signal ?? null,
      },
    );
    const bytes = await readBounded(response, response.ok ? maxBlockSizeBytes : maxMessageSizeBytes);
    if (response.ok && bytes !== undefined) return bytes;
    if (response.ok) throw abnormal(cid, 'kubo', 'too-long');
    throw refusal(cid, response.status, Buffer.from(bytes ?? []).toString('utf8'));
  } catch (cause) {
    throw unavailableKubo(cause);
  }
}

function refusal(cid: CID, status: number, message: string): WaymarkError {
  const fault = kuboFaultOf(message);
  if (fault === 'missing') return missing(cid, 'kubo');
  if (fault === 'hash-mismatch') return abnormal(cid, 'kubo', 'reported-by-kubo');
  return new WaymarkError('unavailable', 'Kubo refused the request.', {
    details: { source: 'kubo', reason: fault, status },
  });
}

async function readBounded(response: Response, maxSizeBytes: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.length;
    if (sizeBytes > maxSizeBytes) return undefined; // leaving the loop cancels the body
    pieces.push(piece);
  }
  return joinBytes(pieces);
}
