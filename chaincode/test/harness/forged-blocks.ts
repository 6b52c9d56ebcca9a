import { cidOfRaw } from '@waymark/protocol';
import {
  ackStatement,
  type Anchor,
  type Configuration,
  configurationStatement,
  type Header,
  makeAnchor,
  type Seal,
  sealStatement,
  type VoteCertificate,
  voteStatement,
} from '@waymark/rsl';
import type { TestLedger } from './private-ledger.ts';

/** Blocks that no honest core would make, sealed with the members' real keys: what members in league could hand in. */
export interface Forger {
  /** The next header on top of one, or the first. */
  header(below: Header | null, change?: Partial<Header>): Header;
  /** Sealed by a center, acknowledged by these. */
  seal(header: Header, center: string, by: readonly string[]): Seal;
  /** Blocks on top of each other, one a term given, all sealed alike. */
  chain(below: Header | null, terms: readonly number[], center: string, by: readonly string[]): Seal[];
  /** Votes of these members, whose last sealed block is `at`, or the base. */
  election(
    term: number,
    center: string,
    base: Seal | null,
    voters: readonly string[],
    change?: { readonly epoch?: number; readonly at?: Header },
  ): VoteCertificate;
  /** An anchor of the blocks below the seals and of the first seal's. */
  anchor(
    headers: readonly Header[],
    seals: readonly Seal[],
    office: { readonly center: string; readonly term: number; readonly election: VoteCertificate | null },
  ): Anchor;
  /** Root of a block that holds a configuration. */
  rootOf(configuration: Configuration): string;
}

export function createForger(ledger: TestLedger): Forger {
  const hashing = ledger.cryptoOf([...ledger.identities.keys()][0] ?? '');
  const body = cidOfRaw(Buffer.from('body')).toString();
  const forger: Forger = {
    header: (below, change = {}) => ({
      version: 1,
      ledger: ledger.name,
      epoch: below?.epoch ?? 1,
      height: (below?.height ?? 0) + 1,
      term: below?.term ?? 1,
      prev: below === null ? '' : hashing.headerHash(below),
      departments: '11'.repeat(32),
      root: '22'.repeat(32),
      accepted: 1,
      rejected: 0,
      timestampMs: 1_767_225_600_000,
      body,
      ...change,
    }),
    seal(header, center, by) {
      const sealed = { header, hash: hashing.headerHash(header), center };
      const statement = ackStatement({ ...header, count: header.accepted + header.rejected, ackTimeMs: 1 });
      const certificate = [...by].sort().map((member) => ({
        member,
        ackTimeMs: 1,
        signature: ledger.cryptoOf(member).sign(statement),
      }));
      return { ...sealed, certificate, signature: ledger.cryptoOf(center).sign(sealStatement(sealed)) };
    },
    chain(below, terms, center, by) {
      const seals: Seal[] = [];
      let top = below;
      for (const term of terms) {
        top = forger.header(top, { term });
        seals.push(forger.seal(top, center, by));
      }
      return seals;
    },
    election(term, center, base, voters, { epoch = base?.header.epoch ?? 1, at } = {}) {
      const place = at ?? base?.header;
      const sealed =
        place === undefined
          ? { height: 0, term: 0, hash: '' }
          : { height: place.height, term: place.term, hash: hashing.headerHash(place) };
      const votes = voters.map((voter) => {
        const vote = {
          ledger: ledger.name,
          epoch,
          term,
          candidate: center,
          voter,
          logEnd: { sealed, candidate: null },
        };
        return { ...vote, signature: ledger.cryptoOf(voter).sign(voteStatement(vote)) };
      });
      return { epoch, term, center, base, votes };
    },
    anchor: (headers, seals, office) => makeAnchor(ledger.cryptoOf(office.center), { headers, seals, ...office }),
    rootOf: (configuration) => hashing.merkleRoot([hashing.leafHash(configurationStatement(configuration))]),
  };
  return forger;
}
