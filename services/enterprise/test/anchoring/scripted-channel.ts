import { WaymarkError, type ErrorCode, type ErrorDetails } from '@waymark/protocol';
import { decodeAnchor, decodeConfiguration, type Anchor } from '@waymark/rsl';
import type { AnchorContract, AnchorOutcome, CommittedAnchor } from '@waymark/service-kit';

/** A range as a scripted channel keeps it. */
export interface KeptRange {
  readonly first: number;
  readonly last: number;
  readonly hash: string;
  readonly term: number;
}

/** The chaincode's rules on continuity, terms and epochs, without its proofs; faults where a test asks for them. */
export interface ScriptedChannel extends Pick<AnchorContract, 'anchor' | 'configure' | 'head'> {
  readonly ranges: KeptRange[];
  readonly configured: number[];
  /** Anchors that carried an election. */
  readonly elections: number[];
  /** Everything that was submitted, also what was refused. */
  readonly calls: Anchor[];
  /** Called when a call comes in, and after it was committed: throws what the caller is to see. */
  before: (anchor: Anchor) => void | Promise<void>;
  after: (anchor: Anchor) => void | Promise<void>;
  readonly replica: {
    ledgerHead: () => {
      msp: string;
      last: number;
      hash: string | null;
      term: number;
      center: string | null;
      epoch: number;
    };
    anchorCovering: () => CommittedAnchor | undefined;
  };
  /** Puts an anchor there that nobody sent. */
  plant(range: KeptRange & { readonly center: string }): void;
}

const refusal = (code: ErrorCode, details: ErrorDetails): WaymarkError =>
  new WaymarkError(code, 'refused', { details, cause: new Error('chaincode') });

export function createScriptedChannel(): ScriptedChannel {
  let center: string | null = null;
  const headOf = () => {
    const top = channel.ranges.at(-1);
    return { last: top?.last ?? 0, hash: top?.hash ?? null, term: top?.term ?? 0, center };
  };
  const commit = (anchor: Anchor): AnchorOutcome => {
    const { first, last, root, term, seals, election } = anchor;
    const [seal] = seals;
    if (seal === undefined) throw new Error('no seal');
    const head = headOf();
    const existing = channel.ranges.find((range) => range.last === last);
    const isSame = existing?.first === first && existing.hash === seal.hash;
    if (existing !== undefined && !isSame) throw refusal('conflict', { last, reason: 'anchored' });
    if (existing === undefined) {
      const expected = head.last + 1;
      if (first !== expected)
        throw refusal(first < expected ? 'conflict' : 'sequence-gap', {
          expected,
          first,
          reason: first < expected ? 'anchored' : 'missing',
        });
      const bottom = anchor.opening?.header ?? seal.header;
      if (bottom.prev !== (head.hash ?? '')) throw refusal('sequence-gap', { first, reason: 'prev' });
      if (term < head.term) throw refusal('conflict', { reason: 'term-stale' });
      if (term > head.term && election === null) throw refusal('role-not-permitted', { reason: 'not-elected' });
      if (term === head.term && center !== anchor.center)
        throw refusal('role-not-permitted', { reason: 'not-the-center' });
      if (term === head.term && election !== null) throw refusal('input-invalid', { place: 'anchor.election' });
      if (seals.some(({ header }) => header.epoch > channel.configured.length + 1))
        throw refusal('sequence-gap', { reason: 'configuration' });
      if (election !== null) channel.elections.push(term);
      channel.ranges.push({ first, last, hash: seal.hash, term });
      ({ center } = anchor);
    }
    return {
      txId: `tx-${String(channel.calls.length)}`,
      blockNumber: BigInt(channel.ranges.length),
      repeated: existing !== undefined,
      anchor: {
        v: 1,
        msp: 'Org1MSP',
        first,
        last,
        hash: seal.hash,
        prev: head.hash,
        root,
        term,
        center: anchor.center,
        epoch: seal.header.epoch,
        blockTerm: seal.header.term,
        timestamp: '',
        node: anchor.center,
        txId: 'tx',
      },
    };
  };
  const channel: ScriptedChannel = {
    ranges: [],
    configured: [],
    elections: [],
    calls: [],
    before: () => undefined,
    after: () => undefined,
    head: () => Promise.resolve({ ...headOf(), configuredEpoch: channel.configured.length + 1 }),
    async anchor(bytes) {
      const anchor = decodeAnchor(bytes);
      channel.calls.push(anchor);
      await channel.before(anchor);
      const outcome = commit(anchor);
      await channel.after(anchor);
      return outcome;
    },
    configure(bytes) {
      const { configuration } = decodeConfiguration(bytes);
      if (configuration.epoch === channel.configured.length + 2) channel.configured.push(configuration.epoch);
      return Promise.resolve({ txId: 'tx', blockNumber: 1n, repeated: false });
    },
    replica: {
      ledgerHead: () => ({ msp: 'Org1MSP', ...headOf(), epoch: 1 }),
      anchorCovering: () => undefined,
    },
    plant({ center: by, ...range }) {
      channel.ranges.push(range);
      center = by;
    },
  };
  return channel;
}
