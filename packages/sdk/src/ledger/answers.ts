import { z } from 'zod';

const count = z.int().min(0);
const name = z.string().max(512);
const hash = z.string().max(128);

const row = {
  height: count,
  hash,
  epoch: count,
  term: count,
  center: name,
  timestamp: z.string().max(64),
  accepted: count,
  rejected: count,
  anchorTxId: z.string().max(256).nullable(),
};
const report = z.object({
  ledger: name,
  height: count,
  blocks: count,
  valid: z.boolean(),
  problems: z.array(z.object({ height: count, code: z.string().max(128), message: z.string().max(4_096) })),
  anchored: count.nullable(),
});
const progress = { id: name, height: count.nullable(), lag: count.nullable() };

/** What a member of a private ledger answers to its operators (its OpenAPI document); anything else is refused here. */
export const ledgerAnswerSchemas = {
  status: z.object({
    ledger: name,
    member: name,
    role: z.string().max(32),
    center: name.nullable(),
    term: count,
    height: count,
    confirmed: count,
    applied: count,
    anchored: count,
    unanchored: count,
    epoch: count,
    pendingEpoch: count.nullable(),
    pendingRecords: count,
    profile: z.string().max(32),
    isCleared: z.boolean(),
    isBarred: z.boolean(),
    fault: z.string().max(64).nullable(),
    liars: z.array(name),
    mismatches: count,
    missingBlocks: count,
    members: z.array(z.object({ ...progress, role: z.string().max(32) })),
    learners: z.array(z.object(progress)),
    eligible: z.array(name),
    handingOverTo: name.nullable(),
    alerts: count,
    alertList: z.array(z.object({ kind: name, height: count, file: name, report: z.string().max(32) })),
  }),
  blocks: z.object({ height: count, blocks: z.array(z.object(row)) }),
  block: z.object({
    ...row,
    ledger: name,
    prev: hash,
    root: hash,
    body: hash,
    kind: z.string().max(32),
    anchor: z.object({ first: count, last: count, hash, txId: z.string().max(256) }).nullable(),
    submissions: z.array(
      z.object({
        department: name,
        seq: count,
        hash,
        records: count,
        rejected: z.array(
          z.object({ index: count, recordOid: hash, reason: z.string().max(128), text: z.string().max(1_024) }),
        ),
      }),
    ),
    configuration: z.record(z.string(), z.unknown()).nullable(),
    acks: z.array(z.object({ member: name, time: z.string().max(64) })),
  }),
  task: z.object({
    id: z.uuid(),
    state: z.enum(['running', 'done', 'failed']),
    result: z.unknown().optional(),
    problem: z.object({ code: z.string().max(64), message: z.string().max(1_024) }).optional(),
  }),
  report,
  backup: z.object({ ledger: name, height: count, hash, folder: z.string().max(4_096) }),
  change: z.object({ changed: z.boolean() }),
} as const;

/** How a private ledger stands, as one member knows it. */
export type LedgerStanding = z.infer<typeof ledgerAnswerSchemas.status>;
/** Blocks in order. */
export type LedgerBlocks = z.infer<typeof ledgerAnswerSchemas.blocks>;
/** One block without content. */
export type LedgerBlock = z.infer<typeof ledgerAnswerSchemas.block>;
/** What a full check found. */
export type LedgerReport = Readonly<Omit<z.infer<typeof report>, 'problems'>> & {
  readonly problems: readonly z.infer<typeof report>['problems'][number][];
};
/** A backup at a member. */
export type LedgerBackup = z.infer<typeof ledgerAnswerSchemas.backup>;
