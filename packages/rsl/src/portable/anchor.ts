import { type DecodedCbor, decodeFields, encodeCbor } from '@waymark/protocol';
import type { Anchor, AnchorOpening } from '../anchor/anchor.ts';
import { headerBytes } from '../canonical.ts';
import { decodeHeader } from './header.ts';
import { digestBytes, signatureBytes, signatureText } from './texts.ts';
import { digestFrom, electionFrom, electionValue, mapOf, maxProofSeals, sealsFrom, sealValue } from './values.ts';

/** Largest message about a ledger that is read, in bytes: in base64url it fits into one call of the chaincode. */
export const maxLedgerMessageBytes = 128 * 1024;
const type = 'ledger-anchor';
/** Steps of a path in a tree of 2^53 leaves. */
const maxPath = 53;

/** The bytes of an anchor (docs/formats.md, "Anchor"). */
export function encodeAnchor(anchor: Anchor): Uint8Array {
  const { ledger, first, last, root, term, center, seals, opening, election, signature } = anchor;
  return encodeCbor({
    v: 1,
    type,
    ledger,
    first,
    last,
    root: digestBytes(root),
    term,
    center,
    seals: seals.map(sealValue),
    opening:
      opening === null
        ? null
        : {
            header: headerBytes(opening.header),
            first: opening.firstPath.map(digestBytes),
            last: opening.lastPath.map(digestBytes),
          },
    election: election === null ? null : electionValue(election),
    signature: signatureBytes(signature),
  });
}

/**
 * Reads an anchor; anything but the bytes that `encodeAnchor` writes is refused. Nothing in it is proven yet.
 * @throws WaymarkError input-invalid, limit-exceeded; recipient-mismatch is for the caller, who knows the ledger
 */
export function decodeAnchor(bytes: Uint8Array): Anchor {
  const fields = decodeFields(bytes, 'anchor', maxLedgerMessageBytes);
  fields.constant('v', 1);
  fields.constant('type', type);
  const ledger = fields.text('ledger', 512);
  const opening = fields.any('opening');
  const election = fields.any('election');
  const anchor: Anchor = {
    ledger,
    first: fields.integer('first', 1),
    last: fields.integer('last', 1),
    root: digestFrom(fields.any('root'), 'anchor'),
    term: fields.integer('term', 1),
    center: fields.text('center'),
    seals: sealsFrom(fields.list('seals', maxProofSeals)),
    opening: opening === null ? null : openingFrom(opening),
    election: election === null ? null : electionFrom(election, ledger),
    signature: signatureText(fields.bytes('signature')),
  };
  fields.end();
  return anchor;
}

function openingFrom(value: DecodedCbor): AnchorOpening {
  const fields = mapOf(value, 'anchor');
  const path = (key: string) => fields.list(key, maxPath).map((hash) => digestFrom(hash, 'anchor'));
  const opening = { header: decodeHeader(fields.bytes('header')), firstPath: path('first'), lastPath: path('last') };
  fields.end();
  return opening;
}
