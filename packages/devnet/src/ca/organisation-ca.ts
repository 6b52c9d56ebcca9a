import 'reflect-metadata';
import { X509Certificate, type JsonName } from '@peculiar/x509';
import { DevnetError } from '../errors.ts';
import type { NodeRole } from '../msp/msp.ts';
import {
  createCertificate,
  createCrlPem,
  generateKeyPair,
  keyPairFromPem,
  privateKeyFromPem,
  privateKeyToPem,
  type Issuer,
} from './certificate.ts';
import { loadCaFolder, saveCaFolder, type StoredCa } from './ca-folder.ts';
import type { IssuedIdentity, IssuedTls } from './issued.ts';
import { writeMspFolder } from './msp-folder.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A CA is older than what it issues, so that tests can issue certificates that have already expired. */
const CA_AGE_MS = 365 * DAY_MS;
const CA_VALIDITY_MS = 10 * 365 * DAY_MS;
/** Tolerated difference between the clocks of the machines on a network. */
const ISSUE_BACKDATE_MS = 5 * 60 * 1000;
const MAX_NAME_LENGTH = 64;

export interface IssueParams {
  /** Common name of the certificate; Fabric's enrolment id. At most 64 characters. */
  readonly enrolmentId: string;
  /** NodeOU of the certificate. */
  readonly role: NodeRole;
  /** Fabric certificate attributes, readable in chaincode. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Default: five minutes ago. Fabric judges the whole chain one second after this moment. */
  readonly notBefore?: Date;
  /** Default: as long as the CA. */
  readonly notAfter?: Date;
}

export interface IssueTlsParams {
  readonly commonName: string;
  /** DNS names and IP addresses; `localhost`, `127.0.0.1` and `::1` are always added. */
  readonly sans?: readonly string[];
  /** PKCS #8 PEM of a key to certify again. Orderers know each other by their keys, so theirs are kept. Default: a new key. */
  readonly privateKeyPem?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** One organisation's enrolment CA and its separate TLS CA. For development and tests: keys lie in files, unencrypted. */
export interface OrganisationCa {
  readonly mspId: string;
  readonly domain: string;
  readonly rootCertPem: string;
  readonly tlsRootCertPem: string;
  /** Issues an enrolment certificate with a new key. Throws DevnetError MSP_INVALID for names or times outside the CA's. */
  issue(params: IssueParams): Promise<IssuedIdentity>;
  /** Issues a TLS certificate for servers and clients, with a new key unless one is given. */
  issueTls(params: IssueTlsParams): Promise<IssuedTls>;
  /** Puts an enrolment certificate of this CA on the revocation list; save the CA afterwards. */
  revoke(certificatePem: string): void;
  /** Puts a serial number (hexadecimal) on the revocation list; save the CA afterwards. Throws DevnetError MSP_INVALID. */
  revokeSerialNumber(serialNumber: string): void;
  /** The revocation list, or undefined while nothing is revoked. */
  crlPem(): Promise<string | undefined>;
  /** Writes an MSP folder in Fabric's layout: with an identity a local MSP, without one a verifying MSP. */
  writeMspFolder(dir: string, identity?: IssuedIdentity): Promise<void>;
  /** Stores both CAs with their keys (mode 0600) and the revocations. */
  save(dir: string): Promise<void>;
}

export interface CreateOrganisationCaParams {
  readonly mspId: string;
  /** DNS-like name of the organisation, part of the CAs' names. */
  readonly domain: string;
  /** Start of the CAs' validity. Default: a year ago, so that expired certificates can be issued. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** Makes new CAs for an organisation; nothing is written until `save`. */
export async function createOrganisationCa(params: CreateOrganisationCaParams): Promise<OrganisationCa> {
  checkName(params.mspId, 'MSP id');
  checkName(params.domain, 'domain');
  const notBefore = params.notBefore ?? new Date(Date.now() - CA_AGE_MS);
  const notAfter = params.notAfter ?? new Date(Date.now() + CA_VALIDITY_MS);
  const [enrolment, tls] = await Promise.all([
    createRoot(`ca.${params.domain}`, params.domain, notBefore, notAfter),
    createRoot(`tlsca.${params.domain}`, params.domain, notBefore, notAfter),
  ]);
  return new FileOrganisationCa(params.mspId, params.domain, enrolment, tls, []);
}

/** Loads what `save` stored. Throws DevnetError MSP_INVALID when files are missing or do not belong together. */
export async function loadOrganisationCa(dir: string): Promise<OrganisationCa> {
  const stored = await loadCaFolder(dir);
  return new FileOrganisationCa(
    stored.mspId,
    stored.domain,
    await issuerOf(stored.ca),
    await issuerOf(stored.tlsca),
    stored.revokedSerialNumbers,
  );
}

class FileOrganisationCa implements OrganisationCa {
  readonly mspId: string;
  readonly domain: string;
  readonly rootCertPem: string;
  readonly tlsRootCertPem: string;
  readonly #enrolment: Issuer;
  readonly #tls: Issuer;
  readonly #revokedSerialNumbers: Set<string>;

  constructor(mspId: string, domain: string, enrolment: Issuer, tls: Issuer, revoked: readonly string[]) {
    this.mspId = mspId;
    this.domain = domain;
    this.#enrolment = enrolment;
    this.#tls = tls;
    this.#revokedSerialNumbers = new Set(revoked);
    this.rootCertPem = certificatePem(enrolment.certificate);
    this.tlsRootCertPem = certificatePem(tls.certificate);
  }

  async issue(params: IssueParams): Promise<IssuedIdentity> {
    checkName(params.enrolmentId, 'enrolment id');
    const keys = await generateKeyPair();
    const certificate = await createCertificate(
      {
        use: 'enrolment',
        subject: subjectOf(params.enrolmentId, params.role),
        publicKey: keys.publicKey,
        ...validityWithin(this.#enrolment, params),
        ...(params.attributes === undefined ? {} : { attributes: params.attributes }),
      },
      this.#enrolment,
    );
    return {
      mspId: this.mspId,
      enrolmentId: params.enrolmentId,
      role: params.role,
      certificatePem: certificatePem(certificate),
      privateKeyPem: privateKeyToPem(keys.privateKey),
    };
  }

  async issueTls(params: IssueTlsParams): Promise<IssuedTls> {
    checkName(params.commonName, 'common name');
    const keys =
      params.privateKeyPem === undefined ? await generateKeyPair() : await keyPairFromPem(params.privateKeyPem);
    const certificate = await createCertificate(
      {
        use: 'tls',
        subject: subjectOf(params.commonName),
        publicKey: keys.publicKey,
        subjectAltNames: [...new Set([...(params.sans ?? []), 'localhost', '127.0.0.1', '::1'])],
        ...validityWithin(this.#tls, params),
      },
      this.#tls,
    );
    return {
      certificatePem: certificatePem(certificate),
      privateKeyPem: privateKeyToPem(keys.privateKey),
      rootCertPem: this.tlsRootCertPem,
    };
  }

  revoke(pem: string): void {
    const certificate = new X509Certificate(pem);
    if (certificate.issuer !== this.#enrolment.certificate.subject) {
      throw new DevnetError('MSP_INVALID', `only a certificate issued by ca.${this.domain} can be revoked by it`);
    }
    this.revokeSerialNumber(certificate.serialNumber);
  }

  revokeSerialNumber(serialNumber: string): void {
    if (!/^[0-9a-f]{1,42}$/i.test(serialNumber)) {
      throw new DevnetError('MSP_INVALID', 'a serial number has 1 to 42 hexadecimal digits');
    }
    const digits = serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
    const octets = digits.padStart(digits.length + (digits.length % 2), '0');
    // A serial number is positive (RFC 5280, 4.1.2.2): without the octet, the first bit would be its sign.
    this.#revokedSerialNumbers.add(/^[89a-f]/.test(octets) ? `00${octets}` : octets);
  }

  async crlPem(): Promise<string | undefined> {
    if (this.#revokedSerialNumbers.size === 0) return undefined;
    const now = new Date();
    const { notAfter } = this.#enrolment.certificate;
    return `${await createCrlPem(this.#enrolment, [...this.#revokedSerialNumbers], now, notAfter)}\n`;
  }

  async writeMspFolder(dir: string, identity?: IssuedIdentity): Promise<void> {
    const crlPem = await this.crlPem();
    await writeMspFolder(dir, {
      domain: this.domain,
      rootCertPem: this.rootCertPem,
      tlsRootCertPem: this.tlsRootCertPem,
      ...(crlPem === undefined ? {} : { crlPem }),
      ...(identity === undefined ? {} : { identity }),
    });
  }

  save(dir: string): Promise<void> {
    return saveCaFolder(dir, {
      mspId: this.mspId,
      domain: this.domain,
      ca: storedOf(this.rootCertPem, this.#enrolment),
      tlsca: storedOf(this.tlsRootCertPem, this.#tls),
      revokedSerialNumbers: [...this.#revokedSerialNumbers],
    });
  }
}

async function createRoot(commonName: string, domain: string, notBefore: Date, notAfter: Date): Promise<Issuer> {
  const keys = await generateKeyPair();
  const certificate = await createCertificate(
    {
      use: 'ca',
      subject: [{ C: ['US'] }, { ST: ['California'] }, { L: ['San Francisco'] }, { O: [domain] }, { CN: [commonName] }],
      publicKey: keys.publicKey,
      notBefore,
      notAfter,
    },
    { selfKey: keys.privateKey },
  );
  return { certificate, privateKey: keys.privateKey };
}

function subjectOf(commonName: string, role?: NodeRole): JsonName {
  return role === undefined ? [{ CN: [commonName] }] : [{ OU: [role] }, { CN: [commonName] }];
}

function validityWithin(
  issuer: Issuer,
  requested: { notBefore?: Date; notAfter?: Date },
): { notBefore: Date; notAfter: Date } {
  const ca = issuer.certificate;
  const notBefore = requested.notBefore ?? new Date(Math.max(Date.now() - ISSUE_BACKDATE_MS, ca.notBefore.getTime()));
  const notAfter = requested.notAfter ?? ca.notAfter;
  if (notBefore < ca.notBefore || notAfter > ca.notAfter || notAfter <= notBefore) {
    throw new DevnetError(
      'MSP_INVALID',
      'the validity of a certificate must be positive and lie within that of its CA',
    );
  }
  return { notBefore, notAfter };
}

function checkName(name: string, what: string): void {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH || /[\u0000-\u001f\u007f/\\]/.test(name)) {
    throw new DevnetError(
      'MSP_INVALID',
      `${what} must be 1 to ${MAX_NAME_LENGTH} characters without controls or slashes`,
    );
  }
}

function certificatePem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

function storedOf(certificate: string, issuer: Issuer): StoredCa {
  return { certificatePem: certificate, privateKeyPem: privateKeyToPem(issuer.privateKey) };
}

async function issuerOf(stored: StoredCa): Promise<Issuer> {
  return {
    certificate: new X509Certificate(stored.certificatePem),
    privateKey: await privateKeyFromPem(stored.privateKeyPem),
  };
}
