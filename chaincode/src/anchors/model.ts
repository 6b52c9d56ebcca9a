import { compositeKey, sequencePart, type StateKey } from '../state/keys.ts';
import type { Stored } from '../state/stored.ts';

/** Whom a ledger trusts (docs/rsl.md): with a lying center, up to `colluding` departments may be in league with it. */
export type Profile = { readonly center: 'trusted' } | { readonly center: 'lying'; readonly colluding: number };

/** Who takes part in a private ledger, from one epoch to the next. */
export interface Configuration {
  readonly epoch: number;
  readonly members: readonly string[];
  readonly learners: readonly string[];
  readonly eligible: readonly string[];
  readonly profile: Profile;
}

/** A firm's private ledger as registered. */
export interface PrivateLedger extends Stored {
  readonly ledger: string;
  readonly msp: string;
  /** The last epoch that is registered. */
  readonly epoch: number;
  /** Blocks within which a submission has to be in the ledger after its receipt. */
  readonly inclusionBlocks: number;
  /** Enrolment id of the admin who registered it. */
  readonly by: string;
  readonly txId: string;
}

/** One epoch's configuration; written once. */
export interface StoredConfiguration extends Configuration, Stored {
  readonly msp: string;
  /** The block that holds it; 0 and null for the first, which an admin registers. */
  readonly height: number;
  readonly hash: string | null;
  readonly txId: string;
}

/** A certificate of a member; written once. Whether it is still good is in the register of nodes. */
export interface MemberCertificate extends Stored {
  readonly member: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly digest: string;
  /** SubjectPublicKeyInfo, DER, base64url. */
  readonly publicKey: string;
  readonly txId: string;
}

/** How far a ledger is anchored. The one key that all of its anchors write. */
export interface LedgerHead extends Stored {
  readonly msp: string;
  /** 0 before the first anchor. */
  readonly last: number;
  /** Header CID of the block at `last`; null before the first anchor. */
  readonly hash: string | null;
  readonly term: number;
  readonly center: string | null;
  readonly epoch: number;
}

/** A range of blocks on the channel; written once. */
export interface StoredAnchor extends Stored {
  readonly msp: string;
  readonly first: number;
  readonly last: number;
  /** Header CID of the block at `last`. */
  readonly hash: string;
  /** Header CID of the block before `first`; null for the first anchor. */
  readonly prev: string | null;
  /** Merkle root over the range's header CIDs, lower-case hex. */
  readonly root: string;
  /** Term and member that anchored. */
  readonly term: number;
  readonly center: string;
  /** Of the block at `last`: configuration epoch, term, time. */
  readonly epoch: number;
  readonly blockTerm: number;
  readonly timestamp: string;
  /** Enrolment id of who sent it. */
  readonly node: string;
  readonly txId: string;
}

/** What a report shows. */
export const reportKinds = ['equivocation', 'fork', 'held-back'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** A report against a ledger; written once. It changes nothing of what is anchored. */
export interface StoredReport extends Stored {
  readonly id: string;
  readonly kind: ReportKind;
  readonly msp: string;
  readonly height: number;
  readonly term: number;
  /** The accused center; null for a fork, which is the whole ledger's. */
  readonly center: string | null;
  /** Of a held-back claim: whose submission. */
  readonly department?: string;
  readonly seq?: number;
  /** Whether the report proves what it says; a held-back claim without an opening is one side's word. */
  readonly proven: boolean;
  readonly by: { readonly msp: string; readonly node: string };
  /** What was handed in, base64url. */
  readonly evidence: string;
  readonly txId: string;
}

export const ledgerKey = (msp: string): StateKey<PrivateLedger> => compositeKey('ledger', [msp]);
export const headKey = (msp: string): StateKey<LedgerHead> => compositeKey('ledger-head', [msp]);
export const configurationKey = (msp: string, epoch: number): StateKey<StoredConfiguration> =>
  compositeKey('ledger-configuration', [msp, sequencePart(epoch)]);
export const certificateKey = (msp: string, digest: string): StateKey<MemberCertificate> =>
  compositeKey('ledger-certificate', [msp, digest]);
export const anchorKey = (msp: string, last: number): StateKey<StoredAnchor> =>
  compositeKey('anchor', [msp, sequencePart(last)]);
export const reportKey = (msp: string, id: string): StateKey<StoredReport> => compositeKey('ledger-report', [msp, id]);
