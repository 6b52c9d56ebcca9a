import { msp } from '@hyperledger/fabric-protos';
import type { LedgerIdentity } from '@waymark/fabric';
import type { ICryptoSuite, User } from 'fabric-common';
import type { Identity, IdentityProvider } from 'fabric-network';

/**
 * An identity that tells the client library who calls, but has no key: all requests are signed outside of it, by a signer
 * that may take its time (`LedgerIdentity.sign`). The library's own signing is neither asynchronous nor constant in time.
 */
export function keylessIdentity({ mspId, certificatePem }: LedgerIdentity): {
  readonly identity: Identity;
  readonly identityProvider: IdentityProvider;
} {
  const serialized = new msp.SerializedIdentity();
  serialized.setMspid(mspId);
  serialized.setIdBytes(Buffer.from(certificatePem));
  const bytes = Buffer.from(serialized.serializeBinary());
  // The three methods of a user that building a request needs.
  const user = { getName: () => mspId, getMspid: () => mspId, getIdentity: () => ({ serialize: () => bytes }) };
  const identity: Identity = { type: 'keyless', mspId };
  return {
    identity,
    identityProvider: {
      type: identity.type,
      getCryptoSuite: (): ICryptoSuite => {
        throw new Error('an identity without a key has no use for one');
      },
      fromJson: () => identity,
      toJson: () => ({ ...identity, version: 1 }),
      getUserContext: () => Promise.resolve(user as unknown as User),
    },
  };
}
