import { toHex, WaymarkError } from '@waymark/protocol';
import type { ConsignmentKeySource, KeyPlace } from '@waymark/reading';
import { type EncryptionKeyPair, unwrapConsignmentKey } from '@waymark/vault';
import { answerSchemas, parseAnswer } from '../api/answers.ts';
import type { ApiClient } from '../api/api-client.ts';

const maxPerRequest = 500;
const maxRemembered = 20_000;

/** Consignment keys as a service of the firm hands them to this reader, each asked for once per connection. */
export function createHandedKeys(parts: {
  readonly api: () => ApiClient;
  readonly channel: string;
  readonly readerKey: () => Promise<EncryptionKeyPair>;
}): ConsignmentKeySource {
  const known = new Map<string, Promise<Uint8Array>>();
  const nameOf = ({ msp, consignmentOid, epoch }: KeyPlace): string => `${msp}/${toHex(consignmentOid)}/${epoch}`;

  async function handOver(places: readonly KeyPlace[]): Promise<readonly Promise<Uint8Array>[]> {
    const reader = await parts.readerKey();
    const answer = parseAnswer(
      answerSchemas.keys,
      await parts.api().call('POST', 'v1/keys', {
        encryptionKey: reader.publicKey.jwk,
        consignments: places.map(({ consignmentOid, epoch }) => ({ consignmentOid: toHex(consignmentOid), epoch })),
      }),
    );
    const { ownerKid } = answer;
    return places.map(({ msp, consignmentOid, epoch }, index) => {
      const jwe = answer.keys[index]?.jwe;
      if (jwe === undefined)
        return Promise.reject(new WaymarkError('key-unknown', 'The service did not give the key.'));
      return unwrapConsignmentKey(jwe, {
        context: { channel: parts.channel, msp, consignmentOid, epoch },
        ownerKid,
        reader,
      });
    });
  }

  return {
    async consignmentKeys(places) {
      const missing = places.filter((place) => !known.has(nameOf(place)));
      for (let start = 0; start < missing.length; start += maxPerRequest) {
        const page = missing.slice(start, start + maxPerRequest);
        const asked = handOver(page);
        page.forEach((place, index) => {
          const key = asked.then(
            (keys) =>
              keys[index] ?? Promise.reject(new WaymarkError('key-unknown', 'The service did not give the key.')),
          );
          const name = nameOf(place);
          known.set(name, key);
          // A key that was refused may be given later.
          key.catch(() => known.delete(name));
        });
      }
      try {
        return await Promise.all(
          places.map(
            (place) =>
              known.get(nameOf(place)) ??
              Promise.reject(new WaymarkError('key-unknown', 'The service did not give the key.')),
          ),
        );
      } finally {
        while (known.size > maxRemembered) known.delete(known.keys().next().value ?? '');
      }
    },
  };
}
