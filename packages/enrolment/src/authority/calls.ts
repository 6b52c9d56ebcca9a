import { sign } from 'node:crypto';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { WaymarkError } from '@waymark/protocol';
import FabricCaClient from 'fabric-ca-client/lib/FabricCAClient.js';
import { derSignature } from '../request/der-signature.ts';
import { privateKeyOf } from '../request/signing-request.ts';
import type { CheckedEndpoint } from './endpoint.ts';
import { tooLongCode } from './refusal.ts';

const maxAnswerBytes = 16 * 1024 * 1024;

/** A certificate with its private key, as PEM text. */
export interface EnrolledIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** How a request says who makes it: with a one-time secret, or signed with a certificate. */
export type Credentials = { readonly enrolmentId: string; readonly secret: string } | EnrolledIdentity;

/** Calls of Fabric CA's REST interface. */
export interface AuthorityCalls {
  /** Rejects with what fabric-ca-client or the system says. */
  call(operation: string, body: Record<string, unknown>, credentials?: Credentials): Promise<unknown>;
}

/** Makes calls through fabric-ca-client; how they travel (TLS, time and size limits) is decided here. */
export function authorityCalls(endpoint: CheckedEndpoint, timeoutMs: number): AuthorityCalls {
  const { protocol, hostname, port, tlsRootsPem, name } = endpoint;
  const client = new FabricCaClient(
    {
      protocol,
      hostname,
      port,
      tlsOptions: { trustedRoots: tlsRootsPem, verify: true },
      ...(name === undefined ? {} : { caname: name }),
    },
    { hash: (text) => text },
  );
  // The client has no limits of its own on the whole of a request and on the size of an answer.
  client._httpClient = {
    request: (options, onResponse) => limitedRequest(protocol, options, timeoutMs, onResponse),
  };
  return {
    async call(operation, body, credentials) {
      const signer =
        credentials !== undefined && 'certificatePem' in credentials ? tokenSigner(credentials) : undefined;
      const basic =
        credentials !== undefined && 'secret' in credentials
          ? { auth: `${credentials.enrolmentId}:${credentials.secret}` }
          : {};
      const { result } = await client.request('POST', operation, signer, { ...body }, basic);
      return result;
    },
  };
}

/** The token is signed outside of fabric-ca-client, with a key that it never sees. */
function tokenSigner({ certificatePem, privateKeyPem }: EnrolledIdentity) {
  const key = privateKeyOf(privateKeyPem);
  return {
    _certificate: certificatePem,
    sign: (text: string) => derSignature(sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })),
  };
}

function limitedRequest(
  protocol: 'http' | 'https',
  options: RequestOptions,
  timeoutMs: number,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const send = protocol === 'http' ? httpRequest : httpsRequest;
  const call = send(
    { ...options, agent: false, minVersion: 'TLSv1.2', signal: AbortSignal.timeout(timeoutMs) },
    (response) => {
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > maxAnswerBytes)
          response.destroy(Object.assign(new Error('the answer is too long'), { code: tooLongCode }));
      });
      onResponse(response);
    },
  );
  // The client ends a connection that is silent for three seconds; a CA may take longer over a password or a long list.
  call.once('socket', (socket) => process.nextTick(() => socket.setTimeout(timeoutMs)));
  return call;
}

/** @throws WaymarkError data-abnormal */
export function field(result: unknown, name: string): unknown {
  if (typeof result !== 'object' || result === null || !(name in result)) {
    throw new WaymarkError('data-abnormal', 'The certificate authority answered in a form that is not its own.', {
      details: { place: name },
    });
  }
  return (result as Record<string, unknown>)[name];
}

/** The PEM text that an answer holds as base64. @throws WaymarkError data-abnormal */
export function pemField(result: unknown, name: string): string {
  const value = field(result, name);
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}
