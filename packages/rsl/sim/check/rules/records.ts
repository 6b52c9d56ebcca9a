import type { SubmissionReceipt } from '../../../src/index.ts';
import type { CheckerFactory } from '../checker.ts';

/** No record stands in a block that its department did not sign, nor a signed one in another form. */
export const signedRecords: CheckerFactory = ({ report, signedBy }) => ({
  name: 'signed-records',
  confirmed(member, { height, entries }) {
    for (const { department, seq, hash, oids } of entries) {
      const signed = signedBy(hash);
      if (signed === undefined)
        report(`${member}'s block ${height} holds a submission that ${department} never signed`);
      else if (signed.department !== department || signed.seq !== seq || signed.oids.join() !== oids.join()) {
        report(
          `${member}'s block ${height} holds ${department}'s submission ${seq} in another form than it was signed`,
        );
      }
    }
  },
});

/** No gap and no repetition in a department's sequence, from the first block to the last. */
export const sequences: CheckerFactory = ({ report }) => {
  const judged = new Set<string>();
  const afterBlock = new Map<string, ReadonlyMap<string, number>>([['', new Map()]]);
  return {
    name: 'sequences',
    confirmed(member, { height, hash, prev, entries }) {
      if (judged.has(hash)) return;
      judged.add(hash);
      const before = afterBlock.get(prev);
      if (before === undefined) return;
      const after = new Map(before);
      for (const { department, seq } of entries) {
        const last = after.get(department) ?? 0;
        if (seq !== last + 1)
          report(`${member}'s block ${height} goes from ${department}'s submission ${last} to ${seq}`);
        after.set(department, seq);
      }
      afterBlock.set(hash, after);
    },
  };
};

/** An oid is accepted once in the whole ledger (D5). */
export const acceptedOnce: CheckerFactory = ({ report }) => {
  const judged = new Set<string>();
  const acceptedAt = new Map<string, number>();
  return {
    name: 'accepted-once',
    confirmed(member, { height, hash, entries }) {
      if (judged.has(hash)) return;
      judged.add(hash);
      for (const { oids, rejected } of entries) {
        oids.forEach((oid, index) => {
          if (rejected.some((rejection) => rejection.index === index)) return;
          const before = acceptedAt.get(oid);
          if (before !== undefined && before !== height)
            report(`${member}'s block ${height} accepts ${oid}, which block ${before} accepts`);
          acceptedAt.set(oid, height);
        });
      }
    },
  };
};

/** Every verdict in a block is the true one: nothing compliant is rejected, nothing else accepted (D5, D6). */
export const verdicts: CheckerFactory = ({ report, verdictOf }) => {
  const judged = new Set<string>();
  return {
    name: 'verdicts',
    confirmed(member, { height, hash, entries }) {
      if (judged.has(hash)) return;
      judged.add(hash);
      for (const { oids, rejected } of entries) {
        oids.forEach((oid, index) => {
          const given = rejected.find((rejection) => rejection.index === index)?.reason ?? null;
          const truth = verdictOf(oid);
          if (given === null ? truth !== null : truth === null && given !== 'duplicate-oid') {
            report(
              `${member}'s block ${height} says ${given ?? 'accepted'} of ${oid}; the truth is ${truth ?? 'compliant'}`,
            );
          }
        });
      }
    },
  };
};

/**
 * Held back: a department that holds a center's receipt does not sign that center's blocks beyond the limit while its submission is left out.
 * Judged on the first time an acknowledgement is sent; by the block's own records, once it is confirmed.
 */
export const heldBack: CheckerFactory = ({ report, inclusionBlocks }) => {
  const receipts = new Map<string, SubmissionReceipt[]>();
  const sentAcks = new Set<string>();
  const overdue = new Map<string, { readonly department: string; readonly receipt: SubmissionReceipt }[]>();
  const included = new Map<string, number>();
  let top = 0;
  return {
    name: 'held-back',
    receiptTaken(department, receipt) {
      const held = receipts.get(department) ?? [];
      held.push(receipt);
      receipts.set(department, held);
    },
    sent(member, message) {
      const ack = message.type === 'append-reply' ? message.ack : null;
      if (ack === null || sentAcks.has(ack.signature)) return;
      sentAcks.add(ack.signature);
      for (const receipt of receipts.get(member) ?? []) {
        if (receipt.center !== message.to || receipt.term !== ack.term) continue;
        if (ack.height <= receipt.height + inclusionBlocks) continue;
        const place = `${ack.height}/${ack.root}`;
        overdue.set(place, [...(overdue.get(place) ?? []), { department: member, receipt }]);
      }
    },
    confirmed(_member, { height, entries, root }) {
      if (height !== top + 1) return;
      top = height;
      for (const { department, seq } of entries) {
        included.set(department, Math.max(included.get(department) ?? 0, seq));
      }
      for (const [department, held] of receipts) {
        const last = included.get(department) ?? 0;
        receipts.set(
          department,
          held.filter(({ seq }) => seq > last),
        );
      }
      for (const { department, receipt } of overdue.get(`${height}/${root}`) ?? []) {
        if ((included.get(department) ?? 0) >= receipt.seq) continue;
        report(
          `${department} signed block ${height} without its ${receipt.seq}, receipted at height ${receipt.height}`,
        );
      }
    },
  };
};
