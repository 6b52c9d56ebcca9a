import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { WaymarkError } from '@waymark/protocol';
import type { NodeMember } from '../membership/membership.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const HOST = '127.0.0.1';
const ACTIVE_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** What an orderer says of a channel (orderer/common/types/channelinfo.go). */
export interface ChannelInfo {
  readonly name: string;
  readonly status: string;
  readonly consensusRelation: string;
  readonly height: number;
}

/** An orderer's channel participation API, as `osnadmin` uses it. */
export interface Participation {
  /** The channel as this orderer knows it; undefined when it has not joined. */
  info(channel: string): Promise<ChannelInfo | undefined>;
  /** Joins with a configuration block, unless the orderer has the channel; then waits until it takes part. */
  join(channel: string, configBlock: Uint8Array): Promise<void>;
}

/** @throws WaymarkError `unavailable` from every call that the orderer refuses or does not answer */
export function participationOf(node: NodeMember, adminPort: number): Participation {
  const call = (method: string, path: string, body?: { readonly type: string; readonly bytes: Uint8Array }) =>
    callOnce(node, adminPort, method, `/participation/v1/channels${path}`, body);
  const info = async (channel: string): Promise<ChannelInfo | undefined> => {
    const { status, text } = await call('GET', `/${channel}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new WaymarkError('unavailable', `${node.hostName}: ${status} ${text}`);
    return JSON.parse(text) as ChannelInfo;
  };
  return {
    info,
    join: async (channel, configBlock) => {
      if ((await info(channel)) === undefined) {
        const form = new FormData();
        form.set('config-block', new Blob([Uint8Array.from(configBlock)]), 'config.block');
        const encoded = new Response(form);
        const type = encoded.headers.get('content-type') ?? '';
        const { status, text } = await call('POST', '', { type, bytes: new Uint8Array(await encoded.arrayBuffer()) });
        if (status !== 201) throw new WaymarkError('unavailable', `${node.hostName} did not join: ${status} ${text}`);
      }
      const deadline = Date.now() + ACTIVE_TIMEOUT_MS;
      while ((await info(channel))?.status !== 'active') {
        if (Date.now() > deadline)
          throw new WaymarkError('unavailable', `${node.hostName} is not active on ${channel}`);
        await delay(POLL_MS);
      }
    },
  };
}

function callOnce(
  node: NodeMember,
  port: number,
  method: string,
  path: string,
  body?: { readonly type: string; readonly bytes: Uint8Array },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: HOST,
        port,
        path,
        method,
        servername: node.hostName,
        ca: node.tls.rootCertPem,
        cert: node.tls.certificatePem,
        key: node.tls.privateKeyPem,
        timeout: REQUEST_TIMEOUT_MS,
        headers: body === undefined ? {} : { 'content-type': body.type, 'content-length': body.bytes.length },
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('the orderer did not answer in time')));
    sent.on('error', (cause) =>
      reject(new WaymarkError('unavailable', `${node.hostName}: ${cause.message}`, { cause })),
    );
    sent.end(body?.bytes);
  });
}
