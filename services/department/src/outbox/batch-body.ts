import { bytesOf, decodeCbor, type DecodedCbor, encodeCbor, WaymarkError } from '@waymark/protocol';
import type { SubmittedRecord } from '@waymark/vault';

/** What of a batch waits to be sent: sealed, and without the keys, which stay wrapped until then. */
export interface BatchBody {
  readonly records: readonly SubmittedRecord[];
  /** Consignments whose keys go with the batch; none when the center is not a recipient. */
  readonly keyPlaces: readonly { readonly consignmentOid: Uint8Array; readonly epoch: number }[];
  readonly collectedFromMs: number;
  readonly collectedToMs: number;
}

/** Bytes of a body. */
export function encodeBody({ records, keyPlaces, collectedFromMs, collectedToMs }: BatchBody): Uint8Array {
  return encodeCbor([
    1,
    collectedFromMs,
    collectedToMs,
    keyPlaces.map(({ consignmentOid, epoch }) => [consignmentOid, epoch]),
    records.map(({ recordOid, envelope, tokens, contentTag }) => [recordOid, envelope, contentTag, [...tokens]]),
  ]);
}

/** @throws WaymarkError data-abnormal: the file was altered */
export function decodeBody(bytes: Uint8Array): BatchBody {
  try {
    const [, from, to, keys, records] = list(decodeCbor(bytes, { maxBytes: 64 * 1024 * 1024 }));
    return {
      collectedFromMs: Number(from),
      collectedToMs: Number(to),
      keyPlaces: list(keys).map((entry) => {
        const [consignmentOid, epoch] = list(entry);
        return { consignmentOid: bytesOf(consignmentOid), epoch: Number(epoch) };
      }),
      records: list(records).map((entry) => {
        const [recordOid, envelope, contentTag, tokens] = list(entry);
        return {
          recordOid: bytesOf(recordOid),
          envelope: bytesOf(envelope),
          contentTag: bytesOf(contentTag),
          tokens: list(tokens).map(bytesOf),
        };
      }),
    };
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'A batch in the outbox does not have its form.', { cause });
  }
}

function list(value: DecodedCbor | undefined): readonly DecodedCbor[] {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value as readonly DecodedCbor[];
}
