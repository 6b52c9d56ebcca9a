import { WaymarkError } from '@waymark/protocol';
import {
  type AllowList,
  type CertificateVerifier,
  signAllowList,
  type SigningIdentity,
  verifyAllowList,
} from '@waymark/vault';
import type { Outbox } from '../outbox/outbox.ts';

/** Who outside the consortium may ask for which consignment's records; signed by the outlet, until grants exist (S9). */
export interface AllowLists {
  /** Whether the holder of this signing key may ask. A list that was altered permits nobody. */
  permits(consignmentOid: Uint8Array, askerKid: string): boolean;
  /** Whether the holder of this signing key is on any list. */
  names(askerKid: string): boolean;
  /** Signs and keeps a new list for a consignment. @throws WaymarkError input-invalid, limit-exceeded */
  put(consignmentOid: Uint8Array, askerKids: readonly string[]): AllowList;
  list(): AllowList[];
}

/** Allow-lists kept in the outbox. */
export function createAllowLists(parts: {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly verifier: CertificateVerifier;
  readonly outbox: Outbox;
  readonly nowMs: () => number;
}): AllowLists {
  const { channel, identity, verifier, outbox, nowMs } = parts;
  const read = (signed: Uint8Array): AllowList => {
    const list = verifyAllowList(signed, { channel, msp: identity.mspId, verifier, nowMs: nowMs() });
    if (list.outlet === identity.enrolmentId) return list;
    throw new WaymarkError('data-abnormal', 'The allow-list is that of another outlet.');
  };
  return {
    permits(consignmentOid, askerKid) {
      const signed = outbox.allowList(consignmentOid);
      if (signed === undefined) return false;
      const list = read(signed);
      return Buffer.compare(list.consignmentOid, consignmentOid) === 0 && list.askerKids.includes(askerKid);
    },
    names: (askerKid) => outbox.allowLists().some((signed) => read(signed).askerKids.includes(askerKid)),
    put(consignmentOid, askerKids) {
      const before = outbox.allowList(consignmentOid);
      const seq = (before === undefined ? 0 : read(before).seq) + 1;
      const signed = signAllowList(identity, { channel, consignmentOid, seq, issuedAtMs: nowMs(), askerKids });
      outbox.putAllowList(consignmentOid, seq, signed);
      return read(signed);
    },
    list: () => outbox.allowLists().map(read),
  };
}
