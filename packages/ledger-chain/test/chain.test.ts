import { join } from 'node:path';
import { verifyRecordProof, decodeRecordProof, encodeRecordProof, openLedgerChain } from '../src/index.ts';
import { newFolder } from './support/folders.ts';
import { channel, createTestLedger, ledgerName, storedAnchor, type TestLedger } from './support/test-ledger.ts';

let ledger: TestLedger;
let own: readonly string[];

beforeAll(async () => {
  ledger = await createTestLedger();
  own = ledger.submit('outlet-1', 5, [2]);
  ledger.submit('outlet-2', 3);
  ledger.submit('outlet-1', 1);
});

const openChain = async (folder?: string) =>
  openLedgerChain({
    folder: join(folder ?? (await newFolder()), 'chain'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });

test('what was applied is found again, with its verdicts', async () => {
  const chain = await openChain();
  await chain.apply(ledger.blocks);
  expect(chain.height).toBe(ledger.blocks.length);
  expect(own.map((oid) => chain.isRecorded(oid))).toEqual([true, true, false, true, true]);
  const place = chain.findRecord(own[2] as string);
  expect(place).toMatchObject({ department: 'outlet-1', seq: 1, index: 2, reason: 'schema-invalid' });
  for (const { candidate, seal } of ledger.blocks) {
    const block = await chain.block(candidate.height);
    expect(block.candidate).toEqual(candidate);
    expect(block.seal).toEqual(seal);
  }
  await chain.close();
});

test('a record is proven by seals, and under its anchor once there is one', async () => {
  const chain = await openChain();
  await chain.apply(ledger.blocks);
  const oid = own[1] as string;
  const checks = {
    channel,
    ledger: ledgerName,
    oid: Buffer.from(oid, 'hex'),
    members: { crypto: ledger.crypto, configurations: [ledger.first] },
  };
  const bySeals = await chain.proveRecord(oid, { confirmation: ledger.confirmation });
  expect(verifyRecordProof(bySeals, null, checks).state).toBe('confirmed');
  const anchor = storedAnchor(ledger.anchorOf(1, 3), ledger.blocks);
  chain.markAnchored(anchor);
  const proof = decodeRecordProof(encodeRecordProof(await chain.proveRecord(oid)));
  expect(verifyRecordProof(proof, anchor, checks)).toMatchObject({ state: 'anchored', rejected: null });
  await chain.close();
});
