import { X509Certificate, createHash } from 'node:crypto';
import 'reflect-metadata';
import { X509Certificate as ParsedCertificate } from '@peculiar/x509';
import type { msp } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { validityOf } from './certificate-validity.ts';
import { InvalidIdentity } from './invalid-identity.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';
import type { NodeRole } from './msp.ts';

const SUBJECT_KEY_IDENTIFIER_OID = '2.5.29.14';
const MAX_CHAIN_LENGTH = 10;

interface NodeOu {
  readonly role: NodeRole;
  /** Empty: any certification path will do. */
  readonly certifiersIdentifier: Uint8Array;
}

/** What an MSP says of a certificate that it accepts. */
export interface CertificateVerdict {
  readonly role: NodeRole | undefined;
  readonly isAdmin: boolean;
  readonly organizationalUnits: readonly string[];
  readonly certifiersIdentifier: Uint8Array;
}

/** One organisation's membership rules over X.509 certificates (Fabric: msp/mspimpl.go, mspimplsetup.go, mspimplvalidate.go). */
export class X509Msp {
  readonly mspId: string;
  readonly #roots: readonly X509Certificate[];
  readonly #intermediates: readonly X509Certificate[];
  /** CAs that issued another CA: they may not issue identities. */
  readonly #innerCas: ReadonlySet<string>;
  readonly #crls: readonly RevocationList[];
  readonly #admins: ReadonlySet<string>;
  readonly #nodeOus: ReadonlyMap<string, NodeOu> | undefined;

  /** Throws DevnetError MSP_INVALID where Fabric would refuse the definition. */
  constructor(config: msp.FabricMSPConfig) {
    this.mspId = config.getName();
    this.#roots = config.getRootCertsList_asU8().map(parseCertificate);
    this.#intermediates = config.getIntermediateCertsList_asU8().map(parseCertificate);
    if (this.#roots.length === 0) throw new DevnetError('MSP_INVALID', 'expected at least one CA certificate');
    for (const ca of [...this.#roots, ...this.#intermediates]) checkCa(ca);
    this.#innerCas = new Set(this.#intermediates.map((ca) => this.#chainOf(ca)[1]?.fingerprint256 ?? ''));
    this.#crls = config.getRevocationListList_asU8().map(parseRevocationList);
    this.#admins = new Set(config.getAdminsList_asU8().map((pem) => parseCertificate(pem).fingerprint256));
    this.#nodeOus = this.#readNodeOus(config.getFabricNodeOus());
    if (this.#admins.size === 0 && ![...(this.#nodeOus?.values() ?? [])].some((ou) => ou.role === 'admin')) {
      throw new DevnetError('MSP_INVALID', 'administrators must be declared when no admin ou classification is set');
    }
  }

  /** Judges a certificate; throws an Error with Fabric's text when it is not valid in this MSP. Expiry is not checked. */
  validate(certificate: X509Certificate): CertificateVerdict {
    const chain = this.#certificationChain(certificate);
    if (this.#isRevoked(certificate, chain[1])) {
      throw new InvalidIdentity(
        this.mspId,
        'could not validate identity against certification chain: The certificate has been revoked',
      );
    }
    const organizationalUnits = organizationalUnitsOf(certificate);
    const certifiersIdentifier = chainIdentifier(chain.slice(1));
    const role = this.#roleOf(organizationalUnits, certifiersIdentifier);
    return {
      role,
      isAdmin: role === 'admin' || this.#admins.has(certificate.fingerprint256),
      organizationalUnits,
      certifiersIdentifier,
    };
  }

  #certificationChain(certificate: X509Certificate): X509Certificate[] {
    const prefix = 'could not obtain certification chain';
    if (certificate.ca) {
      throw new Error(
        `${prefix}: An X509 certificate with Basic Constraint: Certificate Authority equals true cannot be used as an identity`,
      );
    }
    const chain = this.#chainOf(certificate);
    if (this.#innerCas.has(chain[1]?.fingerprint256 ?? '')) {
      throw new Error(
        `${prefix}: invalid validation chain. Parent certificate should be a leaf of the certification tree`,
      );
    }
    return chain;
  }

  /** The certificate, its issuer, and so on up to a root. Fabric judges validity one second after the certificate's start. */
  #chainOf(certificate: X509Certificate): X509Certificate[] {
    const chain = [certificate];
    const atMs = validityOf(certificate).fromMs + 1000;
    let current = certificate;
    while (chain.length <= MAX_CHAIN_LENGTH) {
      const { fromMs, toMs } = validityOf(current);
      if (atMs < fromMs || atMs > toMs) {
        throw new Error(
          'could not obtain certification chain: the supplied identity is not valid: x509: certificate has expired or is not yet valid',
        );
      }
      const known = this.#roots.find((root) => root.fingerprint256 === current.fingerprint256);
      if (known !== undefined) return chain;
      const issuer = [...this.#roots, ...this.#intermediates].find(
        (ca) => current.checkIssued(ca) && current.verify(ca.publicKey),
      );
      if (issuer === undefined) break;
      chain.push(issuer);
      current = issuer;
    }
    throw new Error(
      'could not obtain certification chain: the supplied identity is not valid: x509: certificate signed by unknown authority',
    );
  }

  #isRevoked(certificate: X509Certificate, issuer: X509Certificate | undefined): boolean {
    if (issuer === undefined) return false;
    return this.#crls.some((crl) => crl.has(certificate.serialNumber) && crl.isSignedBy(issuer));
  }

  #roleOf(organizationalUnits: readonly string[], certifiersIdentifier: Uint8Array): NodeRole | undefined {
    if (this.#nodeOus === undefined) return undefined;
    const found: NodeRole[] = [];
    const listed = () => `OUs: [${organizationalUnits.join(' ')}], MSP: [${this.mspId}]`;
    for (const unit of organizationalUnits) {
      const nodeOu = this.#nodeOus.get(unit);
      if (nodeOu === undefined) continue;
      if (
        nodeOu.certifiersIdentifier.length > 0 &&
        Buffer.compare(nodeOu.certifiersIdentifier, certifiersIdentifier) !== 0
      ) {
        throw new InvalidIdentity(
          this.mspId,
          `could not validate identity's OUs: certifiersIdentifier does not match: ${listed()}`,
        );
      }
      found.push(nodeOu.role);
    }
    if (found.length === 0) {
      throw new InvalidIdentity(
        this.mspId,
        `could not validate identity's OUs: the identity does not have an OU that resolves to client, peer, orderer, or admin role. ${listed()}`,
      );
    }
    if (found.length > 1) {
      throw new InvalidIdentity(
        this.mspId,
        `could not validate identity's OUs: the identity must have a client, a peer, an orderer, or an admin OU role to be valid, not a combination of them. ${listed()}`,
      );
    }
    return found[0];
  }

  #readNodeOus(config: msp.FabricNodeOUs | undefined): ReadonlyMap<string, NodeOu> | undefined {
    if (config?.getEnable() !== true) return undefined;
    const result = new Map<string, NodeOu>();
    const add = (role: NodeRole, identifier: msp.FabricOUIdentifier | undefined) => {
      if (identifier === undefined) return;
      const certificate = identifier.getCertificate_asU8();
      result.set(identifier.getOrganizationalUnitIdentifier(), {
        role,
        certifiersIdentifier:
          certificate.length === 0 ? new Uint8Array() : chainIdentifier(this.#chainOf(parseCertificate(certificate))),
      });
    };
    add('client', config.getClientOuIdentifier());
    add('peer', config.getPeerOuIdentifier());
    add('admin', config.getAdminOuIdentifier());
    add('orderer', config.getOrdererOuIdentifier());
    return result;
  }
}

function parseCertificate(pem: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(pem));
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', 'a certificate of the MSP definition cannot be read', { cause });
  }
}

function checkCa(certificate: X509Certificate): void {
  const details = { serialNumber: certificate.serialNumber };
  if (!certificate.ca) {
    throw new DevnetError('MSP_INVALID', 'CA Certificate did not have the CA attribute', { details });
  }
  if (new ParsedCertificate(certificate.raw).getExtension(SUBJECT_KEY_IDENTIFIER_OID) === null) {
    throw new DevnetError('MSP_INVALID', 'CA Certificate problem with Subject Key Identifier extension', { details });
  }
}

function chainIdentifier(certificates: readonly X509Certificate[]): Uint8Array {
  const hash = createHash('sha256');
  for (const certificate of certificates) hash.update(certificate.raw);
  return hash.digest();
}

function organizationalUnitsOf(certificate: X509Certificate): string[] {
  const units: unknown = certificate.toLegacyObject().subject.OU;
  if (typeof units === 'string') return [units];
  return Array.isArray(units) ? units.filter((unit): unit is string => typeof unit === 'string') : [];
}
