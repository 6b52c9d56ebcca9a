import type { BlockFact } from '../facts.ts';
import type { CheckerFactory } from '../checker.ts';

/** Agreement: the records at a height are the same for every honest member that confirmed it. */
export const agreement: CheckerFactory = ({ report }) => {
  const roots = new Map<number, { root: string; member: string }>();
  return {
    name: 'agreement',
    confirmed(member, { height, root }) {
      const before = roots.get(height);
      if (before === undefined) roots.set(height, { root, member });
      else if (before.root !== root)
        report(`${member} confirmed other records at height ${height} than ${before.member}`);
    },
  };
};

/** One confirmed header per height, over all members and for ever: neither term nor timestamp nor anything else differs. */
export const oneHeader: CheckerFactory = ({ report }) => {
  const hashes = new Map<number, { hash: string; member: string }>();
  return {
    name: 'one-header',
    confirmed(member, { height, hash }) {
      const before = hashes.get(height);
      if (before === undefined) hashes.set(height, { hash, member });
      else if (before.hash !== hash)
        report(`${member} confirmed another header at height ${height} than ${before.member}`);
    },
  };
};

/** Prefix: a member confirms height after height, each block naming the one that it confirmed below, and never takes one back. */
export const prefix: CheckerFactory = ({ report }) => {
  const chains = new Map<string, Map<number, string>>();
  const tops = new Map<string, number>();
  return {
    name: 'prefix',
    confirmed(member, { height, hash, prev }) {
      let chain = chains.get(member);
      if (chain === undefined) chains.set(member, (chain = new Map<number, string>()));
      const top = tops.get(member) ?? 0;
      const before = chain.get(height);
      if (before !== undefined && before !== hash) report(`${member} took back the block at height ${height}`);
      if (height > top + 1) report(`${member} confirmed height ${height} after ${top}`);
      const below = height === 1 ? '' : chain.get(height - 1);
      if (below !== undefined && below !== prev)
        report(`${member}'s block ${height} does not name its block ${height - 1}`);
      chain.set(height, hash);
      tops.set(member, Math.max(top, height));
    },
    snapshot(member, { height, seals }) {
      const chain = chains.get(member) ?? new Map<number, string>();
      chains.set(member, chain);
      const hash = seals[0]?.hash ?? '';
      const before = chain.get(height);
      if (before !== undefined && before !== hash) report(`${member} took a snapshot that takes back height ${height}`);
      if ((tops.get(member) ?? 0) > height) report(`${member} took a snapshot below what it had confirmed`);
      chain.set(height, hash);
      tops.set(member, Math.max(tops.get(member) ?? 0, height));
    },
  };
};

/**
 * No acknowledged record is lost, also before its block is confirmed: what an honest center sealed stays decided. Where departments are in league
 * with a lying center this holds for confirmed blocks alone, and is not judged.
 */
export const acknowledgedKept: CheckerFactory = ({ report, isHonest, hasColluders }) => {
  const sealed = new Map<number, { root: string; center: string; term: number }>();
  const judge = (member: string, { height, root, center, term }: BlockFact, what: string): void => {
    if (hasColluders) return;
    const before = sealed.get(height);
    if (before !== undefined && before.root !== root && term >= before.term) {
      report(`${member} ${what} height ${height} without the records that ${before.center} had sealed there`);
    }
    const isPromise = member === center && isHonest(center);
    if (isPromise && (before === undefined || term > before.term)) sealed.set(height, { root, center, term });
  };
  return {
    name: 'acknowledged-kept',
    sealed: (member, block) => judge(member, block, 'sealed'),
    confirmed: (member, block) => judge(member, block, 'confirmed'),
  };
};
