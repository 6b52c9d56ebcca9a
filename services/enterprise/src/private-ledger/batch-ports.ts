import type { GatherPorts } from '@waymark/audit';
import { isWaymarkError, parseContent, toHex } from '@waymark/protocol';
import { type ConsignmentCipher, createConsignmentCipher, type EnvelopeHeader, type KeyStore } from '@waymark/vault';
import type { CheckedBatch } from '../admission/admission.ts';
import type { AcceptedBatch, Journal } from '../journal/journal.ts';

/** What looking into a batch takes. */
export interface BatchPortsParts {
  readonly channel: string;
  readonly mspId: string;
  readonly journal: Pick<Journal, 'consignmentKey'>;
  readonly keyStore: Pick<KeyStore, 'localWrap'>;
  /** Whether a rule asks for what is inside the envelopes. */
  readonly readsContent: boolean;
}

/** The audit's view of a batch whose envelopes this center has in hand (D4): their headers are read already, a consignment's key is unwrapped once. */
export function batchPorts(
  { channel, mspId, journal, keyStore, readsContent }: BatchPortsParts,
  { headers, envelopes }: Pick<CheckedBatch, 'headers' | 'envelopes'>,
  { consignmentKeys }: Pick<AcceptedBatch, 'consignmentKeys'>,
): GatherPorts {
  const ciphers = new Map<string, ConsignmentCipher | null>();

  function cipherOf({ consignmentOid, epoch }: EnvelopeHeader): ConsignmentCipher | null {
    const name = `${toHex(consignmentOid)}/${String(epoch)}`;
    const known = ciphers.get(name);
    if (known !== undefined) return known;
    const same = (key: { consignmentOid: Uint8Array; epoch: number }): boolean =>
      key.epoch === epoch && Buffer.compare(key.consignmentOid, consignmentOid) === 0;
    const wrapped = consignmentKeys.find(same)?.wrapped ?? journal.consignmentKey(consignmentOid, epoch);
    const context = { channel, msp: mspId, consignmentOid, epoch };
    const cipher =
      wrapped === undefined ? null : createConsignmentCipher(context, keyStore.localWrap.unwrapLocal(wrapped, context));
    ciphers.set(name, cipher);
    return cipher;
  }

  return {
    envelope: ({ index }) => headers[index] ?? 'absent',
    ...(readsContent
      ? {
          content: ({ index }) => {
            const [header, envelope] = [headers[index], envelopes[index]];
            if (header === undefined || envelope === undefined) return 'unreadable';
            try {
              const cipher = cipherOf(header);
              return cipher === null ? 'sealed' : parseContent(cipher.open(envelope.bytes).content);
            } catch (error) {
              if (isWaymarkError(error)) return 'unreadable';
              throw error;
            }
          },
        }
      : {}),
  };
}
