import type { Crypto } from '../crypto.ts';
import type { Configuration } from '../membership/configuration.ts';
import { isAckQuorum } from '../quorum.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import { ackStatement } from './ack.ts';
import { type Seal, sealStatement } from './header.ts';

/** How planted bugs change the counting of acknowledgements. */
export function quorumSeams(faults: PlantedFaults) {
  return {
    countsCenter: faults.countCenterAck === true,
    countsLearners: faults.countLearners === true,
    short: faults.ackQuorumShort === true ? 1 : 0,
  };
}

/** Whether this is a time that may go into a timestamp: whole milliseconds since 1970. */
export function isTime(timeMs: number): boolean {
  return Number.isSafeInteger(timeMs) && timeMs >= 0;
}

/**
 * Checks a seal by itself: its hash, its center's signature, and a quorum of signed acknowledgements of exactly this header's place and content
 * under every configuration in force.
 * @returns reason code, or null when all is well
 */
export function sealProblem(
  crypto: Crypto,
  seal: Seal,
  configurations: readonly Configuration[],
  faults: PlantedFaults,
): string | null {
  const { header, hash, center, certificate, signature } = seal;
  if (crypto.headerHash(header) !== hash) return 'hash-mismatch';
  if (!crypto.verify(center, sealStatement(seal), signature)) return 'seal-signature-invalid';
  const { ledger, epoch, height, term, prev, root, accepted, rejected } = header;
  const members = new Set<string>();
  let last = '';
  for (const { member, ackTimeMs, signature: ackSignature } of certificate) {
    if (member <= last && faults.countDuplicateAcks !== true) return 'certificate-not-in-order';
    last = member;
    if (!isTime(ackTimeMs)) return 'ack-time-invalid';
    const count = accepted + rejected;
    const statement = ackStatement({ ledger, epoch, height, term, prev, root, count, ackTimeMs });
    const unchecked =
      faults.skipAckSignatures === true || faults.reuseCertificate === true || faults.reuseAcksAcrossEpochs === true;
    if (!unchecked && !crypto.verify(member, statement, ackSignature)) return 'ack-signature-invalid';
    members.add(member);
  }
  const surplus = faults.countDuplicateAcks === true ? certificate.length - members.size : 0;
  const foreign = faults.countForeignAcks === true ? certificate.length : 0;
  const seams = quorumSeams(faults);
  const enough = configurations.every((configuration) =>
    isAckQuorum(configuration, center, (member) => members.has(member), {
      ...seams,
      short: seams.short + surplus + foreign,
    }),
  );
  return enough ? null : 'no-quorum';
}
