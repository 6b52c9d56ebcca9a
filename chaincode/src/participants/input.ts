import { byteString } from '../cose/claims.ts';
import { refuseInput } from '../errors.ts';
import { identifier, sha256Hex } from '../json/forms.ts';
import { array, integer, nullable, object, objectWithOptional, oneOf, pattern, type Reader } from '../json/readers.ts';
import { nodeKinds, organisationRoles, revocationReasons, type Membership, type PublicJwk } from './model.ts';

/** Most organisations of a channel. */
export const maximumOrganisations = 64;
/** Most certificates that a node has over its life. */
export const maximumCertificates = 64;

const membershipFields = objectWithOptional(
  { mspId: identifier, role: oneOf(...organisationRoles) },
  { field: pattern(/^[a-z][a-z-]{0,31}$/, 'a lower-case word') },
);

const membership: Reader<Membership> = (value, place) => checkField(membershipFields(value, place), place);

function checkField(read: Membership, place: string): Membership {
  if ((read.role === 'regulator') !== (read.field !== undefined))
    refuseInput(`${place}.field`, 'is for regulators, who must have one');
  return read;
}

/** `{organisations: [{mspId, role, field?}, ...]}` */
export const foundingInput = object({ organisations: array(membership, 2, maximumOrganisations) });

const changeFields = objectWithOptional(
  { kind: oneOf('admit', 'change-role'), mspId: identifier, role: oneOf(...organisationRoles) },
  { field: pattern(/^[a-z][a-z-]{0,31}$/, 'a lower-case word') },
);

/** `{kind, mspId, role, field?}` */
export const changeInput: Reader<{ kind: 'admit' | 'change-role'; organisation: Membership }> = (value, place) => {
  const { kind, ...organisation } = changeFields(value, place);
  return { kind, organisation: checkField(organisation, place) };
};

/** `{enrolmentId, kind, certificates: [digest, ...]}` */
export const nodeInput = object({
  enrolmentId: identifier,
  kind: oneOf(...nodeKinds),
  certificates: array(sha256Hex, 1, 8),
});

/** `{enrolmentId, reason}` */
export const nodeRevocationInput = object({ enrolmentId: identifier, reason: oneOf(...revocationReasons) });

/** `{enrolmentId, certificate}` */
export const certificateInput = object({ enrolmentId: identifier, certificate: sha256Hex });

/** `{enrolmentId, certificate, replaces}` */
export const renewalInput = object({ enrolmentId: identifier, certificate: sha256Hex, replaces: sha256Hex });

/** `{enrolmentId, certificate, reason}` */
export const certificateRevocationInput = object({
  enrolmentId: identifier,
  certificate: sha256Hex,
  reason: oneOf(...revocationReasons),
});

const coordinate = pattern(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, '32 bytes in base64url');
const p256 = object({ kty: oneOf('EC'), crv: oneOf('P-256'), x: coordinate, y: coordinate });
const x25519 = object({ kty: oneOf('OKP'), crv: oneOf('X25519'), x: coordinate });

const publicJwk: Reader<PublicJwk> = (value, place) => {
  const isOctetKeyPair = value !== null && typeof value === 'object' && !Array.isArray(value) && value['kty'] === 'OKP';
  return isOctetKeyPair ? x25519(value, place) : p256(value, place);
};

/** Milliseconds since 1970, to the end of the year 9999. */
const milliseconds = integer(0, 253_402_300_799_999);

/** The claims of a key statement; `possession` is hex here. */
export const keyClaims = object({
  v: integer(1, 1),
  type: oneOf('encryption-key'),
  channel: pattern(/^[^]{1,256}$/, 'a channel'),
  msp: identifier,
  participant: identifier,
  kid: coordinate,
  key: publicJwk,
  seq: integer(1, Number.MAX_SAFE_INTEGER),
  prevKid: nullable(coordinate),
  notBefore: milliseconds,
  notAfter: milliseconds,
  possession: byteString(64, 96),
});

/** What `keyClaims` reads. */
export type KeyClaims = ReturnType<typeof keyClaims>;
