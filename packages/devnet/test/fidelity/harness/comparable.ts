import type { peer } from '@hyperledger/fabric-protos';
import type { Answer } from './fabric-node.ts';

/** One answer: what is the same in every run, and what must only be the same on both sides of one run. */
export interface Comparable {
  readonly stable: unknown;
  readonly exact?: unknown;
}

/** Go's protobuf sometimes writes a no-break space, so that nobody relies on its texts; addresses and times are each side's own. */
function comparableText(text: string): string {
  return text
    .replaceAll('\u00a0', ' ')
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, 'ADDRESS')
    .replaceAll(/peer time [^,]+/g, 'peer time NOW');
}

/** A text without what every run has anew: transaction ids, hashes, identities. */
export function stableText(text: string): string {
  return comparableText(text).replaceAll(/[0-9a-f]{64,}/g, 'HEX');
}

export function compareCall({ code, text }: Answer): Comparable {
  return { stable: { code, text: stableText(text) }, exact: comparableText(text) };
}

/** A proposal response without what is each side's own: the endorser's signature. */
export function compareProposal(outcome: { answer: Answer; response?: peer.ProposalResponse }): Comparable {
  const { answer, response } = outcome;
  if (response === undefined) return compareCall(answer);
  const status = response.getResponse()?.getStatus();
  const message = response.getResponse()?.getMessage() ?? '';
  const endorsed = response.getEndorsement() !== undefined;
  return {
    stable: { status, message: stableText(message), endorsed, hasPayload: response.getPayload_asU8().length > 0 },
    exact: {
      version: response.getVersion(),
      message: comparableText(message),
      payload: response.getResponse()?.getPayload_asB64(),
      // With a text of Go's protobuf in it, which has one of two spaces.
      endorsedPayload: message.includes('proto:') ? '' : response.getPayload_asB64(),
      endorser: response.getEndorsement()?.getEndorser_asB64(),
      // Chaincodes come in any order.
      interest: sorted(response.getInterest()?.toObject()),
    },
  };
}

/** Lists of pairs, as maps are written, in the order of their keys. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]));
}
