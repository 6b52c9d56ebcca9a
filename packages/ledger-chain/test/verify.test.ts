import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { SealedBlock } from '@waymark/rsl';
import { type LedgerChain, openLedgerChain, verifyChain } from '../src/index.ts';
import { blockProblems, walkFrom, walkOn } from '../src/verify/check-block.ts';
import { newFolder } from './support/folders.ts';
import { createTestLedger, ledgerName, storedAnchor, type TestLedger } from './support/test-ledger.ts';

let ledger: TestLedger;
let rewritten: TestLedger;

const fill = (each: TestLedger): void => {
  each.submit('outlet-1', 4, [1]);
  each.submit('outlet-2', 3);
  each.handOver();
  each.submit('outlet-1', 2);
  each.submit('outlet-2', 1);
};

beforeAll(async () => {
  ledger = await createTestLedger();
  fill(ledger);
  rewritten = await createTestLedger({ rewriting: ledger });
  fill(rewritten);
});

const open = (folder: string): Promise<LedgerChain> =>
  openLedgerChain({ folder, ledger: ledgerName, bodyCipher: ledger.bodyCipher });
const checksOf = (anchors: Parameters<typeof verifyChain>[1]['anchors'] = []) => ({
  configuration: ledger.first,
  crypto: ledger.crypto,
  anchors,
});
const codes = async (chain: LedgerChain, anchors: Parameters<typeof verifyChain>[1]['anchors'] = []) => [
  ...new Set((await verifyChain(chain, checksOf(anchors))).problems.map(({ code }) => code)),
];

test('a chain that grew under two centers is found whole, with the anchors that it has', async () => {
  const chain = await open(join(await newFolder(), 'chain'));
  await chain.apply(ledger.blocks);
  const anchors = [
    storedAnchor(ledger.anchorOf(1, 3), ledger.blocks),
    storedAnchor(ledger.anchorOf(4, 7), ledger.blocks),
  ];
  expect(await verifyChain(chain, checksOf(anchors))).toEqual({
    ledger: ledgerName,
    height: ledger.blocks.length,
    blocks: ledger.blocks.length,
    valid: true,
    problems: [],
  });
  await chain.close();
});

test('a history that was rewritten with all keys of the firm holds by itself, and is found by the anchors (D12)', async () => {
  const chain = await open(join(await newFolder(), 'chain'));
  await chain.apply(rewritten.blocks);
  expect(await codes(chain)).toEqual([]);
  const anchor = storedAnchor(ledger.anchorOf(1, 5), ledger.blocks);
  const { problems, valid } = await verifyChain(chain, checksOf([anchor]));
  expect(valid).toBe(false);
  expect(problems).toEqual([{ height: 5, code: 'anchor-mismatch', message: expect.any(String) as string }]);
  const { first, last, hash, txId } = anchor;
  expect(await codes(chain, [{ first, last, hash, txId }])).toEqual(['anchor-mismatch']);
  await chain.close();
});

/** Each thing that a block can say wrongly, and how it is found. */
const lies: readonly [string, (block: SealedBlock) => unknown][] = [
  ['previous-mismatch', ({ seal }) => Object.assign(seal.header, { prev: seal.header.body })],
  ['root-mismatch', ({ seal }) => Object.assign(seal.header, { root: '00'.repeat(32) })],
  ['count-mismatch', ({ seal }) => Object.assign(seal.header, { accepted: 99 })],
  ['timestamp-mismatch', ({ seal }) => Object.assign(seal.header, { timestampMs: seal.header.timestampMs + 1 })],
  ['departments-mismatch', ({ seal }) => Object.assign(seal.header, { departments: '00'.repeat(32) })],
  ['body-mismatch', ({ candidate }) => Object.assign(candidate, { salt: 'other' })],
  ['epoch-mismatch', ({ seal }) => Object.assign(seal.header, { epoch: 2 })],
  ['hash-mismatch', ({ seal }) => Object.assign(seal.header, { height: 99 })],
  ['height-gap', ({ seal }) => Object.assign(seal.header, { height: 99 })],
  ['no-quorum', ({ seal }) => Object.assign(seal, { certificate: seal.certificate.slice(0, 1) })],
  ['seal-signature-invalid', ({ seal, candidate }) => Object.assign(seal, { signature: candidate.signature })],
  ['candidate-signature-invalid', ({ seal, candidate }) => Object.assign(candidate, { signature: seal.signature })],
  ['center-removed', ({ seal }) => Object.assign(seal, { center: 'stranger' })],
  [
    'sequence-gap',
    ({ candidate: { content } }) =>
      content.kind === 'records' && Object.assign(content.audited[0]?.submission ?? {}, { seq: 9 }),
  ],
  [
    'submission-mismatch',
    ({ candidate: { content } }) =>
      content.kind === 'records' && Object.assign(content.audited[0]?.submission ?? {}, { department: 'outlet-2' }),
  ],
  [
    'submission-signature-invalid',
    ({ candidate: { content }, seal }) =>
      content.kind === 'records' && Object.assign(content.audited[0]?.submission ?? {}, { signature: seal.signature }),
  ],
  [
    'submission-root',
    ({ candidate: { content } }) =>
      content.kind === 'records' &&
      Object.assign(content.audited[0]?.submission.records[0] ?? {}, { leaf: new Uint8Array(32) }),
  ],
  [
    'verdict-invalid',
    ({ candidate: { content } }) =>
      content.kind === 'records' && Object.assign(content.audited[0] ?? {}, { rejected: [{ index: 9, reason: 'x' }] }),
  ],
];

test.each(lies)('a block is found wrong: %s', (code, lie) => {
  let state = walkFrom(ledger.first);
  for (const original of ledger.blocks) {
    const block = structuredClone(original);
    const isTarget = block.candidate.height > 1 && block.candidate.content.kind === 'records';
    if (isTarget) lie(block);
    const problems = blockProblems(ledger.crypto, state, block.candidate, block.seal);
    if (isTarget) {
      expect(problems).toContain(code);
      return;
    }
    expect(problems).toEqual([]);
    state = walkOn(state, block.candidate, block.seal);
  }
  throw new Error('no block with records');
});

test.each([
  ['a record is gone', 'DELETE FROM record WHERE oid = (SELECT min(oid) FROM record)', 'index-record'],
  [
    'a record is elsewhere',
    'UPDATE record SET place = place + 1 WHERE oid = (SELECT min(oid) FROM record)',
    'index-record',
  ],
  ['a record is added', `INSERT INTO record VALUES (zeroblob(32), 16384)`, 'index-surplus'],
  ['a rejection is gone', 'DELETE FROM rejection', 'index-submission'],
  ['a submission is another', `UPDATE submission SET hash = 'x' WHERE id = 1`, 'index-submission'],
  ['a sequence stands elsewhere', 'UPDATE cursor SET seq = seq + 1', 'index-cursor'],
  ['a block is gone', 'DELETE FROM block WHERE height = 3', 'missing-blocks'],
  [
    'a block is another',
    'UPDATE block SET seal = (SELECT seal FROM block WHERE height = 2) WHERE height = 3',
    'block-altered',
  ],
  [
    'a candidate signature is another',
    `UPDATE block SET candidate_signature = '' WHERE height = 3`,
    'candidate-signature-invalid',
  ],
  ['the end is another', `UPDATE chain SET height = height - 1`, 'tip-mismatch'],
])('the index says something else than the blocks: %s', async (_name, sql, code) => {
  const folder = join(await newFolder(), 'chain');
  const chain = await open(folder);
  await chain.apply(ledger.blocks);
  await chain.close();
  const database = new DatabaseSync(join(folder, 'index.db'));
  database.exec(sql);
  database.close();
  const again = await open(folder);
  expect(await codes(again)).toContain(code);
  await again.close();
});
