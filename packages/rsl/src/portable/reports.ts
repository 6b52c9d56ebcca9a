import { type CborFields, type CborValue, type DecodedCbor, decodeFields, encodeCbor } from '@waymark/protocol';
import type { HeldBackClaim, SequenceOpening } from '../audit/held-back-claim.ts';
import type { Seal } from '../block/header.ts';
import type { SubmissionReceipt } from '../block/submission.ts';
import { headerBytes } from '../canonical.ts';
import type { CenterStatement, Equivocation } from '../evidence.ts';
import { maxMembers } from '../membership/configuration.ts';
import { maxLedgerMessageBytes } from './anchor.ts';
import { decodeHeader } from './header.ts';
import { blockHash, digestBytes, refusePortable, signatureBytes, signatureText } from './texts.ts';
import {
  digestFrom,
  itemsOf,
  mapOf,
  maxProofSeals,
  nameFrom,
  numberFrom,
  sealsFrom,
  sealValue,
  signedHeaderFrom,
  signedHeaderValue,
} from './values.ts';

const maxSaltLength = 256;
/** Departments that a held-back claim may open: all that a ledger ever had. */
const maxCursors = 8 * maxMembers;

/** Two confirmed headers for one height: more went wrong than one center's lie (docs/rsl.md, "More liars than t + 1"). */
export interface Fork {
  readonly ledger: string;
  /** `confirmation(height)` of the one. */
  readonly first: readonly Seal[];
  /** `confirmation(height)` of the other; null when the other is what is anchored as the last block of a range. */
  readonly second: readonly Seal[] | null;
}

/** The bytes of a proof that a center lied (docs/formats.md, "Reports"). */
export function encodeEquivocation(evidence: Equivocation): Uint8Array {
  const { center, first, second } = evidence;
  return encodeCbor({
    v: 1,
    type: 'ledger-equivocation',
    ledger: ledgerOf(first),
    center,
    first: centerStatementValue(first),
    second: centerStatementValue(second),
  });
}

/** @throws WaymarkError input-invalid, limit-exceeded */
export function decodeEquivocation(bytes: Uint8Array): Equivocation {
  const fields = open(bytes, 'ledger-equivocation');
  const ledger = fields.text('ledger', 512);
  const evidence: Equivocation = {
    center: fields.text('center'),
    first: centerStatementFrom(fields.any('first'), ledger),
    second: centerStatementFrom(fields.any('second'), ledger),
  };
  fields.end();
  for (const statement of [evidence.first, evidence.second]) {
    if (centerOf(statement) !== evidence.center) refusePortable('equivocation', 'center');
    if (ledgerOf(statement) !== ledger) refusePortable('equivocation', 'ledger');
  }
  return evidence;
}

/** The bytes of a proof that a ledger was forked (docs/formats.md, "Reports"). */
export function encodeFork({ ledger, first, second }: Fork): Uint8Array {
  return encodeCbor({
    v: 1,
    type: 'ledger-fork',
    ledger,
    first: first.map(sealValue),
    second: second === null ? null : second.map(sealValue),
  });
}

/** @throws WaymarkError input-invalid, limit-exceeded */
export function decodeFork(bytes: Uint8Array): Fork {
  const fields = open(bytes, 'ledger-fork');
  const ledger = fields.text('ledger', 512);
  const first = sealsFrom(fields.list('first', maxProofSeals));
  const second = fields.any('second') === null ? null : sealsFrom(fields.list('second', maxProofSeals));
  fields.end();
  return { ledger, first, second };
}

/** The bytes of a held-back claim (docs/formats.md, "Reports"). */
export function encodeHeldBackClaim({ receipt, opening }: HeldBackClaim): Uint8Array {
  const { ledger, department, seq, hash, center, term, height, acceptedMs, signature } = receipt;
  return encodeCbor({
    v: 1,
    type: 'ledger-held-back',
    ledger,
    receipt: {
      department,
      seq,
      hash: digestBytes(hash),
      center,
      term,
      height,
      accepted: acceptedMs,
      signature: signatureBytes(signature),
    },
    opening:
      opening === null
        ? null
        : {
            header: headerBytes(opening.header),
            salt: opening.salt,
            cursors: opening.cursors.map((cursor) => [cursor.department, cursor.seq, digestBytes(cursor.hash)]),
          },
  });
}

/** @throws WaymarkError input-invalid, limit-exceeded */
export function decodeHeldBackClaim(bytes: Uint8Array): HeldBackClaim {
  const fields = open(bytes, 'ledger-held-back');
  const ledger = fields.text('ledger', 512);
  const opening = fields.any('opening');
  const claim: HeldBackClaim = {
    receipt: receiptFrom(fields.any('receipt'), ledger),
    opening: opening === null ? null : openingFrom(opening),
  };
  fields.end();
  return claim;
}

function open(bytes: Uint8Array, type: string): CborFields {
  const fields = decodeFields(bytes, type, maxLedgerMessageBytes);
  fields.constant('v', 1);
  fields.constant('type', type);
  return fields;
}

function centerOf(statement: CenterStatement): string {
  return statement.kind === 'candidate' ? statement.candidate.center : statement.seal.center;
}

function ledgerOf(statement: CenterStatement): string {
  return statement.kind === 'candidate' ? statement.candidate.ledger : statement.seal.header.ledger;
}

function centerStatementValue(statement: CenterStatement): CborValue {
  if (statement.kind === 'seal') return { kind: 'seal', ...signedHeaderValue(statement.seal) };
  const { epoch, height, term, center, prev, root, count, signature } = statement.candidate;
  return {
    kind: 'candidate',
    epoch,
    height,
    term,
    center,
    prev,
    root: digestBytes(root),
    count,
    signature: signatureBytes(signature),
  };
}

function centerStatementFrom(value: DecodedCbor, ledger: string): CenterStatement {
  const fields = mapOf(value, 'equivocation');
  const kind = fields.text('kind');
  let statement: CenterStatement;
  if (kind === 'seal') {
    statement = { kind, seal: signedHeaderFrom(fields) };
  } else if (kind === 'candidate') {
    const candidate = {
      ledger,
      epoch: fields.integer('epoch', 1),
      height: fields.integer('height', 1),
      term: fields.integer('term', 1),
      center: fields.text('center'),
      prev: blockHash(fields.text('prev')),
      root: digestFrom(fields.any('root'), 'equivocation'),
      count: fields.integer('count'),
      signature: signatureText(fields.bytes('signature')),
    };
    statement = { kind, candidate };
  } else {
    return refusePortable('equivocation', 'kind');
  }
  fields.end();
  return statement;
}

function receiptFrom(value: DecodedCbor, ledger: string): SubmissionReceipt {
  const fields = mapOf(value, 'receipt');
  const receipt: SubmissionReceipt = {
    ledger,
    department: nameFrom(fields.any('department'), 'receipt'),
    seq: fields.integer('seq', 1),
    hash: digestFrom(fields.any('hash'), 'receipt'),
    center: nameFrom(fields.any('center'), 'receipt'),
    term: fields.integer('term', 1),
    height: fields.integer('height'),
    acceptedMs: fields.integer('accepted'),
    signature: signatureText(fields.bytes('signature')),
  };
  fields.end();
  return receipt;
}

function openingFrom(value: DecodedCbor): SequenceOpening {
  const fields = mapOf(value, 'opening');
  const opening: SequenceOpening = {
    header: decodeHeader(fields.bytes('header')),
    salt: fields.text('salt', maxSaltLength),
    cursors: fields.list('cursors', maxCursors).map((cursor) => {
      const [department, seq, hash] = itemsOf(cursor, 3, 'opening', 'cursors');
      return {
        department: nameFrom(department, 'opening'),
        seq: numberFrom(seq, 'opening'),
        hash: digestFrom(hash, 'opening'),
      };
    }),
  };
  fields.end();
  return opening;
}
