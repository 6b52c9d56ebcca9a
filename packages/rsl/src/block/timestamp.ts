import type { CertificateAck } from './ack.ts';

/**
 * Timestamp of a block: the median of its certificate's ack times (of an even number the lower middle one), never below the block before
 * (D3: set after verification). With fewer liars than half of a certificate it lies between two honest clocks.
 */
export function sealTimestamp(certificate: readonly Pick<CertificateAck, 'ackTimeMs'>[], belowMs: number): number {
  const times = certificate.map(({ ackTimeMs }) => ackTimeMs).sort((a, b) => a - b);
  return Math.max(belowMs, times[Math.floor((times.length - 1) / 2)] ?? belowMs);
}
