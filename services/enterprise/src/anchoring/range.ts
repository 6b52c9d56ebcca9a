import { WaymarkError } from '@waymark/protocol';
import {
  encodeAnchor,
  makeAnchor,
  maxLedgerMessageBytes,
  maxProofSeals,
  type Header,
  type Seal,
  type VoteCertificate,
} from '@waymark/rsl';
import type { RelayChain, RelayMember } from './ports.ts';

/** The end of a range, with what confirms it. */
export interface RangeEnd {
  readonly last: number;
  readonly seals: readonly Seal[];
}

/** Ends that are looked at before giving up. */
const maxEnds = 64;

/**
 * The highest block from `wanted` down to `first` whose confirmation this member has and the channel takes; if there is none, the highest one up to
 * `height`: what is old may be compacted away. Null when there is none at all.
 */
export async function rangeEnd(
  member: Pick<RelayMember, 'confirmation'>,
  { first, wanted, height }: { readonly first: number; readonly wanted: number; readonly height: number },
): Promise<RangeEnd | null> {
  const below = Array.from({ length: Math.min(maxEnds, wanted - first + 1) }, (_, index) => wanted - index);
  const above = Array.from({ length: Math.min(maxEnds, height - wanted) }, (_, index) => height - index);
  for (const last of [...below, ...above]) {
    const seals = await member.confirmation(last);
    if (seals !== null && seals.length <= maxProofSeals) return { last, seals };
  }
  return null;
}

/** Headers of a range, lowest first. */
export async function readHeaders(chain: Pick<RelayChain, 'header'>, first: number, last: number): Promise<Header[]> {
  const headers: Header[] = [];
  for (let height = first; height <= last; height += 1) headers.push(await chain.header(height));
  return headers;
}

/**
 * The bytes of a signed anchor.
 *
 * @throws WaymarkError `limit-exceeded` when the channel would not take them; `data-abnormal` when the own headers are no chain that ends with the seals
 */
export function signedRange(
  member: Pick<RelayMember, 'crypto' | 'id'>,
  parts: {
    readonly headers: readonly Header[];
    readonly seals: readonly Seal[];
    readonly term: number;
    readonly election: VoteCertificate | null;
  },
): Uint8Array {
  const { crypto, id } = member;
  const { headers, seals, term, election } = parts;
  requireChain(headers, seals, crypto);
  const bytes = encodeAnchor(makeAnchor(crypto, { headers, seals, center: id, term, election }));
  if (bytes.length > maxLedgerMessageBytes) {
    throw new WaymarkError('limit-exceeded', 'The anchor is too large for the channel.', {
      details: { sizeBytes: bytes.length, maxBytes: maxLedgerMessageBytes },
    });
  }
  return bytes;
}

/** A center signs only what it has checked: its disk may say something else than it once stored. */
function requireChain(headers: readonly Header[], seals: readonly Seal[], crypto: RelayMember['crypto']): void {
  let above = seals[0]?.hash;
  for (const header of headers.toReversed()) {
    if (crypto.headerHash(header) !== above) {
      throw new WaymarkError(
        'data-abnormal',
        'The own chain is broken: a block is not the one that the next one names.',
        {
          details: { height: header.height },
        },
      );
    }
    above = header.prev;
  }
}
