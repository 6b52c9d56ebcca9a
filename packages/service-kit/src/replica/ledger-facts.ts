import { z } from 'zod';

/** What the channel says of organisations' private ledgers (D7), as the chaincode keeps it. */

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const blockHash = z.string().min(1).max(128);
const name = z.string().min(1).max(256);
const count = z.int().min(0);
const positive = z.int().min(1);
const v = z.literal(1);

const profile = z.discriminatedUnion('center', [
  z.object({ center: z.literal('trusted') }),
  z.object({ center: z.literal('lying'), colluding: count }),
]);

export const privateLedgerSchema = z.object({
  v,
  ledger: z.string().min(1).max(512),
  msp: name,
  epoch: positive,
  inclusionBlocks: positive,
});
/** A private ledger as registered: its name, its last registered epoch, and within how many blocks a receipted submission must be in it. */
export type PrivateLedgerFacts = Readonly<Omit<z.infer<typeof privateLedgerSchema>, 'v'>>;

const maxMembers = 64;
export const ledgerConfigurationSchema = z.object({
  v,
  msp: name,
  epoch: positive,
  members: z.array(name).max(maxMembers),
  learners: z.array(name).max(maxMembers),
  eligible: z.array(name).max(maxMembers),
  profile,
  height: count,
  hash: blockHash.nullable(),
});
/** The members of one epoch; `height` and `hash` are those of the block that brought them, 0 and null for the first. */
export type LedgerConfigurationFacts = Readonly<Omit<z.infer<typeof ledgerConfigurationSchema>, 'v'>>;

export const ledgerCertificateSchema = z.object({
  v,
  member: name,
  digest: hex32,
  publicKey: z.string().min(1).max(1_024),
});
/** A member's certificate: SHA-256 of the DER in hex, and its public key (SubjectPublicKeyInfo, base64url). */
export type LedgerCertificateFacts = Readonly<Omit<z.infer<typeof ledgerCertificateSchema>, 'v'>>;

export const ledgerHeadSchema = z.object({
  v,
  msp: name,
  last: count,
  hash: blockHash.nullable(),
  term: count,
  center: name.nullable(),
  epoch: positive,
});
/** How far a ledger is anchored; `last` is 0 before the first anchor. */
export type LedgerHeadFacts = Readonly<Omit<z.infer<typeof ledgerHeadSchema>, 'v'>>;

export const anchorSchema = z.object({
  v,
  msp: name,
  first: positive,
  last: positive,
  hash: blockHash,
  prev: blockHash.nullable(),
  root: hex32,
  term: positive,
  center: name,
  epoch: positive,
  blockTerm: positive,
  timestamp: z.string().max(64),
  node: name,
  txId: z.string().min(1).max(256),
});
/** A range of a ledger's blocks as the channel holds it. */
export type AnchorFacts = Readonly<Omit<z.infer<typeof anchorSchema>, 'v'>>;

/** An anchor with the channel's block that holds it. */
export interface CommittedAnchor extends AnchorFacts {
  readonly blockNumber: bigint;
}

export const reportSchema = z.object({
  v,
  id: hex32,
  kind: z.enum(['equivocation', 'fork', 'held-back']),
  msp: name,
  height: count,
  term: count,
  center: name.nullable(),
  department: name.optional(),
  seq: positive.optional(),
  proven: z.boolean(),
  by: z.object({ msp: name, node: name }),
  txId: z.string().min(1).max(256),
});
/** A report against a ledger, without its evidence, which only the channel keeps (`anchors:getReport`). */
export type LedgerReportFacts = Readonly<Omit<z.infer<typeof reportSchema>, 'v'>>;

/** A report with the channel's block that holds it. */
export interface CommittedReport extends LedgerReportFacts {
  readonly blockNumber: bigint;
}
