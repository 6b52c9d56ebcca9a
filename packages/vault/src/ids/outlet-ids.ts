import type { KeyObject } from 'node:crypto';
import { WaymarkError, encodeCbor } from '@waymark/protocol';
import { hkdfExpand, hmacSha256, secretKey } from '../derivation/hkdf.ts';

/** Ids that an outlet gives its records: the same for the same event, meaningless to everybody else. */
export interface OutletIds {
  /** HMAC(K_outlet, cbor["rid", eventId, revision]): 32 bytes. */
  recordOid(eventId: string, revision: number): Uint8Array;
  /**
   * HMAC(K_tag, JCS(content)): 32 bytes. The same id with another tag is a `conflict`; nobody without the key can test a guess.
   * @param content JCS bytes of the record content
   */
  contentTag(content: Uint8Array): Uint8Array;
}

/** Whose ids they are; two channels or two outlets never share one. */
export interface OutletScope {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id. */
  readonly outlet: string;
}

const maxEventIdBytes = 1_024;

/**
 * Ids of one outlet on one channel: K_outlet = Expand(secret, cbor["record-id", channel, msp, outlet]), K_tag likewise with
 * "content-tag" (docs/formats.md, "Ids").
 * @param outletSecret 32 random bytes that never leave the outlet's key store
 */
export function outletIds(outletSecret: KeyObject, { channel, msp, outlet }: OutletScope): OutletIds {
  const key = (purpose: string): KeyObject =>
    secretKey(hkdfExpand(outletSecret, encodeCbor([purpose, channel, msp, outlet])));
  const recordKey = key('record-id');
  const tagKey = key('content-tag');
  return {
    recordOid(eventId, revision) {
      if (!Number.isSafeInteger(revision) || revision < 0) {
        throw new WaymarkError('input-invalid', 'A revision is 0, 1, 2, ...', { details: { revision } });
      }
      if (eventId === '' || /[\u0000\p{Surrogate}]/u.test(eventId) || eventId.normalize('NFC') !== eventId) {
        throw new WaymarkError('input-invalid', 'An event id is text in NFC.');
      }
      if (Buffer.byteLength(eventId, 'utf8') > maxEventIdBytes) {
        throw new WaymarkError('limit-exceeded', 'The event id is too long.', { details: { maxEventIdBytes } });
      }
      return hmacSha256(recordKey, encodeCbor(['rid', eventId, revision]));
    },
    contentTag: (content) => hmacSha256(tagKey, content),
  };
}
