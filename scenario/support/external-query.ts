import { randomBytes } from 'node:crypto';
import {
  type EncryptionKeyPair,
  generateEncryptionKeyPair,
  generateSigningKeyPair,
  openExternalAnswer,
  type OpenedExternalAnswer,
  signExternalQuery,
  type SigningKeyPair,
} from '@waymark/vault';
import { type RestAnswer, restClient } from './rest-client.ts';
import type { Firm } from './running-consortium.ts';

/** Somebody outside the consortium, with keys of its own (S9). */
export interface Asker {
  readonly signing: SigningKeyPair;
  readonly encryption: EncryptionKeyPair;
}

/** What the asker changes in its query. */
export interface QueryChanges {
  readonly msp?: string;
  readonly issuedAtMs?: number;
  readonly nonce?: string;
}

export const newAsker = (): Asker => ({
  signing: generateSigningKeyPair(),
  encryption: generateEncryptionKeyPair('P-256'),
});

/** Lets the asker ask for the records of a consignment: the outlet itself says so. */
export async function allow(firm: Firm, consignment: string, asker: Asker): Promise<RestAnswer> {
  const rest = restClient(firm, firm.ports.outlet.apiPort, await firm.identity(firm.outletName));
  return rest('PUT', '/v1/allow-list', { consignment, askerKids: [asker.signing.publicKey.kid] });
}

/** Asks through the firm's client at its center. */
export async function askExternally(
  firm: Firm,
  asker: Asker,
  what: { readonly recordOid: string } | { readonly businessId: { type: string; value: string } },
  changes: QueryChanges = {},
): Promise<{ answer: RestAnswer; opened: OpenedExternalAnswer | undefined }> {
  const nonce = changes.nonce ?? randomBytes(16).toString('base64url');
  const request = await signExternalQuery(
    {
      ...what,
      channel: firm.channel,
      msp: changes.msp ?? firm.mspId,
      nonce,
      issuedAtMs: changes.issuedAtMs ?? Date.now(),
      encryptionKey: asker.encryption.publicKey,
    },
    asker.signing,
  );
  const rest = restClient(firm, firm.ports.center.apiPort, await firm.identity('client'));
  const answer = await rest('POST', '/v1/external-queries', { request });
  if (answer.status !== 200) return { answer, opened: undefined };
  const { outlet, answer: jwe } = answer.body as { outlet: string; answer: string };
  const opened = await openExternalAnswer(jwe, asker.encryption, { outlet, nonce, nowMs: Date.now() });
  return { answer, opened };
}
