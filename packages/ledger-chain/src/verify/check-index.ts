import type { ChainBlock, LedgerChain } from '../store/ledger-chain.ts';

/** Where the index says something else than a block. @returns reason codes */
export function indexProblems(
  chain: Pick<LedgerChain, 'findRecord' | 'submission'>,
  { height, candidate }: ChainBlock,
): readonly string[] {
  const { content } = candidate;
  if (content.kind !== 'records') return [];
  const problems = new Set<string>();
  for (const [item, { submission, rejected }] of content.audited.entries()) {
    const { department, seq, hash, records } = submission;
    const row = chain.submission(department, seq);
    const agrees =
      row?.height === height &&
      row.item === item &&
      row.hash === hash &&
      row.records === records.length &&
      JSON.stringify(row.rejected) === JSON.stringify(rejected.map(({ index, reason }) => ({ index, reason })));
    if (!agrees) problems.add('index-submission');
    const reasons = new Set(rejected.map(({ index }) => index));
    for (const [index, { oid }] of records.entries()) {
      if (reasons.has(index)) continue;
      const place = chain.findRecord(oid);
      if (place?.height === height && place.item === item && place.index === index && place.reason === null) continue;
      const isThere = content.audited[place?.item ?? -1]?.submission.records[place?.index ?? -1]?.oid === oid;
      const isEarlier = place !== null && (place.height < height || (place.height === height && isThere));
      problems.add(isEarlier ? 'duplicate-oid' : 'index-record');
    }
  }
  return [...problems];
}
