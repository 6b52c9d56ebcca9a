import { createHash, randomBytes } from 'node:crypto';
import { contentBytes } from '@waymark/protocol';
import { randomId, sealEnvelope } from '@waymark/vault';
import type { NewBatch } from '../../src/outbox/outbox.ts';

/** 32 bytes that stand for a text. */
export const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();

/** A batch of one sealed record, as the sealer queues it. */
export function newBatch(name: string, outlet = 'depot'): NewBatch {
  const recordOid = hashOf(`oid ${name}`);
  const contentTag = hashOf(`tag ${name}`);
  const { bytes } = sealEnvelope({
    channel: 'waymark',
    msp: 'NorthMSP',
    outlet,
    consignmentOid: randomId(16),
    epoch: 0,
    ck: randomBytes(32),
    recordOid,
    schema: 's',
    collectedMs: 1_000,
    content: contentBytes({ eventId: name, revision: 0, schema: 's', businessIds: [], payload: {} }),
  });
  return {
    body: {
      records: [{ recordOid, envelope: bytes, tokens: [hashOf(`token ${name}`)], contentTag }],
      keyPlaces: [],
      collectedFromMs: 1_000,
      collectedToMs: 1_000,
    },
    records: [{ oid: recordOid, contentTag }],
    consignments: [],
  };
}

/** One batch of several records. */
export function batchOf(...names: readonly string[]): NewBatch {
  const batches = names.map((name) => newBatch(name));
  return {
    body: {
      records: batches.flatMap(({ body }) => body.records),
      keyPlaces: [],
      collectedFromMs: 1_000,
      collectedToMs: 1_000,
    },
    records: batches.flatMap(({ records }) => records),
    consignments: [],
  };
}
