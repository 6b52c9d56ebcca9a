import { type CborFields, type CborValue, type DecodedCbor, fieldsOf } from '@waymark/protocol';
import type { Position } from '../block/candidate.ts';
import type { Seal } from '../block/header.ts';
import { headerBytes } from '../canonical.ts';
import type { LogEnd, Vote, VoteCertificate } from '../election/vote.ts';
import { checkConfiguration, type Configuration, maxMembers } from '../membership/configuration.ts';
import { decodeHeader, headerHashOf, maxHeaderBytes } from './header.ts';
import { blockHash, digestBytes, digestText, refusePortable, signatureBytes, signatureText } from './texts.ts';

/** Most seals of one proof of confirmation: more than a few are needed only where terms change again and again. */
export const maxProofSeals = 16;
/** Longest name of a member, in UTF-16 code units. */
const maxNameLength = 256;

/** The parts that proofs are made of, as CBOR values (docs/formats.md, "Private ledger"). */

/** A sealed header, with its acknowledgements. */
export function sealValue(seal: Seal): CborValue {
  return {
    ...signedHeaderValue(seal),
    acks: seal.certificate.map(({ member, ackTimeMs, signature }) => [member, ackTimeMs, signatureBytes(signature)]),
  };
}

/** A sealed header without its acknowledgements: enough to show what a center signed. */
export function signedHeaderValue(seal: Pick<Seal, 'header' | 'center' | 'signature'>) {
  return { header: headerBytes(seal.header), center: seal.center, signature: signatureBytes(seal.signature) };
}

/** @throws WaymarkError input-invalid, limit-exceeded */
export function sealFrom(value: DecodedCbor | undefined): Seal {
  const fields = mapOf(value, 'seal');
  const signed = signedHeaderFrom(fields);
  const certificate = fields.list('acks', maxMembers).map((ack) => {
    const [member, ackTimeMs, signature] = itemsOf(ack, 3, 'seal', 'acks');
    return {
      member: nameFrom(member, 'seal'),
      ackTimeMs: numberFrom(ackTimeMs, 'seal'),
      signature: signatureFrom(signature, 'seal'),
    };
  });
  fields.end();
  return { ...signed, certificate };
}

/** The fields of `signedHeaderValue`; the caller ends the map. */
export function signedHeaderFrom(fields: CborFields): Pick<Seal, 'header' | 'hash' | 'center' | 'signature'> {
  const bytes = fields.bytes('header');
  if (bytes.length > maxHeaderBytes) refusePortable('seal', 'header');
  return {
    header: decodeHeader(bytes),
    hash: headerHashOf(bytes),
    center: nameFrom(fields.text('center'), 'seal'),
    signature: signatureText(fields.bytes('signature')),
  };
}

/** Sealed headers, lowest first. */
export function sealsFrom(values: readonly DecodedCbor[]): readonly Seal[] {
  if (values.length === 0) refusePortable('seals', 'the whole');
  return values.map(sealFrom);
}

/** A vote certificate. What all of its votes must share stands in it once. */
export function electionValue({ epoch, term, center, base, votes }: VoteCertificate): CborValue {
  return {
    epoch,
    term,
    center,
    base: base === null ? null : sealValue(base),
    votes: votes.map(({ voter, logEnd: { sealed, candidate }, signature }) => [
      voter,
      [sealed.height, sealed.term, sealed.hash],
      candidate === null ? null : positionValue(candidate),
      signatureBytes(signature),
    ]),
  };
}

/** @throws WaymarkError input-invalid, limit-exceeded */
export function electionFrom(value: DecodedCbor | undefined, ledger: string): VoteCertificate {
  const fields = mapOf(value, 'election');
  const shared = { epoch: fields.integer('epoch', 1), term: fields.integer('term', 1), center: fields.text('center') };
  const base = fields.any('base');
  const votes = fields.list('votes', maxMembers).map((vote): Vote => {
    const [voter, sealed, candidate, signature] = itemsOf(vote, 4, 'election', 'votes');
    return {
      ledger,
      epoch: shared.epoch,
      term: shared.term,
      candidate: shared.center,
      voter: nameFrom(voter, 'election'),
      logEnd: logEndFrom(sealed, candidate),
      signature: signatureFrom(signature, 'election'),
    };
  });
  fields.end();
  return { ...shared, base: base === null ? null : sealFrom(base), votes };
}

/** A configuration. `colluding` is null where the center is trusted. */
export function configurationValue({ epoch, members, learners, eligible, profile }: Configuration): CborValue {
  return {
    epoch,
    members,
    learners,
    eligible,
    colluding: profile.center === 'lying' ? profile.colluding : null,
  };
}

/** @throws WaymarkError input-invalid, configuration-invalid */
export function configurationFrom(value: DecodedCbor | undefined): Configuration {
  const fields = mapOf(value, 'configuration');
  const names = (key: string) => fields.list(key, maxMembers).map((name) => nameFrom(name, 'configuration'));
  const colluding = fields.any('colluding');
  const configuration: Configuration = {
    epoch: fields.integer('epoch', 1),
    members: names('members'),
    learners: names('learners'),
    eligible: names('eligible'),
    profile:
      colluding === null
        ? { center: 'trusted' }
        : { center: 'lying', colluding: numberFrom(colluding, 'configuration') },
  };
  fields.end();
  checkConfiguration(configuration);
  return configuration;
}

/** The fields of a map. @throws WaymarkError input-invalid */
export function mapOf(value: DecodedCbor | undefined, what: string): CborFields {
  if (!(value instanceof Map)) refusePortable(what, 'the whole');
  return fieldsOf(value as ReadonlyMap<string, DecodedCbor>, what);
}

/** The items of a list of this length. @throws WaymarkError input-invalid */
export function itemsOf(
  value: DecodedCbor | undefined,
  length: number,
  what: string,
  place: string,
): readonly (DecodedCbor | undefined)[] {
  return Array.isArray(value) && value.length === length
    ? (value as readonly DecodedCbor[])
    : refusePortable(what, place);
}

/** A member's name. @throws WaymarkError input-invalid */
export function nameFrom(value: DecodedCbor | undefined, what: string): string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxNameLength
    ? value
    : refusePortable(what, 'a name');
}

/** A whole number from 0 on. @throws WaymarkError input-invalid */
export function numberFrom(value: DecodedCbor | undefined, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refusePortable(what, 'a number');
}

/** A signature. @throws WaymarkError input-invalid */
export function signatureFrom(value: DecodedCbor | undefined, what: string): string {
  return value instanceof Uint8Array ? signatureText(value) : refusePortable(what, 'a signature');
}

/** 32 bytes as the core holds them. @throws WaymarkError input-invalid */
export function digestFrom(value: DecodedCbor | undefined, what: string): string {
  return value instanceof Uint8Array && value.length === 32 ? digestText(value) : refusePortable(what, 'a digest');
}

/** A block hash, or the empty text. @throws WaymarkError input-invalid */
export function blockHashFrom(value: DecodedCbor | undefined, what: string): string {
  return typeof value === 'string' ? blockHash(value) : refusePortable(what, 'a block hash');
}

function positionValue({ height, term, prev, root, count }: Position): CborValue {
  return [height, term, prev, digestBytes(root), count];
}

function logEndFrom(sealed: DecodedCbor | undefined, candidate: DecodedCbor | undefined): LogEnd {
  const [height, term, hash] = itemsOf(sealed, 3, 'election', 'votes');
  return {
    sealed: {
      height: numberFrom(height, 'election'),
      term: numberFrom(term, 'election'),
      hash: blockHashFrom(hash, 'election'),
    },
    candidate: candidate === null ? null : positionFrom(candidate),
  };
}

function positionFrom(value: DecodedCbor | undefined): Position {
  const [height, term, prev, root, count] = itemsOf(value, 5, 'election', 'votes');
  return {
    height: numberFrom(height, 'election'),
    term: numberFrom(term, 'election'),
    prev: blockHashFrom(prev, 'election'),
    root: digestFrom(root, 'election'),
    count: numberFrom(count, 'election'),
  };
}
