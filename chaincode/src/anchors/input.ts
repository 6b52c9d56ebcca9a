import { createHash } from 'node:crypto';
import { byteString, cidText, decodeBase64url, link, toJson } from '../cose/claims.ts';
import { decode } from '../cose/sign1.ts';
import { refuseInput } from '../errors.ts';
import { blockCid, dagCborCid, identifier } from '../json/forms.ts';
import { array, integer, nullable, object, oneOf, pattern, type Reader } from '../json/readers.ts';
import type { JsonValue } from '../json/parse.ts';

/** Largest message about a ledger, in bytes. */
export const maximumMessageBytes = 128 * 1024;
/** Most members and learners of a ledger together. */
export const maximumMembers = 32;
const maximumSeals = 16;
const maximumPath = 53;
const maximumCursors = 8 * maximumMembers;
const maximumHeaderBytes = 2_048;
const maximumCertificateBytes = 8 * 1024;

const number = integer(0, Number.MAX_SAFE_INTEGER);
const positive = integer(1, Number.MAX_SAFE_INTEGER);
/** Milliseconds since 1970, to the end of the year 9999. */
const milliseconds = integer(0, 253_402_300_799_999);
const names = (minimum: number) => array(identifier, minimum, maximumMembers);
const salt = pattern(/^[^]{0,256}$/, 'a salt');
const ledgerName = pattern(/^[^\u0000-\u001f]{1,512}$/, 'the name of a ledger');

/** A COSE_Sign1, as hex. */
const signature = byteString(1, 256);
const digest = byteString(32, 32);

/** What the first block names as the one below it. */
export const noBlock = '';
const blockHash: Reader<string> = (value, place) => (value === noBlock ? noBlock : dagCborCid(value, place));

const headerFields = object({
  v: integer(1, 1),
  type: oneOf('waymark/rsl-header'),
  ledger: ledgerName,
  epoch: positive,
  height: positive,
  term: positive,
  prev: nullable(link(dagCborCid)),
  departments: digest,
  root: digest,
  accepted: number,
  rejected: number,
  timestamp: milliseconds,
  body: link(blockCid),
});

/** A private block's header and its hash. */
export type Header = Omit<ReturnType<typeof headerFields>, 'prev'> & { readonly prev: string; readonly hash: string };

/** The dag-cbor block that a header is. Its hash is computed here, so that nobody can name another. */
export const header: Reader<Header> = (value, place) => {
  const bytes = Buffer.from(byteString(1, maximumHeaderBytes)(value, place), 'hex');
  const read = headerFields(toJson(decode(bytes, place), place), place);
  if (!Number.isSafeInteger(read.accepted + read.rejected)) return refuseInput(place, 'counts too many records');
  const multihash = [Uint8Array.of(1, 0x71, 0x12, 0x20), createHash('sha256').update(bytes).digest()];
  return { ...read, prev: read.prev ?? noBlock, hash: cidText(Buffer.concat(multihash)) };
};

/** A list of this length, each item with a reader of its own. */
function tuple<T extends readonly unknown[]>(...readers: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length !== readers.length)
      return refuseInput(place, `is not a list of ${readers.length}`);
    return readers.map((reader: Reader<unknown>, index) =>
      reader(value[index] ?? null, `${place}[${index}]`),
    ) as unknown as T;
  };
}

const seal = object({
  header,
  center: identifier,
  signature,
  acks: array(tuple<[string, number, string]>(identifier, milliseconds, signature), 0, maximumMembers),
});
/** A sealed header with its acknowledgements. */
export type Seal = ReturnType<typeof seal>;
const seals = array(seal, 1, maximumSeals);

const position = tuple<[number, number, string, string, number]>(number, number, blockHash, digest, number);
const vote = tuple<
  [string, readonly [number, number, string], readonly [number, number, string, string, number] | null, string]
>(identifier, tuple<[number, number, string]>(number, number, blockHash), nullable(position), signature);
const election = object({
  epoch: positive,
  term: positive,
  center: identifier,
  base: nullable(seal),
  votes: array(vote, 1, maximumMembers),
});
/** A vote certificate. */
export type Election = ReturnType<typeof election>;

const configurationFields = object({
  epoch: positive,
  members: names(1),
  learners: names(0),
  eligible: names(1),
  colluding: nullable(integer(0, maximumMembers)),
});

const path = array(digest, 0, maximumPath);
const common = { v: integer(1, 1), ledger: ledgerName };

/** `ledger-anchor` of docs/formats.md. */
export const anchorInput = object({
  ...common,
  type: oneOf('ledger-anchor'),
  first: positive,
  last: positive,
  root: digest,
  term: positive,
  center: identifier,
  seals,
  opening: nullable(object({ header, first: path, last: path })),
  election: nullable(election),
  signature,
});
export type AnchorInput = ReturnType<typeof anchorInput>;

/** `ledger-configuration` of docs/formats.md. */
export const configurationInput = object({
  ...common,
  type: oneOf('ledger-configuration'),
  configuration: configurationFields,
  seals,
});

const candidate = object({
  kind: oneOf('candidate'),
  epoch: positive,
  height: positive,
  term: positive,
  center: identifier,
  prev: blockHash,
  root: digest,
  count: number,
  signature,
});
const signedHeader = object({ kind: oneOf('seal'), header, center: identifier, signature });
/** Something that a center signed for one place of its ledger. */
export type CenterStatement = ReturnType<typeof candidate> | ReturnType<typeof signedHeader>;
const centerStatement: Reader<CenterStatement> = (value, place) => {
  const isSeal = value !== null && typeof value === 'object' && !Array.isArray(value) && value['kind'] === 'seal';
  return isSeal ? signedHeader(value, place) : candidate(value, place);
};

/** `ledger-equivocation` of docs/formats.md. */
export const equivocationInput = object({
  ...common,
  type: oneOf('ledger-equivocation'),
  center: identifier,
  first: centerStatement,
  second: centerStatement,
});

/** `ledger-fork` of docs/formats.md. */
export const forkInput = object({ ...common, type: oneOf('ledger-fork'), first: seals, second: nullable(seals) });

/** `ledger-held-back` of docs/formats.md. */
export const heldBackInput = object({
  ...common,
  type: oneOf('ledger-held-back'),
  receipt: object({
    department: identifier,
    seq: positive,
    hash: digest,
    center: identifier,
    term: positive,
    height: number,
    accepted: milliseconds,
    signature,
  }),
  opening: nullable(
    object({
      header,
      salt,
      cursors: array(tuple<[string, number, string]>(identifier, positive, digest), 0, maximumCursors),
    }),
  ),
});

const certificates = (minimum: number) =>
  array(pattern(/^[A-Za-z0-9_-]{1,10923}$/, 'a certificate in base64url'), minimum, 64);

/** `{configuration, certificates, inclusionBlocks}` */
export const registrationInput = object({
  configuration: configurationFields,
  certificates: certificates(1),
  inclusionBlocks: integer(1, 1_000_000),
});

/** `[certificate, ...]` */
export const certificatesInput = certificates(1);

/** DER of a certificate argument. */
export const certificateDer = (text: string, place: string): Uint8Array =>
  decodeBase64url(text, place, maximumCertificateBytes);

/** Reads an argument that is a message in base64url. Throws `input-invalid`. */
export function readMessage<T>(text: string, place: string, reader: Reader<T>): T {
  const value: JsonValue = toJson(decode(decodeBase64url(text, place, maximumMessageBytes), place), place);
  return reader(value, place);
}
