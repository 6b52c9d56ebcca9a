import { type JsonObject, WaymarkError } from '@waymark/protocol';
import type { QueryKeys } from '@waymark/query-api';
import {
  type KeyStore,
  parseEncryptionPublicKey,
  readEnvelopeHeader,
  type Tokens,
  wrapConsignmentKey,
} from '@waymark/vault';
import type { Journal } from '../journal/journal.ts';

/** The keys a center holds: those that outlets handed it, when the firm's policy makes it a recipient. */
export function createCenterKeys(parts: {
  readonly channel: string;
  readonly msp: string;
  readonly journal: Journal;
  readonly keyStore: KeyStore;
  readonly tokens: Tokens;
}): QueryKeys {
  const { channel, msp, journal, keyStore, tokens } = parts;
  return {
    get ownerKid() {
      return keyStore.encryptionKey.kid;
    },
    token: (type, value) => tokens.token({ type, value }),
    consignmentKey: (consignmentOid, epoch) =>
      new Promise((resolve) => {
        const wrapped = journal.consignmentKey(consignmentOid, epoch);
        if (wrapped === undefined)
          throw new WaymarkError('key-unknown', 'This center was not given the key of that consignment.');
        resolve(keyStore.localWrap.unwrapLocal(wrapped, { channel, msp, consignmentOid, epoch }));
      }),
    async wrap({ consignmentKey, consignmentOid, epoch, encryptionKey }) {
      const recipient = parseEncryptionPublicKey(encryptionKey satisfies JsonObject);
      const context = { channel, msp, consignmentOid, epoch };
      const { jwe } = await wrapConsignmentKey({
        ck: consignmentKey,
        context,
        ownerKid: keyStore.encryptionKey.kid,
        recipient,
      });
      return jwe;
    },
    envelopePlace: (envelope) => readEnvelopeHeader(envelope),
  };
}
