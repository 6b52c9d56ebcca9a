import { refuseInput } from '../errors.ts';
import { identifierProblem } from '../state/keys.ts';
import { pattern, type Reader } from './readers.ts';

/** SHA-256 as lower-case hex. */
export const sha256Hex = pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');

/**
 * CIDv1, dag-cbor, sha2-256, base32: the one text form of one address. The bytes 01 71 12 20 make `afyrei` and bound the next
 * digit; 288 bits leave two zero bits in the last.
 */
export const dagCborCid = pattern(
  /^bafyrei[a-h][a-z2-7]{50}[aeimquy4]$/,
  'a CIDv1 of a dag-cbor block with sha2-256 in base32',
);

/** The same of any block of ours: raw (bytes 01 55 12 20) or dag-cbor. */
export const blockCid = pattern(
  /^baf(yrei[a-h]|krei[a-h])[a-z2-7]{50}[aeimquy4]$/,
  'a CIDv1 of a raw or dag-cbor block with sha2-256 in base32',
);

/** RFC 3339 in UTC with milliseconds, of a day that exists. */
export const utcTime: Reader<string> = (value, place) => {
  if (typeof value === 'string' && /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/.test(value)) {
    const parsed = new Date(value);
    if (!Number.isNaN(parsed.getTime()) && parsed.toISOString() === value) return value;
  }
  return refuseInput(place, 'is not an RFC 3339 time in UTC with milliseconds');
};

/** An MSP id or enrolment id: something that can stand in a key and in an evidence id. */
export const identifier: Reader<string> = (value, place) => {
  if (typeof value !== 'string') return refuseInput(place, 'is not a string');
  const problem = identifierProblem(value);
  return problem === undefined ? value : refuseInput(place, problem);
};
