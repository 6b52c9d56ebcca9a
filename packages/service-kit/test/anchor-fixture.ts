import { createOrganisation } from '../../../chaincode/test/harness/consortium.ts';
import { createTestLedger, type TestLedger } from '../../../chaincode/test/harness/private-ledger.ts';
import type { Anchor, Header } from '@waymark/rsl';
import type { CommittedAnchor, CommittedReport, LedgerReplica } from '../src/index.ts';

/** A ledger, and what the same members could write in secret in its place. */
export async function createForkedLedgers(): Promise<{ readonly ledger: TestLedger; readonly rewritten: TestLedger }> {
  const organisation = await createOrganisation('Org1MSP');
  const ledger = await createTestLedger(organisation);
  const rewritten = await createTestLedger(organisation, { identities: ledger.identities });
  ledger.elect('center-1');
  rewritten.elect('center-1');
  for (let round = 0; round < 6; round += 1) {
    ledger.submit('department-1');
    rewritten.submit('department-2');
  }
  return { ledger, rewritten };
}

/** An anchor as the replica gives it. */
export function committed({ first, last, root, term, center, seals, opening }: Anchor): CommittedAnchor {
  const [top] = seals;
  if (top === undefined) throw new Error('no seal');
  const bottom = opening?.header ?? top.header;
  return {
    msp: 'Org1MSP',
    first,
    last,
    hash: top.hash,
    prev: bottom.prev === '' ? null : bottom.prev,
    root,
    term,
    center,
    epoch: top.header.epoch,
    blockTerm: top.header.term,
    timestamp: new Date(top.header.timestampMs).toISOString(),
    node: center,
    txId: `tx-${String(last)}`,
    blockNumber: BigInt(last),
  };
}

/** The part of a replica that the watch needs, fed by a test. */
export function createAnchorFeed() {
  const anchors: CommittedAnchor[] = [];
  const listeners = new Set<(anchor: CommittedAnchor) => void>();
  const reportListeners = new Set<(report: CommittedReport) => void>();
  const replica: Pick<LedgerReplica, 'anchors' | 'ledgerHead' | 'onAnchor' | 'onReport'> = {
    anchors: (_msp, from, limit) => anchors.filter(({ last }) => last >= from).slice(0, limit),
    ledgerHead: (msp) => {
      const top = anchors.at(-1);
      return { msp, last: top?.last ?? 0, hash: top?.hash ?? null, term: 1, center: null, epoch: 1 };
    },
    onAnchor: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onReport: (listener) => {
      reportListeners.add(listener);
      return () => void reportListeners.delete(listener);
    },
  };
  return {
    replica,
    add(anchor: CommittedAnchor): void {
      anchors.push(anchor);
      for (const listener of listeners) listener(anchor);
    },
  };
}

/** The headers of a ledger's confirmed blocks. */
export function headersOf(ledger: TestLedger): Header[] {
  return Array.from({ length: ledger.confirmed() }, (_, index) => ledger.block(index + 1).seal.header);
}
