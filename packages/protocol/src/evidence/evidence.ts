import { z } from 'zod';
import type { BatchStatement, Evidence } from '../batch/batch.ts';
import { batchHash, maxBatchRecords } from '../batch/statement.ts';
import { dagCborCode, parseCid } from '../cid/cid.ts';
import { parseJsonStrict } from '../encoding/strict-json.ts';
import { WaymarkError } from '../errors.ts';
import { toHex } from '../hash.ts';
import { formatTime } from '../record/time.ts';
import { identifierProblem } from './key-part.ts';

/** Names one batch on the channel. */
export interface EvidenceId {
  readonly msp: string;
  readonly outlet: string;
  readonly seq: number;
}

const maxEvidenceBytes = 16 * 1024;
const identifier = z.string().refine((text) => identifierProblem(text) === undefined);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime({ precision: 3 });
const evidenceSchema = z.strictObject({
  v: z.literal(1),
  msp: identifier,
  outlet: identifier,
  seq: z.int().min(1),
  batchHash: hash,
  prev: hash,
  root: hash,
  cid: z.string().refine(isBatchCid),
  count: z.int().min(1).max(maxBatchRecords),
  collectedFrom: time,
  collectedTo: time,
  node: identifier,
  certificate: hash,
});

function isBatchCid(text: string): boolean {
  try {
    return parseCid(text, [dagCborCode]).code === dagCborCode;
  } catch {
    return false;
  }
}

/** `<msp>/<outlet>/<seq>`. */
export function formatEvidenceId({ msp, outlet, seq }: EvidenceId): string {
  return `${msp}/${outlet}/${seq}`;
}

/**
 * Takes an evidence id apart.
 * @throws WaymarkError input-invalid
 */
export function parseEvidenceId(id: string): EvidenceId {
  const match = /^([^/]{1,256})\/([^/]{1,256})\/([1-9][0-9]{0,15})$/.exec(id);
  const [, msp = '', outlet = '', digits] = match ?? [];
  const seq = Number(digits);
  if ((identifierProblem(msp) ?? identifierProblem(outlet)) !== undefined || !Number.isSafeInteger(seq)) {
    throw new WaymarkError('input-invalid', 'An evidence id has the form <msp>/<outlet>/<seq>.');
  }
  return { msp, outlet, seq };
}

/**
 * Reads an evidence as the chaincode returns it.
 * @throws WaymarkError data-abnormal when it is none
 */
export function parseEvidence(json: string | Uint8Array): Evidence {
  let value: unknown;
  try {
    value = parseJsonStrict(json, { maxBytes: maxEvidenceBytes });
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'The evidence is not JSON.', { cause });
  }
  const result = evidenceSchema.safeParse(value);
  if (!result.success)
    throw new WaymarkError('data-abnormal', 'The evidence does not have its form.', { cause: result.error });
  return result.data;
}

/** What the chain is to keep of a batch. `node` is set by the chaincode from the submitting center's certificate. */
export function evidenceOf(
  statement: BatchStatement,
  statementBytes: Uint8Array,
  batchCid: string,
  node: string,
): Evidence {
  return {
    v: 1,
    msp: statement.msp,
    outlet: statement.outlet,
    seq: statement.seq,
    batchHash: toHex(batchHash(statementBytes)),
    prev: toHex(statement.prevBatchHash),
    root: toHex(statement.root),
    cid: batchCid,
    count: statement.count,
    collectedFrom: formatTime(statement.collectedFromMs),
    collectedTo: formatTime(statement.collectedToMs),
    node,
    certificate: toHex(statement.certificateDigest),
  };
}
