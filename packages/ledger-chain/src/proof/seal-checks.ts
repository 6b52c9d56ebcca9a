import { WaymarkError } from '@waymark/protocol';
import { type Crypto, createCoseKeys, createCrypto, type MemberKeys } from '@waymark/rsl';

/**
 * Hashes and signatures for somebody who only checks: knows the members' certificates and signs nothing.
 * @param keys the channel, and whose certificates are whose
 */
export function createCheckingCrypto(keys: Pick<MemberKeys, 'channel' | 'publicKeyOf'>): Crypto {
  const never = (): never => {
    throw new WaymarkError('internal', 'Whoever only checks a ledger signs nothing and stores no bodies.');
  };
  return createCrypto({
    bodyId: never,
    ...createCoseKeys({ ...keys, signer: { certificateDer: new Uint8Array(0), sign: never } }),
  });
}
