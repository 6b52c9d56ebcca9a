import { X509Certificate, createPrivateKey, sign as createSignature } from 'node:crypto';
import { msp } from '@hyperledger/fabric-protos';
import { normaliseLowS, signatureFromDer, signatureToDer } from '../asn1/ecdsa-signature.ts';
import { DevnetError } from '../errors.ts';
import { fingerprintOf } from './certificate-fingerprint.ts';
import type { SigningIdentity } from './msp.ts';
import { rememberOwnSignature } from './signature-verification.ts';

/** `msp.SerializedIdentity` bytes of a certificate. */
export function serializeIdentity(mspId: string, certificatePem: string): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificatePem));
  return identity.serializeBinary();
}

/** Makes a signer of a certificate and its PKCS #8 key. Throws DevnetError MSP_INVALID when they do not belong together. */
export function createSigningIdentity(source: {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}): SigningIdentity {
  const key = createPrivateKey(source.privateKeyPem);
  const certificate = new X509Certificate(source.certificatePem);
  if (!certificate.checkPrivateKey(key)) {
    throw new DevnetError('MSP_INVALID', `the key is not that of the certificate (MSP ${source.mspId})`);
  }
  const fingerprint = fingerprintOf(certificate);
  return {
    mspId: source.mspId,
    serialized: serializeIdentity(source.mspId, source.certificatePem),
    sign: (message) => {
      // The key by itself: wrapped in options it costs Node two exceptions inside.
      const signature = signatureFromDer(createSignature('sha256', message, key));
      if (signature === undefined) throw new DevnetError('MSP_INVALID', 'the key makes no ECDSA P-256 signatures');
      const rs = normaliseLowS(signature);
      rememberOwnSignature(fingerprint, message, rs);
      return signatureToDer(rs);
    },
  };
}
