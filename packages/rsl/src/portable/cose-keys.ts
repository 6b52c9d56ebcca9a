import {
  type CoseSigner,
  isWaymarkError,
  type LedgerPublicKey,
  readLedgerSignature,
  signLedgerStatement,
  verifyLedgerSignature,
} from '@waymark/protocol';
import type { CryptoKeys } from '../canonical.ts';
import type { MemberId } from '../ids.ts';
import { signatureBytes, signatureText } from './texts.ts';

/** Whose keys a member signs and verifies with. */
export interface MemberKeys {
  readonly channel: string;
  readonly signer: CoseSigner;
  /** The public key of this certificate (SHA-256 of its DER) if it is one of this member's, else null. */
  readonly publicKeyOf: (member: MemberId, certificateDigest: Uint8Array) => LedgerPublicKey | null;
}

/** Signatures as COSE_Sign1 over X.509 identities, for `createCrypto` (docs/formats.md, "Statements of the private ledger"). */
export function createCoseKeys({
  channel,
  signer,
  publicKeyOf,
}: MemberKeys): Pick<CryptoKeys, 'signBytes' | 'verifyBytes'> {
  return {
    signBytes: (statement) => signatureText(signLedgerStatement(signer, channel, statement)),
    verifyBytes(member, statement, signature) {
      try {
        const message = readLedgerSignature(signatureBytes(signature));
        const publicKey = publicKeyOf(member, message.certificateDigest);
        return publicKey !== null && verifyLedgerSignature(message, channel, statement, publicKey);
      } catch (error) {
        if (isWaymarkError(error)) return false;
        throw error;
      }
    },
  };
}
