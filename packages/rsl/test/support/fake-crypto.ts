import { createHash } from 'node:crypto';
import { type Crypto, headerFields, type MemberId, signedAsStatement, type Statement } from '../../src/index.ts';

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const digest = (statement: Statement): string => short(JSON.stringify(statement));

/** Hashes and "signatures" that are short to read: a signature is a hash over the signer's name, which a test can forge and the core cannot tell from the real one. */
export function fakeCrypto(id: MemberId): Crypto {
  const sign = (member: MemberId, statement: Statement): string => `${member}:${digest([member, statement])}`;
  const verify: Crypto['verify'] = (member, statement, signature) => sign(member, statement) === signature;
  return {
    ...signedAsStatement({ digest, verify }),
    digest,
    leafHash: (statement) => createHash('sha256').update(JSON.stringify(statement)).digest(),
    merkleRoot: (leaves) => short(leaves.map((leaf) => Buffer.from(leaf).toString('hex')).join('')),
    headerHash: (header) => digest(headerFields(header)),
    bodyId: (candidate) => `body-${candidate.root}`,
    sign: (statement) => sign(id, statement),
    verify,
  };
}
