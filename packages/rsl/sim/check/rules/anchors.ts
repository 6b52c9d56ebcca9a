import type { CheckerFactory } from '../checker.ts';

/** Anchors are monotone: no height twice or left out, term and epoch never back; what is anchored is what members confirmed (D7, D12). */
export const anchors: CheckerFactory = ({ report, chain, honestWorld }) => {
  const anchored = new Map<number, string>();
  let last = 0;
  let term = 0;
  let epoch = 0;
  return {
    name: 'anchors',
    anchor(anchor) {
      if (anchor.first !== last + 1 || anchor.last < anchor.first) {
        report(`the chain holds anchors up to ${last} and took one from ${anchor.first} to ${anchor.last}`);
      }
      if (anchor.term < term || anchor.epoch < epoch)
        report(`the anchor of height ${anchor.last} goes back in term or epoch`);
      last = anchor.last;
      term = anchor.term;
      epoch = anchor.epoch;
      anchored.set(anchor.last, anchor.hash);
      const confirmed = chain.get(anchor.last);
      if (confirmed !== undefined && confirmed.hash !== anchor.hash) {
        report(`the chain took another header for height ${anchor.last} than members had confirmed`);
      }
    },
    confirmed(member, { height, hash }) {
      const before = anchored.get(height);
      if (before !== undefined && before !== hash)
        report(`${member} confirmed another header at ${height} than is anchored`);
    },
    anchorRefused(center, height, reason) {
      if (reason === 'certificate-invalid') report(`${center} wanted to anchor height ${height}: ${reason}`);
    },
    mismatch(member, height) {
      if (honestWorld) report(`${member} holds another header than the chain at height ${height}`);
    },
  };
};
