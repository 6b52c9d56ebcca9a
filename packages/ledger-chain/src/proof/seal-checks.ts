import { WaymarkError } from '@waymark/protocol';
import { type Crypto, createCoseKeys, createCrypto, type CryptoKeys, type MemberKeys } from '@waymark/rsl';

/** What somebody who only checks knows. */
export type CheckingKeys = Pick<MemberKeys, 'channel' | 'publicKeyOf'> &
  Pick<CryptoKeys, 'submissions'> & {
    /** Needed to check whole chains: `BodyCipher.bodyId`. */
    readonly bodyId?: CryptoKeys['bodyId'] | undefined;
  };

/** Hashes and signatures for somebody who only checks: knows the members' certificates and signs nothing. */
export function createCheckingCrypto({ channel, publicKeyOf, submissions, bodyId }: CheckingKeys): Crypto {
  const never = (): never => {
    throw new WaymarkError('internal', 'Whoever only checks a ledger signs nothing and stores no bodies.');
  };
  return createCrypto({
    bodyId: bodyId ?? never,
    ...(submissions === undefined ? {} : { submissions }),
    ...createCoseKeys({ channel, publicKeyOf, signer: { certificateDer: new Uint8Array(0), sign: never } }),
  });
}
