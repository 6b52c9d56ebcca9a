import { createHash } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import { parseCertificate, parseCertificatesPem, type NodeRole, type ParsedCertificate } from './certificate.ts';
import { readRevocations, type RevocationListFacts, type Revocations } from './revocation-list.ts';

/** What an organisation's MSP trusts. */
export interface TrustAnchors {
  /** Root CA certificates, PEM. */
  readonly rootsPem: readonly string[];
  /** Intermediate CA certificates, PEM. */
  readonly intermediatesPem?: readonly string[];
  /** Certificate revocation lists, PEM. */
  readonly crlsPem?: readonly string[];
}

/** What a certificate must satisfy beside being trusted. */
export interface CertificateDemands {
  /** The moment it must be valid at, milliseconds since 1970. Fabric's MSP ignores expiry; we do not (S4). */
  readonly atMs: number;
  /** One of these roles must be in its organisational units. */
  readonly roles?: readonly NodeRole[];
  /** Fabric attributes it must carry with exactly these values. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A certificate that an organisation's CA issued and that satisfies the demands. */
export type VerifiedCertificate = Pick<
  ParsedCertificate,
  'der' | 'digest' | 'enrolmentId' | 'role' | 'attributes' | 'serialNumber' | 'notBeforeMs' | 'notAfterMs' | 'publicKey'
>;

/** Checks certificates against one organisation's MSP; chains found once are remembered, refusals as well. */
export interface CertificateVerifier {
  /**
   * @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted
   */
  verify(der: Uint8Array, demands: CertificateDemands): VerifiedCertificate;
}

/** A verifier that says which revocation lists it goes by. */
export interface OrganisationVerifier extends CertificateVerifier {
  readonly revocationLists: readonly RevocationListFacts[];
}

interface Chain {
  readonly leaf: ParsedCertificate;
  /** Validity of the whole chain. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const maxChainLength = 6;
const maxRemembered = 1_024;

function remember<T>(known: Map<string, T>, name: string, value: T): T {
  if (known.size >= maxRemembered) known.delete(known.keys().next().value ?? '');
  known.set(name, value);
  return value;
}

function untrusted(reason: string): WaymarkError {
  return new WaymarkError('certificate-untrusted', `The certificate is not trusted: ${reason}.`);
}

function issued(issuer: ParsedCertificate, subject: ParsedCertificate): boolean {
  return issuer.maySignCertificates && subject.node.checkIssued(issuer.node) && subject.node.verify(issuer.publicKey);
}

/**
 * Builds the verifier of one organisation.
 * @throws WaymarkError configuration-invalid: no root, a certificate that is no CA, or a revocation list nobody here signed
 */
export function certificateVerifier(anchors: TrustAnchors): OrganisationVerifier {
  const roots = anchors.rootsPem.flatMap((pem) => parseCertificatesPem(pem));
  const intermediates = (anchors.intermediatesPem ?? []).flatMap((pem) => parseCertificatesPem(pem));
  const authorities = [...intermediates, ...roots];
  if (roots.length === 0 || !authorities.every((authority) => authority.maySignCertificates)) {
    throw new WaymarkError('configuration-invalid', 'An MSP needs a root, and each of its authorities must be a CA.');
  }
  const revoked = readRevocations(anchors.crlsPem ?? [], authorities);
  const chains = new Map<string, Chain>();
  // A caller of another organisation is no stranger to this one's verifier: reading its certificate takes longer than what it asks for.
  const refusals = new Map<string, WaymarkError>();

  const chainOf = (der: Uint8Array): Chain => {
    const name = createHash('sha256').update(der).digest('base64');
    const known = chains.get(name);
    if (known !== undefined) return known;
    const refusal = refusals.get(name);
    if (refusal !== undefined) throw new WaymarkError(refusal.code, refusal.message, { details: refusal.details });
    try {
      return remember(chains, name, buildChain(parseCertificate(der), roots, intermediates, revoked));
    } catch (error) {
      if (error instanceof WaymarkError) remember(refusals, name, error);
      throw error;
    }
  };

  return {
    revocationLists: revoked.lists,
    verify(der, demands) {
      const chain = chainOf(der);
      checkDemands(chain, demands);
      return chain.leaf;
    },
  };
}

/**
 * Checks one certificate against one organisation's MSP (S4). A service that checks many keeps a `certificateVerifier`.
 * @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted
 */
export function verifyCertificate(der: Uint8Array, options: TrustAnchors & CertificateDemands): VerifiedCertificate {
  return certificateVerifier(options).verify(der, options);
}

/** Walks up to a root. As in Fabric, only the lowest authorities of the tree may issue identities. */
function buildChain(
  leaf: ParsedCertificate,
  roots: readonly ParsedCertificate[],
  intermediates: readonly ParsedCertificate[],
  revoked: Revocations,
): Chain {
  if (leaf.isCa) throw untrusted('a CA is not an identity');
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw untrusted('its key is not on P-256');
  }
  const authorities = [...intermediates, ...roots];
  let notBeforeMs = leaf.notBeforeMs;
  let notAfterMs = leaf.notAfterMs;
  let subject = leaf;
  for (let depth = 0; depth < maxChainLength; depth += 1) {
    const issuer = authorities.find((authority) => issued(authority, subject));
    if (issuer === undefined) throw untrusted('no CA of the organisation issued it');
    if (issuer.pathLength !== null && depth > issuer.pathLength)
      throw untrusted('its chain is longer than its CA allows');
    if (depth === 0 && intermediates.some((below) => below !== issuer && issued(issuer, below))) {
      throw untrusted('it was issued by a CA that only issues CAs');
    }
    if (revoked.contains(issuer, subject)) {
      throw new WaymarkError('certificate-revoked', 'The certificate, or a CA above it, is on a revocation list.');
    }
    notBeforeMs = Math.max(notBeforeMs, issuer.notBeforeMs);
    notAfterMs = Math.min(notAfterMs, issuer.notAfterMs);
    if (roots.includes(issuer)) return { leaf, notBeforeMs, notAfterMs };
    subject = issuer;
  }
  throw untrusted('its chain is too long');
}

function checkDemands(chain: Chain, demands: CertificateDemands): void {
  if (demands.atMs < chain.notBeforeMs || demands.atMs > chain.notAfterMs) {
    throw new WaymarkError('certificate-expired', 'The certificate, or a CA above it, is not valid at this time.', {
      details: { notBeforeMs: chain.notBeforeMs, notAfterMs: chain.notAfterMs },
    });
  }
  const { role, attributes } = chain.leaf;
  if (demands.roles !== undefined && (role === null || !demands.roles.includes(role))) {
    throw new WaymarkError('role-not-permitted', 'The certificate does not have the role this needs.', {
      details: { role: role ?? 'none', permitted: demands.roles },
    });
  }
  for (const [name, value] of Object.entries(demands.attributes ?? {})) {
    if (attributes.get(name) !== value) {
      throw new WaymarkError('role-not-permitted', 'The certificate does not have the attribute this needs.', {
        details: { attribute: name },
      });
    }
  }
}
