import type { Evidence } from '@waymark/protocol';
import { refuseInput } from '../errors.ts';
import { dagCborCid, identifier, sha256Hex, utcTime } from '../json/forms.ts';
import { array, integer, object, type Reader } from '../json/readers.ts';
import { compositeKey, identifierProblem, sequencePart, type StateKey } from '../state/keys.ts';

export type { Evidence };

/** Most batches of one transaction. */
export const maximumBatches = 64;
/** Most records of one batch. */
export const maximumRecords = 10_000;
/** `prev` of the first batch. */
export const zeroHash = '0'.repeat(64);

const batchFields = object({
  outlet: identifier,
  seq: integer(1, Number.MAX_SAFE_INTEGER),
  batchHash: sha256Hex,
  prev: sha256Hex,
  root: sha256Hex,
  cid: dagCborCid,
  count: integer(1, maximumRecords),
  collectedFrom: utcTime,
  collectedTo: utcTime,
  certificate: sha256Hex,
});

/** One batch as submitted: the evidence less what the caller's certificate says. */
export type BatchInput = ReturnType<typeof batchFields>;

const batch: Reader<BatchInput> = (value, place) => {
  const read = batchFields(value, place);
  if (read.collectedFrom > read.collectedTo) refuseInput(`${place}.collectedTo`, 'is before collectedFrom');
  if ((read.seq === 1) !== (read.prev === zeroHash))
    refuseInput(`${place}.prev`, 'is zero for the first batch and for no other');
  return read;
};

/** `[{outlet, seq, batchHash, prev, root, cid, count, collectedFrom, collectedTo, certificate}, ...]` */
export const batchesInput: Reader<readonly BatchInput[]> = array(batch, 1, maximumBatches);

/** Where the evidence of a batch is kept. */
export const evidenceKey = (msp: string, outlet: string, seq: number): StateKey<Evidence> =>
  compositeKey('evidence', [msp, outlet, sequencePart(seq)]);

/** `<msp>/<outlet>/<seq>` */
export const evidenceId = (msp: string, outlet: string, seq: number): string => `${msp}/${outlet}/${seq}`;

/** Takes an evidence id apart. Throws `input-invalid`. */
export function parseEvidenceId(id: string, place: string): { msp: string; outlet: string; seq: number } {
  const [msp, outlet, seq, ...rest] = id.split('/');
  if (msp === undefined || outlet === undefined || seq === undefined || rest.length > 0)
    return refuseInput(place, 'is not an evidence id');
  const sequence = Number(seq);
  const problem = identifierProblem(msp) ?? identifierProblem(outlet);
  if (problem !== undefined || !/^[1-9][0-9]{0,15}$/.test(seq) || !Number.isSafeInteger(sequence)) {
    return refuseInput(place, 'is not an evidence id');
  }
  return { msp, outlet, seq: sequence };
}
