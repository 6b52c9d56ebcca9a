import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { WaymarkError } from '@waymark/protocol';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const maxHosts = 64;

/** What a certificate is asked for. */
export interface SigningRequest {
  /** Common name; the CA demands that it is the enrolment id. */
  readonly enrolmentId: string;
  /** DNS names and IP addresses, for TLS. */
  readonly hosts?: readonly string[];
}

/** A new P-256 key as PKCS #8 PEM. It is made here and goes nowhere. */
export function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** @throws WaymarkError key-invalid when it is no P-256 key */
export function privateKeyOf(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause could quote what it could not read.
  }
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new WaymarkError('key-invalid', 'The private key is not a P-256 key in PEM.');
  }
  return key;
}

/**
 * A certificate signing request (PKCS #10), PEM: proves the possession of the key without showing it.
 * @throws WaymarkError input-invalid, key-invalid
 */
export async function signingRequestPem(request: SigningRequest, privateKeyPem: string): Promise<string> {
  const { enrolmentId, hosts = [] } = request;
  if (!/^[^\p{Control}\p{Surrogate}:]{1,64}$/u.test(enrolmentId)) throw invalid('enrolmentId');
  const bad = hosts.findIndex((host) => isIP(host) === 0 && !/^(?:\*\.)?[A-Za-z0-9._-]{1,253}$/.test(host));
  if (bad >= 0 || hosts.length > maxHosts) throw invalid(`hosts/${String(Math.max(bad, 0))}`);
  const key = privateKeyOf(privateKeyPem);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [enrolmentId] }],
    keys: {
      privateKey: await imported(key, 'pkcs8', 'sign'),
      publicKey: await imported(createPublicKey(key), 'spki', 'verify'),
    },
    signingAlgorithm: ecdsa,
    extensions:
      hosts.length === 0
        ? []
        : [
            new SubjectAlternativeNameExtension(
              hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
            ),
          ],
  });
  return csr.toString('pem');
}

function imported(key: KeyObject, form: 'pkcs8' | 'spki', use: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: form as 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey(form, der, ecdsa, true, [use]);
}

function invalid(place: string): WaymarkError {
  return new WaymarkError('input-invalid', 'The request for a certificate does not have the required form.', {
    details: { place },
  });
}
