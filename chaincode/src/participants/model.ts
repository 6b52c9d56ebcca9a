import { compositeKey, sequencePart, type StateKey } from '../state/keys.ts';
import type { Stored } from '../state/stored.ts';

/** What an organisation does in the consortium. */
export const organisationRoles = ['producer', 'carrier', 'seller', 'regulator'] as const;
export type OrganisationRole = (typeof organisationRoles)[number];

/** What a node of an organisation is for. */
export const nodeKinds = ['center', 'outlet', 'department', 'reader', 'client'] as const;
export type NodeKind = (typeof nodeKinds)[number];

/** Why something was revoked. */
export const revocationReasons = ['key-compromise', 'superseded', 'ceased', 'unspecified'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** An organisation and its role; `field` (customs, quarantine, ...) belongs to regulators. */
export interface Membership {
  readonly mspId: string;
  readonly role: OrganisationRole;
  readonly field?: string;
}

/** An admitted organisation. */
export interface Organisation extends Membership, Stored {
  /** Hash of the proposal that gave it this role. */
  readonly by: string;
}

/** All admitted organisations; exists from the founding on. */
export interface Members extends Stored {
  /** Grows by one with each change, so that a proposal made for another member list is dead. */
  readonly epoch: number;
  readonly organisations: readonly Membership[];
  /** Hash of the founding proposal. */
  readonly foundedBy: string;
}

/** The founding of the consortium as proposed. */
export interface FoundingProposal extends Stored {
  readonly type: 'founding';
  readonly channel: string;
  readonly organisations: readonly Membership[];
}

/** A change to the list of organisations as proposed. */
export interface ChangeProposal extends Stored {
  readonly type: 'change';
  readonly channel: string;
  /** The member list it is made for, and with it who votes. */
  readonly epoch: number;
  readonly voters: readonly string[];
  readonly kind: 'admit' | 'change-role';
  readonly organisation: Membership;
}

export type Proposal = FoundingProposal | ChangeProposal;

/** One organisation's approval of one proposal. */
export interface Approval extends Stored {
  readonly hash: string;
  readonly mspId: string;
  /** Enrolment id of the admin who gave it. */
  readonly by: string;
}

/** One certificate of a node. */
export interface NodeCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly digest: string;
  readonly state: 'valid' | 'revoked';
  readonly reason?: RevocationReason;
  /** The transaction that put it into this state. */
  readonly txId: string;
}

/** A registered node of an organisation: a center, an outlet, ... */
export interface Node extends Stored {
  readonly mspId: string;
  readonly enrolmentId: string;
  readonly kind: NodeKind;
  readonly state: 'registered' | 'revoked';
  readonly reason?: RevocationReason;
  readonly certificates: readonly NodeCertificate[];
  /** The transaction of the node's last change. */
  readonly txId: string;
}

/** An encryption key as its owner stated it (vault, "Keys"). */
export interface KeyStatement extends Stored {
  readonly channel: string;
  readonly msp: string;
  readonly participant: string;
  /** RFC 7638 thumbprint of `key`, base64url. */
  readonly kid: string;
  readonly seq: number;
  readonly prevKid: string | null;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: PublicJwk;
  /** The owner's certificate when the key was published: SHA-256 of the DER. */
  readonly certificate: string;
  /** The COSE_Sign1 itself, base64url: whoever reads this can verify it again. */
  readonly statement: string;
}

/** A public key for encryption (RFC 7517, RFC 8037). */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'X25519'; readonly x: string };

/** Where a participant's newest key is. */
export interface KeyHead extends Stored {
  readonly seq: number;
  readonly kid: string;
}

export const membersKey: StateKey<Members> = compositeKey('members', ['channel']);
export const organisationKey = (mspId: string): StateKey<Organisation> => compositeKey('organisation', [mspId]);
export const proposalKey = (hash: string): StateKey<Proposal> => compositeKey('proposal', [hash]);
export const approvalKey = (hash: string, mspId: string): StateKey<Approval> => compositeKey('approval', [hash, mspId]);
export const nodeKey = (mspId: string, enrolmentId: string): StateKey<Node> =>
  compositeKey('node', [mspId, enrolmentId]);
export const keyHeadKey = (msp: string, participant: string): StateKey<KeyHead> =>
  compositeKey('key-head', [msp, participant]);
export const keyStatementKey = (msp: string, participant: string, seq: number): StateKey<KeyStatement> =>
  compositeKey('key', [msp, participant, sequencePart(seq)]);
