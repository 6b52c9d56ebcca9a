import type { X509Certificate } from 'node:crypto';

/** When a certificate is valid, in ms since 1970. Node has the dates themselves from version 22.10 on only. */
export function validityOf(certificate: X509Certificate): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: Date.parse(certificate.validFrom), toMs: Date.parse(certificate.validTo) };
}
