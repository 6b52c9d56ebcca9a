import { createHash } from 'node:crypto';
import {
  encodeEquivocation,
  encodeFork,
  encodeHeldBackClaim,
  headerBytes,
  maxLedgerMessageBytes,
  type Alert,
  type Equivocation,
  type Header,
  type HeldBackClaim,
  type Seal,
} from '@waymark/rsl';
import { isWaymarkError } from '@waymark/protocol';
import type { AnchorFacts, CommittedAnchor } from '../replica/ledger-facts.ts';
import type { ReportedProof } from './anchor-contract.ts';

/** Something about a private ledger that its operator must see, with what shows it to others. */
export type LedgerAlert =
  /** The own chain is not what was anchored (D12). */
  | {
      readonly kind: 'anchor-mismatch';
      readonly height: number;
      /** Hash that the anchored chain has there. */
      readonly anchored: string;
      /** Hash of the own block there; empty when the channel is above the own chain. */
      readonly held: string;
      /** As it is on the channel; null when only the member's core has seen it. */
      readonly anchor: AnchorFacts | CommittedAnchor | null;
      /** What confirms the own block at `height`, if the member has it. */
      readonly seals: readonly Seal[] | null;
      /** Own headers from `height` to the anchor's last: their links lead from the anchored hash to the place that differs. */
      readonly headers: readonly Header[];
    }
  /** An own block cannot be read as what it was stored as. */
  | { readonly kind: 'chain-damaged'; readonly height: number; readonly reason: string }
  /** A center signed two things for one place. */
  | { readonly kind: 'equivocation'; readonly evidence: Equivocation }
  /** This member does not acknowledge what its center pushes. */
  | {
      readonly kind: 'refused';
      readonly height: number;
      readonly term: number;
      readonly center: string;
      readonly reason: string;
    }
  /** Another member remembers more of this member's log than its disk holds (docs/rsl.md, "Lost disks"). */
  | { readonly kind: 'forgotten'; readonly by: string; readonly standing: string }
  /** A center keeps a submission out of the ledger in spite of its receipt. */
  | { readonly kind: 'held-back'; readonly claim: HeldBackClaim };

/** An alert of a member or of its core as one of ours. @param confirmation of the own block at a height */
export function alertOfCore(
  alert: Alert | { readonly type: 'forgotten'; readonly by: string; readonly standing: string },
  confirmation: (height: number) => readonly Seal[] | null,
): LedgerAlert {
  switch (alert.type) {
    case 'equivocation':
      return { kind: 'equivocation', evidence: alert.evidence };
    case 'forgotten':
      return { kind: 'forgotten', by: alert.by, standing: alert.standing };
    case 'refused': {
      const { height, term, center, reason } = alert;
      return { kind: 'refused', height, term, center, reason };
    }
    case 'anchor-mismatch': {
      const { height, anchored, held } = alert;
      const seals = confirmation(height);
      return { kind: 'anchor-mismatch', height, anchored, held, anchor: null, seals, headers: [] };
    }
  }
}

/** The file of an alert: JSON, for people and for whoever checks it. Binary parts are base64url. */
export interface AlertFile {
  readonly v: 1;
  readonly type: 'waymark/ledger-alert';
  readonly kind: LedgerAlert['kind'];
  readonly ledger: string;
  /** Who raised it, and when by its own clock. */
  readonly member: string;
  readonly raisedAt: string;
  readonly facts: Readonly<Record<string, string | number | null>>;
  readonly anchor: AnchorFacts | null;
  /** dag-cbor header blocks, in order. */
  readonly headers: readonly string[];
  /** A message that the contract `anchors` takes as a report (docs/formats.md, "Reports"); null when this is no case for the channel. */
  readonly proof: { readonly type: ReportedProof['type']; readonly bytes: string } | null;
}

/** Most own headers in the file of one alert. */
export const maxAlertHeaders = 4_096;

/** What the file of an alert says, but for who raised it and when. */
export function describeAlert(alert: LedgerAlert, ledger: string) {
  const proof = proofOf(alert, ledger);
  return {
    v: 1,
    type: 'waymark/ledger-alert',
    kind: alert.kind,
    ledger,
    facts: factsOf(alert),
    anchor: alert.kind === 'anchor-mismatch' && alert.anchor !== null ? anchorFacts(alert.anchor) : null,
    headers:
      alert.kind === 'anchor-mismatch'
        ? alert.headers.slice(0, maxAlertHeaders).map((header) => text(headerBytes(header)))
        : [],
    proof: proof === null ? null : { type: proof.type, bytes: text(proof.bytes) },
  } as const;
}

function anchorFacts({ blockNumber: _, ...facts }: AnchorFacts & Partial<CommittedAnchor>): AnchorFacts {
  return facts;
}

/** Names an alert by what it is about, so that the same thing seen again is the same alert. */
export function alertId(alert: LedgerAlert, ledger: string): string {
  const about = JSON.stringify([alert.kind, ledger, Object.entries(factsOf(alert)).sort()]);
  return createHash('sha256').update(about).digest('hex').slice(0, 32);
}

/** Place and term that an alert is about. */
export function placeOf(alert: LedgerAlert): { readonly height: number; readonly term?: number } {
  if (alert.kind === 'held-back') return { height: alert.claim.receipt.height, term: alert.claim.receipt.term };
  if (alert.kind === 'forgotten') return { height: 0 };
  if (alert.kind !== 'equivocation')
    return 'term' in alert ? { height: alert.height, term: alert.term } : { height: alert.height };
  const { first } = alert.evidence;
  return first.kind === 'seal' ? first.seal.header : first.candidate;
}

function factsOf(alert: LedgerAlert): AlertFile['facts'] {
  const { height, term = null } = placeOf(alert);
  switch (alert.kind) {
    case 'anchor-mismatch':
      return { height, anchored: alert.anchored, held: alert.held, anchorTxId: alert.anchor?.txId ?? null };
    case 'forgotten':
      return { by: alert.by, standing: alert.standing };
    case 'chain-damaged':
      return { height, reason: alert.reason };
    case 'equivocation':
      return { height, term, center: alert.evidence.center };
    case 'refused':
      return { height, term, center: alert.center, reason: alert.reason };
    case 'held-back': {
      const { department, seq, center } = alert.claim.receipt;
      return { height, term, center, department, seq, proven: alert.claim.opening === null ? 0 : 1 };
    }
  }
}

/** What can be shown on the channel. A proof that would be too large for it is none. */
function proofOf(alert: LedgerAlert, ledger: string): ReportedProof | null {
  try {
    const proof = provable(alert, ledger);
    return proof !== null && proof.bytes.length <= maxLedgerMessageBytes ? proof : null;
  } catch (error) {
    if (isWaymarkError(error)) return null;
    throw error;
  }
}

function provable(alert: LedgerAlert, ledger: string): ReportedProof | null {
  switch (alert.kind) {
    case 'equivocation':
      return { type: 'ledger-equivocation', bytes: encodeEquivocation(alert.evidence) };
    case 'held-back':
      return { type: 'ledger-held-back', bytes: encodeHeldBackClaim(alert.claim) };
    case 'anchor-mismatch': {
      const { seals, anchor, height, held } = alert;
      // The channel compares with what it anchored as the last block of a range.
      if (seals?.[0]?.hash !== held || (anchor !== null && anchor.last !== height)) return null;
      return { type: 'ledger-fork', bytes: encodeFork({ ledger, first: seals, second: null }) };
    }
    default:
      return null;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
