import { createPublicKey } from 'node:crypto';
import type { Ledger } from '@waymark/fabric';
import { createCheckingCrypto, type RecordProofChecks } from '@waymark/ledger-chain/proof';
import { type LedgerPublicKey, readLedgerSignature, toHex, WaymarkError } from '@waymark/protocol';
import { type Configuration, type Seal, sealStatement } from '@waymark/rsl';
import { z } from 'zod';
import { remembering } from '../remembering.ts';
import { askContract } from './contract-answer.ts';

const name = z.string().min(1).max(256);
const names = z.array(name).max(64);
const configurationSchema = z.object({
  v: z.literal(1),
  msp: name,
  epoch: z.int().min(1),
  members: names,
  learners: names,
  eligible: names,
  profile: z.discriminatedUnion('center', [
    z.object({ center: z.literal('trusted') }),
    z.object({ center: z.literal('lying'), colluding: z.int().min(0) }),
  ]),
  height: z.int().min(0),
});
const certificateSchema = z.object({
  v: z.literal(1),
  member: name,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  publicKey: z.string().min(1).max(1_024),
});

type StoredConfiguration = Configuration & { readonly height: number };
type MemberKey = { readonly member: string; readonly publicKey: LedgerPublicKey };

/** Who the channel says that the members of private ledgers are. */
export interface ChannelMembers {
  /**
   * Keys and members by which seals are judged.
   * @throws WaymarkError unavailable: the members changed about here, and the channel is not so far; data-abnormal: a member did not sign
   */
  judging(mspId: string, channel: string, seals: readonly Seal[]): Promise<NonNullable<RecordProofChecks['members']>>;
}

/** Certificates and configurations are written once: each is asked for once. @param maxRemembered of each */
export function createChannelMembers(ledger: Pick<Ledger, 'evaluate'>, maxRemembered: number): ChannelMembers {
  const configurations = remembering<StoredConfiguration | null>(maxRemembered);
  const keys = remembering<MemberKey | null>(maxRemembered);
  const isThere = (found: object | null): boolean => found !== null;

  const configurationOf = (mspId: string, epoch: number): Promise<StoredConfiguration | null> =>
    configurations.get(
      `${mspId}/${String(epoch)}`,
      async () => {
        const found = await askContract(ledger, 'configuration', [mspId, String(epoch)], configurationSchema);
        if (found === null || (found.msp === mspId && found.epoch === epoch)) return found;
        throw new WaymarkError('data-abnormal', 'The channel answered with another configuration.');
      },
      isThere,
    );
  const keyOf = (mspId: string, digest: string): Promise<MemberKey | null> =>
    keys.get(
      `${mspId}/${digest}`,
      async () => {
        const found = await askContract(ledger, 'certificate', [mspId, digest], certificateSchema);
        if (found === null) return null;
        if (found.digest !== digest)
          throw new WaymarkError('data-abnormal', 'The channel answered with another certificate.');
        const key = Buffer.from(found.publicKey, 'base64url');
        return { member: found.member, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) };
      },
      isThere,
    );

  /** In force at a block: those of its epoch, and from the block on that changes the members, the next ones as well. */
  async function inForce(mspId: string, { epoch, height }: Seal['header']): Promise<readonly Configuration[]> {
    const [current, next] = await Promise.all([configurationOf(mspId, epoch), configurationOf(mspId, epoch + 1)]);
    if (current === null) throw membersChange(mspId, epoch);
    if (height <= current.height)
      throw new WaymarkError('data-abnormal', 'A block of the private ledger is of an epoch that was not there yet.');
    return next !== null && next.height <= height ? [current, next] : [current];
  }

  return {
    async judging(mspId, channel, seals) {
      const known = new Map<string, MemberKey>();
      const digests = new Set(seals.flatMap(certificatesOf));
      await Promise.all(
        [...digests].map(async (digest) => {
          const key = await keyOf(mspId, digest);
          if (key !== null) known.set(digest, key);
        }),
      );
      const crypto = createCheckingCrypto({
        channel,
        publicKeyOf(member, digest) {
          const key = known.get(toHex(digest));
          return key?.member === member ? key.publicKey : null;
        },
      });
      // What no center signed says nothing, not even that the members change.
      if (!seals.every((seal) => crypto.verify(seal.center, sealStatement(seal), seal.signature)))
        throw new WaymarkError('data-abnormal', 'A block of the private ledger was not sealed by one of its members.');
      const epochs = new Map<number, Configuration>();
      for (const { header } of seals)
        for (const configuration of await inForce(mspId, header)) epochs.set(configuration.epoch, configuration);
      // While members change, who has to sign differs from block to block: the anchor will tell.
      if (epochs.size > 1) throw membersChange(mspId, Math.max(...epochs.keys()));
      return { crypto, configurations: [...epochs.values()] };
    },
  };
}

function certificatesOf({ signature, certificate }: Seal): string[] {
  return [signature, ...certificate.map((ack) => ack.signature)].map((text) =>
    toHex(readLedgerSignature(Buffer.from(text, 'base64url')).certificateDigest),
  );
}

function membersChange(mspId: string, epoch: number): WaymarkError {
  return new WaymarkError('unavailable', 'The members of the private ledger changed just now: ask again once the block is anchored.', { details: { mspId, epoch } }); // prettier-ignore
}
