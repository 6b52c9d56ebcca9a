import {
  WaymarkError,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  headerOf,
  readSign1,
  signCose,
  verifySign1,
} from '@waymark/protocol';
import type { CertificateVerifier } from './certificate-verifier.ts';
import { parseEncryptionPublicKey, type EncryptionKeyPair, type EncryptionPublicKey } from './encryption-key.ts';
import { possessionProven, provePossession } from './possession.ts';
import type { SigningIdentity } from './signing-identity.ts';

const type = 'encryption-key';

/** What the participant register says of an encryption key: whose it is, and which one it follows. */
export interface KeyStatement {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id of the owner. */
  readonly participant: string;
  readonly key: EncryptionPublicKey;
  /** 1, 2, 3, ...: strictly increasing per participant. */
  readonly seq: number;
  /** Key id of the statement before; null for the first. */
  readonly prevKid: string | null;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

function claims(
  statement: KeyStatement,
): Readonly<Record<string, string | number | null | Readonly<Record<string, string>>>> {
  return {
    v: 1,
    type,
    channel: statement.channel,
    msp: statement.msp,
    participant: statement.participant,
    kid: statement.key.kid,
    key: { ...statement.key.jwk },
    seq: statement.seq,
    prevKid: statement.prevKid,
    notBefore: statement.notBeforeMs,
    notAfter: statement.notAfterMs,
  };
}

/** What the encryption key itself signs: the claims under a tag of their own, so that no other signature passes for this one. */
function possessionBytes(statement: KeyStatement): Uint8Array {
  return encodeCbor(['waymark/v1', 'encryption-key-possession', statement.channel, encodeCbor(claims(statement))]);
}

/**
 * Signs a key statement with the owner's X.509 identity: COSE_Sign1 over {v, type, channel, msp, participant, kid, key (JWK), seq, prevKid,
 * notBefore, notAfter, possession}.
 * @throws WaymarkError unsupported: a key that cannot prove possession
 */
export function signKeyStatement(
  identity: SigningIdentity,
  pair: EncryptionKeyPair,
  statement: Omit<KeyStatement, 'msp' | 'participant' | 'key'>,
): Uint8Array {
  const full: KeyStatement = {
    ...statement,
    msp: identity.mspId,
    participant: identity.enrolmentId,
    key: pair.publicKey,
  };
  const payload = encodeCbor({ ...claims(full), possession: provePossession(pair, possessionBytes(full)) });
  return signCose(identity, { type, channel: statement.channel }, payload);
}

/**
 * Verifies a key statement: signed by the participant it names with a certificate of its organisation, the key well-formed and named after
 * itself, possession proven. That `seq` follows what the register holds is for the register.
 * @throws WaymarkError input-invalid, signature-invalid, key-invalid, certificate-untrusted, certificate-expired, certificate-revoked,
 *   recipient-mismatch: another organisation's
 */
export function verifyKeyStatement(
  bytes: Uint8Array,
  expected: {
    readonly channel: string;
    readonly msp: string;
    readonly verifier: CertificateVerifier;
    readonly nowMs: number;
  },
): KeyStatement {
  const { channel, msp, verifier, nowMs } = expected;
  const message = readSign1(bytes);
  const payload = verifySign1(message, { type, channel });
  const certificate = verifier.verify(message.certificateDer, { atMs: nowMs });
  const map = headerOf(decodeCbor(payload, { maxBytes: 8 * 1024 }));
  const fields = fieldsOf(new Map([...map].filter(([name]) => name !== 'key' && name !== 'prevKid')), 'key statement');
  fields.constant('v', 1);
  fields.constant('type', type);
  fields.constant('channel', channel);
  const key = parseEncryptionPublicKey(Object.fromEntries(headerOf(map.get('key'))));
  const statement: KeyStatement = {
    channel,
    msp: fields.text('msp'),
    participant: fields.text('participant'),
    key,
    seq: fields.integer('seq', 1),
    prevKid: prevKidOf(map.get('prevKid')),
    notBeforeMs: fields.integer('notBefore'),
    notAfterMs: fields.integer('notAfter'),
  };
  const kid = fields.text('kid');
  const possession = fields.bytes('possession');
  fields.end();
  if (statement.msp !== msp)
    throw new WaymarkError('recipient-mismatch', 'The key statement is that of another organisation.');
  if (statement.participant !== certificate.enrolmentId) {
    throw new WaymarkError('signature-invalid', 'The key statement was not signed by the participant it names.');
  }
  if (
    kid !== key.kid ||
    (statement.prevKid === null) !== (statement.seq === 1) ||
    statement.notAfterMs <= statement.notBeforeMs
  ) {
    throw new WaymarkError('input-invalid', 'The key statement contradicts itself.');
  }
  if (!possessionProven(key, possessionBytes(statement), possession)) {
    throw new WaymarkError('key-invalid', 'The key statement does not prove possession of its key.');
  }
  return statement;
}

function prevKidOf(value: unknown): string | null {
  if (value === null || (typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value))) return value;
  throw new WaymarkError('input-invalid', 'The key statement does not name the key before it.');
}
