import { type Crypto, contentRoot, headerFields, signedAsStatement } from '../../src/index.ts';
import { digestOf, leafHashOf, merkleRootOf, type SimKeys } from './keys.ts';

/** The core's port to hashes and signatures, for one member of a simulated world. */
export function createSimCrypto(keys: SimKeys, member: string): Crypto {
  const verify: Crypto['verify'] = (signer, statement, signature) => keys.verify(signer, statement, signature);
  const crypto: Crypto = {
    ...signedAsStatement({ digest: digestOf, verify }),
    digest: digestOf,
    leafHash: leafHashOf,
    merkleRoot: merkleRootOf,
    headerHash: (header) => digestOf(headerFields(header)),
    bodyId: (candidate) => digestOf(['body', candidate.height, candidate.salt, contentRoot(crypto, candidate.content)]),
    sign: (statement) => keys.sign(member, statement),
    verify,
  };
  return crypto;
}
