import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError, toLowS, type CoseSigner } from '@waymark/protocol';
import { parseCertificatesPem, type ParsedCertificate } from './certificate.ts';

/**
 * Somebody who signs with an X.509 identity of an organisation: an outlet, a department, a center. A hardware token is another
 * implementation of this interface (PKCS#11): nothing else here ever sees a private signing key.
 */
export interface SigningIdentity extends CoseSigner {
  readonly mspId: string;
  /** Common name of the certificate. */
  readonly enrolmentId: string;
  readonly certificateDer: Uint8Array;
  /** SHA-256 of the DER. */
  readonly certificateDigest: Uint8Array;
  /** ECDSA on P-256 over SHA-256 of `data`, as r‖s (64 bytes), s in the lower half of the order as Fabric demands. */
  sign(data: Uint8Array): Uint8Array;
}

function unusable(reason: string, details: Readonly<Record<string, string>> = {}): WaymarkError {
  return new WaymarkError('configuration-invalid', `The signing identity is not usable: ${reason}.`, { details });
}

/**
 * Makes a signing identity from PEM texts.
 * @throws WaymarkError configuration-invalid: not one certificate, not a P-256 key, or they do not belong together;
 *   certificate-untrusted: the certificate cannot be read
 */
export function signingIdentityFromPem(options: {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}): SigningIdentity {
  const [certificate] = parseCertificatesPem(options.certificatePem);
  if (certificate === undefined) throw unusable('there is no certificate');
  const privateKey = importPrivateKey(options.privateKeyPem, certificate);
  return {
    mspId: options.mspId,
    enrolmentId: certificate.enrolmentId,
    certificateDer: certificate.der,
    certificateDigest: certificate.digest,
    sign: (data) => toLowS(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  };
}

function importPrivateKey(pem: string, certificate: ParsedCertificate): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause could quote what it could not read.
    throw unusable('the private key cannot be read');
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw unusable('the private key is not on P-256');
  }
  if (!certificate.node.checkPrivateKey(key)) throw unusable('the private key does not belong to the certificate');
  return key;
}

/**
 * Loads a signing identity from a Fabric MSP folder (`signcerts`, `keystore`).
 * @throws WaymarkError configuration-invalid: files missing or ambiguous, or the private key can be read by everybody
 */
export async function loadSigningIdentity(options: {
  readonly mspId: string;
  readonly mspFolder: string;
}): Promise<SigningIdentity> {
  const certificateFile = await onlyFile(join(options.mspFolder, 'signcerts'));
  const keyFile = await onlyFile(join(options.mspFolder, 'keystore'));
  const { mode } = await stat(keyFile);
  if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
    throw unusable('everybody can touch the private key; its mode must be 0600 or 0640', { file: keyFile });
  }
  return signingIdentityFromPem({
    mspId: options.mspId,
    certificatePem: await readFile(certificateFile, 'utf8'),
    privateKeyPem: await readFile(keyFile, 'utf8'),
  });
}

async function onlyFile(folder: string): Promise<string> {
  let names: readonly string[];
  try {
    names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    throw new WaymarkError('configuration-invalid', 'A folder of the MSP cannot be read.', {
      details: { folder },
      cause: error,
    });
  }
  const [name] = names;
  if (name === undefined || names.length !== 1) throw unusable('a folder of the MSP must hold one file', { folder });
  return join(folder, name);
}
