import { createPublicKey, X509Certificate } from 'node:crypto';
import { toHex, WaymarkError } from '@waymark/protocol';
import {
  type CertificateVerifier,
  certificateVerifier,
  parseCertificatesPem,
  type RevocationListFacts,
} from '@waymark/vault';
import { newPrivateKeyPem, privateKeyOf, signingRequestPem } from '../request/signing-request.ts';
import {
  type AuthorityCalls,
  authorityCalls,
  type Credentials,
  type EnrolledIdentity,
  field,
  pemField,
} from './calls.ts';
import { type AuthorityEndpoint, checkEndpoint } from './endpoint.ts';
import { saysAlreadyRevoked, toRefusal } from './refusal.ts';

const defaultTimeoutMs = 15_000;

/** Reasons for a revocation (RFC 5280 section 5.3.1). */
export const revocationReasons = [
  'unspecified',
  'keycompromise',
  'cacompromise',
  'affiliationchanged',
  'superseded',
  'cessationofoperation',
  'certificatehold',
  'privilegewithdrawn',
  'aacompromise',
] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** CA certificates, PEM, one each. */
export interface AuthorityChain {
  readonly rootsPem: readonly string[];
  readonly intermediatesPem: readonly string[];
}

/** What the authority says of itself. */
export interface AuthorityInfo extends AuthorityChain {
  readonly name: string;
  readonly version: string;
}

/** Somebody who is to be able to enrol. */
export interface Registration {
  readonly enrolmentId: string;
  /** Becomes the certificate's organisational unit: the MSP role (NodeOU). */
  readonly role: 'client' | 'peer' | 'orderer' | 'admin';
  /** Organisational units below the organisation, as the CA knows them. Default: none. */
  readonly affiliation?: string;
  /** Attributes that go into every enrolment certificate. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** How often the secret may be used; -1: as often as the CA permits. Default 1. */
  readonly maxEnrolments?: number;
}

/** What a certificate is for: an identity of the MSP, or TLS. */
export type CertificateProfile = 'enrolment' | 'tls';

/** What an enrolment and a renewal have in common. */
export interface CertificateWish {
  /** Default `enrolment`. */
  readonly profile?: CertificateProfile;
  /** DNS names and IP addresses of the node, for TLS. */
  readonly hosts?: readonly string[];
  /** The key to certify again; default: a new one. Fabric's orderers know each other's TLS by the key: they renew with the same. */
  readonly privateKeyPem?: string;
}

/** An identity that the authority issued, and its chain. */
export interface Enrolment extends EnrolledIdentity, AuthorityChain {
  readonly enrolmentId: string;
}

/** Which certificates are to be taken back: all of an identity, which can then never enrol again, or one. */
export type Revocation = { readonly reason?: RevocationReason } & (
  | { readonly enrolmentId: string }
  | { readonly certificatePem: string }
  | { readonly serialNumber: string; readonly authorityKeyId: string }
);

/** A certificate that was taken back. */
export interface RevokedCertificate {
  readonly serialNumber: string;
  readonly authorityKeyId: string;
}

/** A revocation list that was checked against the authority's own certificates. */
export interface RevocationList extends RevocationListFacts {
  readonly pem: string;
}

/** A running Fabric CA. Private keys are made and stay on this side. All calls throw `unavailable` when it does not answer. */
export interface CertificateAuthority {
  info(): Promise<AuthorityInfo>;
  /**
   * Lets somebody enrol.
   * @returns the one-time secret, which the CA made
   * @throws WaymarkError role-not-permitted, conflict (the id is taken), refused
   */
  register(registrar: EnrolledIdentity, registration: Registration): Promise<string>;
  /**
   * Gets the first certificate. What comes back is checked: its key, its name, its chain.
   * @throws WaymarkError refused (wrong id or secret), certificate-revoked, input-invalid, certificate-untrusted
   */
  enrol(
    credentials: { readonly enrolmentId: string; readonly secret: string },
    wish?: CertificateWish,
  ): Promise<Enrolment>;
  /**
   * Gets another certificate for the same enrolment id.
   * @param identity with an enrolment certificate that still counts, also where a TLS certificate is asked for
   * @throws WaymarkError refused (the CA does not say whether expired or revoked), input-invalid, certificate-untrusted
   */
  renew(identity: EnrolledIdentity, wish?: CertificateWish): Promise<Enrolment>;
  /**
   * Takes certificates back. Repeating it changes nothing. Nobody hears of it but by the revocation list.
   * @throws WaymarkError role-not-permitted, refused (no such certificate)
   */
  revoke(registrar: EnrolledIdentity, revocation: Revocation): Promise<readonly RevokedCertificate[]>;
  /** The list of now. @throws WaymarkError role-not-permitted, certificate-untrusted (not signed by the authority) */
  revocationList(registrar: EnrolledIdentity): Promise<RevocationList>;
}

/**
 * Prepares to talk to a Fabric CA server; nothing is connected yet.
 * @param endpoint.timeoutMs for one call as a whole; default 15,000
 * @throws WaymarkError configuration-invalid
 */
export function certificateAuthority(
  endpoint: AuthorityEndpoint & { readonly timeoutMs?: number },
): CertificateAuthority {
  const calls = authorityCalls(checkEndpoint(endpoint), endpoint.timeoutMs ?? defaultTimeoutMs);
  const asked: AuthorityCalls['call'] = async (operation, body, credentials) => {
    try {
      return await calls.call(operation, body, credentials);
    } catch (error) {
      throw toRefusal(error, operation);
    }
  };

  async function issue(
    operation: 'enroll' | 'reenroll',
    enrolmentId: string,
    credentials: Credentials,
    wish: CertificateWish,
  ): Promise<Enrolment> {
    const privateKeyPem = wish.privateKeyPem ?? newPrivateKeyPem();
    const hosts = wish.hosts ?? [];
    const body = {
      certificate_request: await signingRequestPem({ enrolmentId, hosts }, privateKeyPem),
      ...(wish.profile === 'tls' ? { profile: 'tls' } : {}),
    };
    const result = await asked(operation, body, credentials);
    const certificatePem = pemField(result, 'Cert');
    const chain = chainOf(pemField(field(result, 'ServerInfo'), 'CAChain'));
    checkIssued({ certificatePem, privateKeyPem, enrolmentId, hosts }, chainVerifier(chain));
    return { enrolmentId, certificatePem, privateKeyPem, ...chain };
  }

  const info = async (): Promise<AuthorityInfo> => {
    const result = await asked('cainfo', {});
    const chain = chainOf(pemField(result, 'CAChain'));
    chainVerifier(chain);
    return { name: String(field(result, 'CAName')), version: String(field(result, 'Version')), ...chain };
  };

  return {
    info,
    async register(registrar, { enrolmentId, role, affiliation = '', attributes = {}, maxEnrolments = 1 }) {
      const attrs = Object.entries(attributes).map(([name, value]) => ({ name, value, ecert: true }));
      const body = { id: enrolmentId, type: role, affiliation, attrs, max_enrollments: maxEnrolments };
      const secret = field(await asked('register', body, registrar), 'secret');
      if (typeof secret !== 'string' || secret === '') throw untrusted('it gave no secret');
      return secret;
    },
    enrol: (credentials, wish = {}) => issue('enroll', credentials.enrolmentId, credentials, wish),
    renew: (identity, wish = {}) =>
      issue('reenroll', onlyCertificate(identity.certificatePem).enrolmentId, identity, wish),
    async revoke(registrar, revocation) {
      const { reason = 'unspecified' } = revocation;
      const body = 'enrolmentId' in revocation ? { id: revocation.enrolmentId } : revokedByNumber(revocation);
      try {
        const result = await calls.call('revoke', { ...body, reason }, registrar);
        return revokedOf(result);
      } catch (error) {
        if (saysAlreadyRevoked(error)) return [];
        throw toRefusal(error, 'revoke');
      }
    },
    async revocationList(registrar) {
      const pem = pemField(await asked('gencrl', {}, registrar), 'CRL');
      const { revocationLists } = chainVerifier(await info(), [pem]);
      const [facts] = revocationLists;
      if (facts === undefined) throw untrusted('it gave no revocation list');
      return { ...facts, pem };
    },
  };
}

function untrusted(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('certificate-untrusted', `What the certificate authority gave is not usable: ${reason}.`, {
    cause,
  });
}

function chainOf(pem: string): AuthorityChain {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  const isRoot = (block: string): boolean => {
    const certificate = new X509Certificate(block);
    return certificate.checkIssued(certificate);
  };
  try {
    return {
      rootsPem: blocks.filter(isRoot).map((block) => `${block}\n`),
      intermediatesPem: blocks.filter((block) => !isRoot(block)).map((block) => `${block}\n`),
    };
  } catch (cause) {
    throw untrusted('its chain cannot be read', cause);
  }
}

function chainVerifier(chain: AuthorityChain, crlsPem: readonly string[] = []) {
  try {
    return certificateVerifier({ ...chain, crlsPem });
  } catch (cause) {
    throw untrusted(crlsPem.length === 0 ? 'its chain does not end in a CA' : 'it did not sign the list', cause);
  }
}

function onlyCertificate(pem: string) {
  const [certificate, ...more] = parseCertificatesPem(pem);
  if (certificate === undefined || more.length > 0) throw untrusted('not exactly one certificate');
  return certificate;
}

/** Fabric's MSP would refuse each of these later, in another place and in other words. */
function checkIssued(
  issued: { certificatePem: string; privateKeyPem: string; enrolmentId: string; hosts: readonly string[] },
  verifier: CertificateVerifier,
): void {
  const { der, node } = onlyCertificate(issued.certificatePem);
  const { enrolmentId } = verifier.verify(der, { atMs: Date.now() });
  if (enrolmentId !== issued.enrolmentId) throw untrusted('the certificate has another name than was asked for');
  if (!node.publicKey.equals(createPublicKey(privateKeyOf(issued.privateKeyPem)))) {
    throw untrusted('the certificate is for another key');
  }
  const missing = issued.hosts.find((host) => node.checkHost(host) === undefined && node.checkIP(host) === undefined);
  if (missing !== undefined) throw untrusted('the certificate does not name every host');
}

function revokedByNumber(
  revocation: { readonly certificatePem: string } | { readonly serialNumber: string; readonly authorityKeyId: string },
): { serial: string; aki: string } {
  if (!('certificatePem' in revocation)) return { serial: revocation.serialNumber, aki: revocation.authorityKeyId };
  const { serialNumber, authorityKeyId } = onlyCertificate(revocation.certificatePem);
  if (authorityKeyId === null) throw untrusted('the certificate does not name the key of its CA');
  return { serial: serialNumber, aki: toHex(authorityKeyId) };
}

function revokedOf(result: unknown): RevokedCertificate[] {
  const list = field(result, 'RevokedCerts');
  if (!Array.isArray(list)) return [];
  return list.map((entry) => ({
    serialNumber: String(field(entry, 'Serial')).toLowerCase(),
    authorityKeyId: String(field(entry, 'AKI')).toLowerCase(),
  }));
}
