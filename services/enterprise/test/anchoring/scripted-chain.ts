import { cidOfRaw } from '@waymark/protocol';
import { createCrypto, type Configuration, type Header, type Seal, type VoteCertificate } from '@waymark/rsl';
import type { RelayChain, RelayMember } from '../../src/anchoring/ports.ts';

export const ledger = 'Org1MSP/waymark';
export const crypto = createCrypto({
  bodyId: () => body,
  signBytes: () => 'AA',
  verifyBytes: () => true,
});
const body = cidOfRaw(Buffer.from('body')).toString();
export const first: Configuration = {
  epoch: 1,
  members: ['center-1', 'center-2', 'department-1', 'department-2'],
  learners: [],
  eligible: ['center-1', 'center-2'],
  profile: { center: 'lying', colluding: 0 },
};

/** A chain of confirmed blocks that a test makes longer, and the center's office. */
export interface ScriptedChain {
  readonly chain: RelayChain;
  readonly headers: Header[];
  /** Adds confirmed blocks. @param change to each header */
  grow(count: number, change?: Partial<Header>): void;
  /** Adds a block that brings the next epoch's members, and goes on in that epoch. */
  change(): void;
  /** Blocks above the confirmed ones, which confirm them. */
  member(
    id: string,
    office: { readonly center: boolean; readonly term: number; readonly election: boolean },
  ): RelayMember;
}

export function createScriptedChain(): ScriptedChain {
  const headers: Header[] = [];
  const configurations = new Map<number, { height: number; configuration: Configuration }>();
  let epoch = 1;
  const next = (below: Header | undefined, change: Partial<Header> = {}): Header => ({
    version: 1,
    ledger,
    epoch,
    height: (below?.height ?? 0) + 1,
    term: below?.term ?? 1,
    prev: below === undefined ? '' : crypto.headerHash(below),
    departments: '11'.repeat(32),
    root: '22'.repeat(32),
    accepted: 1,
    rejected: 0,
    timestampMs: 1_767_225_600_000,
    body,
    ...change,
  });
  const sealOf = (header: Header): Seal => ({
    header,
    hash: crypto.headerHash(header),
    center: 'center-1',
    certificate: [],
    signature: 'AA',
  });
  const scripted: ScriptedChain = {
    headers,
    chain: {
      height: () => headers.length,
      header(height) {
        const header = headers[height - 1];
        if (header === undefined) throw new Error(`no block ${String(height)}`);
        return header;
      },
      configuration: (of) => configurations.get(of) ?? null,
    },
    grow(count, change) {
      for (let added = 0; added < count; added += 1) headers.push(next(headers.at(-1), change));
    },
    change() {
      scripted.grow(1, { accepted: 0 });
      epoch += 1;
      configurations.set(epoch, { height: headers.length, configuration: { ...first, epoch } });
    },
    member: (id, office) => ({
      id,
      crypto,
      isCenter: () => office.center,
      term: () => office.term,
      confirmation(height) {
        const bottom = headers[height - 1];
        if (bottom === undefined) return null;
        const proof = [bottom];
        while (proof.length < 3) {
          const below = proof.at(-1);
          proof.push(headers[height - 1 + proof.length] ?? next(below));
        }
        return proof.map(sealOf);
      },
      election: (): VoteCertificate | null =>
        office.election
          ? { epoch, term: office.term, center: id, base: null, votes: [vote(id, office.term, epoch)] }
          : null,
    }),
  };
  return scripted;
}

function vote(candidate: string, term: number, epoch: number): VoteCertificate['votes'][number] {
  const logEnd = { sealed: { height: 0, term: 0, hash: '' }, candidate: null };
  return { ledger, epoch, term, candidate, voter: 'department-1', logEnd, signature: 'AA' };
}
