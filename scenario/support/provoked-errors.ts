import { randomBytes } from 'node:crypto';
import type { Consortium } from '@waymark/network';
import { CenterClient, clientCredentials, clientOptions, openBidi, type RecordMessage } from '@waymark/transport';
import { askExternally, newAsker } from './external-query.ts';
import { connectOutlet, recordMessage, type ScenarioRecord } from './outlet-client.ts';
import { restClient } from './rest-client.ts';
import type { Firm, Identity } from './running-consortium.ts';

/** Keeps what somebody was told, by a name of its own. */
export type Keep = (name: string, text: string) => void;

/** What is put where it does not belong: every value is one that must not come back in an error, a log or a metric. */
export interface Bait {
  readonly text: string;
  readonly businessId: string;
  readonly consignment: string;
  readonly eventId: string;
  /** Name of a member of a JSON object. */
  readonly member: string;
}

/**
 * Provokes errors of every kind at one firm: wrong records, conflicts, refusals, wrong JSON, foreign keys, foreign members, garbage.
 * Everything that was answered is handed to `keep`. Returns how many were provoked.
 */
export async function provokeErrors(
  firm: Firm,
  stranger: Firm,
  stored: ScenarioRecord,
  bait: Bait,
  keep: Keep,
): Promise<number> {
  let count = 0;
  const told: Keep = (name, text) => {
    count += 1;
    keep(`${firm.mspId} ${name} ${String(count)}`, text);
  };
  await wrongRecords(firm, await firm.identity('client'), stored, bait, told);
  await wrongCalls(firm, stranger, bait, told);
  await wrongQueries(firm, bait, told);
  await wrongUploads(firm, bait, told);
  return count;
}

async function wrongRecords(
  firm: Firm,
  identity: Identity,
  stored: ScenarioRecord,
  { text, businessId, consignment, eventId, member }: Bait,
  told: Keep,
): Promise<void> {
  const good = { eventId, consignment, payload: { note: text } };
  const message = (changes: Partial<RecordMessage>): RecordMessage => ({ ...recordMessage(good, 0), ...changes });
  const json = (payload: string): Partial<RecordMessage> => ({ payloadJson: Buffer.from(payload) });
  const wrong: RecordMessage[] = [
    recordMessage({ ...stored, payload: { note: text } }, 0),
    message(json(`{"note": ${text}}`)),
    message(json(`{"note": "${text}`)),
    message(json(`{"note": "${text}", "note": "${text}"}`)),
    message(json(`{"note": ["${text}", 1e400]}`)),
    message(json(`{"${member}": 9007199254740993, "${member}": "${text}"}`)),
    message(json(`{"${member}": {"${member}": 1e400}}`)),
    message(json(`{"note": "${text}\\ud800"}`)),
    message(json(`"${text}" trailing`)),
    message(json(`${'['.repeat(200)}"${text}"${']'.repeat(200)}`)),
    message(json('')),
    message({ payloadJson: Buffer.concat([Buffer.from(`{"note":"${text}`), Buffer.from([0xff, 0xfe])]) }),
    message({ payloadJson: Buffer.from(JSON.stringify({ note: text.repeat(60_000) })) }),
    message({ collectionTime: text }),
    message({ collectionTime: `2026-02-31T25:00:00Z ${text}` }),
    message({ eventId: `${eventId}\u0000` }),
    message({ eventId: eventId.repeat(200) }),
    message({ eventId: '' }),
    message({ consignment: consignment.repeat(30) }),
    message({ consignment: `${consignment}\u0000` }),
    message({ businessIds: [{ type: 'sscc', value: businessId }] }),
    message({ businessIds: [{ type: 'gtin', value: `${businessId}x` }] }),
    message({ businessIds: [{ type: businessId, value: '' }] }),
    message({ businessIds: Array.from({ length: 40 }, () => ({ type: 'order', value: businessId })) }),
  ];
  const outlet = connectOutlet(firm, identity);
  try {
    for (const record of wrong) {
      const stream = outlet.open();
      try {
        await stream.write({ records: [record], flush: true });
        stream.finish();
        for await (const response of stream.responses) {
          for (const { failure } of response.failures)
            told('record', `${failure?.code ?? ''} ${failure?.message ?? ''}`);
          if (response.receipts.length > 0) throw new Error('a wrong record was taken');
        }
      } catch (error) {
        told('stream', messagesOf(error));
      }
    }
  } finally {
    outlet.close();
  }
}

async function wrongCalls(
  firm: Firm,
  stranger: Firm,
  { text, businessId, consignment, member }: Bait,
  told: Keep,
): Promise<void> {
  for (const port of [firm.ports.outlet.apiPort, firm.ports.center.apiPort]) {
    const call = async (node: string, ...args: Parameters<ReturnType<typeof restClient>>): Promise<void> => {
      const answer = await restClient(firm, port, await firm.identity(node))(...args);
      told('rest', `${String(answer.status)} ${answer.type} ${answer.text}`);
    };
    const raw = (
      body: string,
      headers: Record<string, string> = {},
    ): [undefined, { raw: Buffer; headers: Record<string, string> }] => [
      undefined,
      { raw: Buffer.from(body), headers },
    ];
    await call('reader', 'POST', '/v1/lookups', { queries: [{ type: 'sscc', value: businessId }] });
    await call('reader', 'POST', '/v1/lookups', { queries: [{ type: text, value: '' }] });
    await call('reader', 'POST', '/v1/lookups', {
      queries: [{ type: 'order', value: businessId, [member]: consignment }],
    });
    await call('reader', 'POST', '/v1/lookups', { [member]: [businessId] });
    await call('reader', 'POST', '/v1/lookups', ...raw(`{"queries": ${text}}`));
    await call('reader', 'POST', '/v1/lookups', ...raw(`{"queries": [], "queries": "${text}"}`));
    await call('reader', 'POST', '/v1/lookups', ...raw(`${text}=${businessId}`, { 'content-type': 'text/plain' }));
    await call('reader', 'POST', '/v1/lookups', ...raw(`"${text.repeat(70_000)}"`));
    await call('reader', 'POST', '/v1/keys', {
      encryptionKey: { kty: text, d: businessId },
      consignments: [{ consignmentOid: '0'.repeat(32), epoch: 0 }],
    });
    await call('reader', 'POST', '/v1/keys', {
      encryptionKey: { kty: 'OKP' },
      consignments: [{ consignmentOid: text, epoch: 0 }],
    });
    await call('reader', 'POST', '/v1/fast-queries', {
      encryptionKey: { kty: text },
      query: { type: 'consignment', value: consignment },
    });
    await call('client', 'POST', '/v1/fast-queries', {
      encryptionKey: { kty: text },
      query: { type: 'order', value: businessId },
    });
    await call(
      'reader',
      'GET',
      `/v1/${text}/${encodeURIComponent(businessId)}?order=${encodeURIComponent(businessId)}`,
    );
    await call('reader', 'GET', `/v1/evidence/${firm.mspId}/${text}/1`);
    await call('reader', 'GET', `/ipfs/${text}?format=${text}`);
    await call('reader', 'PUT', '/v1/allow-list', { consignment, askerKids: [] });
    await call(firm.outletName, 'PUT', '/v1/allow-list', {
      consignment: `${consignment}-absent`,
      askerKids: ['A'.repeat(43)],
    });
    await call(firm.outletName, 'PUT', '/v1/allow-list', { consignment, askerKids: [text] });
    await call('client', 'POST', '/v1/external-queries', { request: text });
    await call('client', 'POST', '/v1/external-queries', {
      request: `${Buffer.from(JSON.stringify({ alg: text })).toString('base64url')}.${text}.${text}`,
    });
    // A member of the other firm: its certificate is not one that this listener's CA issued.
    const answer = await restClient(firm, port, await stranger.identity('reader'))('POST', '/v1/lookups', {
      queries: [{ type: 'order', value: businessId }],
    }).then(
      ({ status, text: body }) => `${String(status)} ${body}`,
      (error: unknown) => messagesOf(error),
    );
    told('stranger', answer);
  }
}

async function wrongQueries(firm: Firm, { businessId }: Bait, told: Keep): Promise<void> {
  const what = { businessId: { type: 'order', value: businessId } };
  const nonce = randomBytes(16).toString('base64url');
  for (const changes of [
    {},
    { msp: 'OtherMSP' },
    { issuedAtMs: Date.now() - 3_600_000 },
    { nonce },
    { nonce },
    { nonce: 'short' },
  ]) {
    const { answer } = await askExternally(firm, newAsker(), what, changes);
    told('external', `${String(answer.status)} ${answer.text}`);
  }
}

async function wrongUploads(firm: Firm, { text }: Bait, told: Keep): Promise<void> {
  for (const node of [firm.outletName, 'client']) {
    const { certificatePem, privateKeyPem } = await firm.identity(node);
    const client = new CenterClient(
      `127.0.0.1:${String(firm.ports.center.grpcPort)}`,
      clientCredentials([firm.tlsRootPem], { certificateChainPem: certificatePem, privateKeyPem }),
      clientOptions(),
    );
    try {
      const stream = openBidi(client.upload());
      await stream.write({ ref: 1, sealed: Buffer.from(text) });
      stream.finish();
      for await (const { failure } of stream.responses)
        told('upload', `${failure?.code ?? ''} ${failure?.message ?? ''}`);
    } catch (error) {
      told('upload', messagesOf(error));
    } finally {
      client.close();
    }
  }
}

/** Pages that operators see: health, metrics, documentation. */
export async function operatorPages({ services }: Consortium, keep: Keep): Promise<void> {
  for (const { process, operationsUrl } of services) {
    for (const page of ['healthz', 'metrics', 'openapi.json']) {
      const answer = await fetch(`${operationsUrl}/${page}`);
      keep(`${process.name} /${page}`, await answer.text());
    }
  }
}

/** Everything an error says: its message, those of its causes, and its details. */
function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const details = 'details' in error ? JSON.stringify(error.details) : '';
  return `${error.name} ${error.message} ${details} ${error.cause === undefined ? '' : messagesOf(error.cause)}`;
}
