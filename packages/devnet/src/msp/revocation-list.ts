import { verify, type X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import { X509Crl } from '@peculiar/x509';
import { isDerSequence, readDerElement } from '../asn1/der.ts';
import { DevnetError } from '../errors.ts';

/** The revoked serial numbers of one CRL, and what its issuer's signature covers. */
export interface RevocationList {
  isSignedBy(ca: X509Certificate): boolean;
  /** `serialNumber` as Node prints it: upper-case hexadecimal. */
  has(serialNumber: string): boolean;
}

/** Reads a CRL (PEM or DER). Throws DevnetError MSP_INVALID. */
export function parseRevocationList(bytes: Uint8Array): RevocationList {
  try {
    const text = Buffer.from(bytes).toString('latin1');
    const crl = new X509Crl(text.includes('-----BEGIN') ? text : bytes.slice());
    const serialNumbers = new Set(crl.entries.map((entry) => normaliseSerial(entry.serialNumber)));
    const outer = readDerElement(new Uint8Array(crl.rawData));
    const signed = isDerSequence(outer) ? readDerElement(outer.content) : undefined;
    if (signed === undefined) throw new DevnetError('MSP_INVALID', 'a revocation list is not DER');
    const signature = new Uint8Array(crl.signature);
    return {
      isSignedBy: (ca) => verify('sha256', signed.encoded, ca.publicKey, signature),
      has: (serialNumber) => serialNumbers.has(normaliseSerial(serialNumber)),
    };
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', 'could not parse RevocationList', { cause });
  }
}

function normaliseSerial(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, '');
}
