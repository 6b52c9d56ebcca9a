import type { Crypto } from '../crypto.ts';
import type { Digest } from '../ids.ts';
import { configurationStatement } from '../membership/configuration.ts';
import { auditedStatement, type Content } from './candidate.ts';

/** Leaf hashes of a block: one per submission, or the one of its configuration, or none. */
export function contentLeaves(crypto: Crypto, content: Content): Uint8Array[] {
  if (content.kind === 'records') return content.audited.map((audited) => crypto.leafHash(auditedStatement(audited)));
  if (content.kind === 'configuration') return [crypto.leafHash(configurationStatement(content.configuration))];
  return [];
}

/** Merkle root of a block's content. */
export function contentRoot(crypto: Crypto, content: Content): Digest {
  return crypto.merkleRoot(contentLeaves(crypto, content));
}
