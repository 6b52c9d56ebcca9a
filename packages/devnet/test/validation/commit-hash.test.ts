import { common } from '@hyperledger/fabric-protos';
import { UpdateBatch } from '../../src/validation/update-batch.ts';
import { commitHash } from '../../src/validation/commit-hash.ts';
import { openPeerLedger } from '../../src/ledger/index.ts';
import { TestChain } from '../support/test-chain.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

function slot(block: common.Block | undefined): Uint8Array | undefined {
  const bytes = block?.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.COMMIT_HASH];
  return bytes === undefined ? undefined : common.Metadata.deserializeBinary(bytes).getValue_asU8();
}

test('peers that committed the same blocks have the same commit hash, block 0 has none', async () => {
  const chain = await TestChain.create();
  const other = await openPeerLedger({ dir: await temporaryFolder(), genesisBlock: chain.channel.genesisBlock });
  const definition = await chain.ledger.getBlock(1n);
  const theirs = [await other.commit(definition?.block ?? new common.Block())];
  for (let i = 0; i < 3; i++) {
    const block = chain.block([chain.write('a', String(i)).envelope.serializeBinary()]);
    await chain.commitBlock(block);
    theirs.push(await other.commit(block));
  }
  expect(slot((await chain.ledger.getBlock(0n))?.block)).toEqual(new Uint8Array());
  for (const { number, block } of theirs) {
    const ours = slot((await chain.ledger.getBlock(number))?.block);
    expect(ours).toHaveLength(32);
    expect(slot(block)).toEqual(ours);
  }
  await chain.reopen();
  const next = chain.block([chain.write('b', 'x').envelope.serializeBinary()]);
  expect(slot((await chain.commitBlock(next)).block)).toEqual(slot((await other.commit(next)).block));
  await chain.ledger.close();
  await other.close();
});

test('the hash depends on flags, keys, values, versions, deletions and the hash before', () => {
  const version = { blockNumber: 300n, txNumber: 1n };
  const batch = (value: string | undefined, key = 'k', namespace = 'ns', at = version) => {
    const updates = new UpdateBatch();
    updates.put(namespace, key, {
      value: value === undefined ? undefined : Buffer.from(value),
      metadata: undefined,
      version: at,
    });
    return updates;
  };
  const previous = Buffer.alloc(32, 7);
  const hash = (updates: UpdateBatch, flags = [0], before: Uint8Array = previous) =>
    Buffer.from(commitHash(Uint8Array.from(flags), updates, before)).toString('hex');
  const hashes = [
    hash(batch('v')),
    hash(batch('w')),
    hash(batch(undefined)),
    hash(batch('v', 'l')),
    hash(batch('v', 'k', 'ms')),
    hash(batch('v', 'k', 'ns', { blockNumber: 300n, txNumber: 2n })),
    hash(batch('v'), [1]),
    hash(batch('v'), [0, 0]),
    hash(batch('v'), [0], Buffer.alloc(32, 8)),
    hash(new UpdateBatch()),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  // The configuration in the empty namespace does not count.
  expect(hash(batch('v', 'k', ''))).toBe(hash(new UpdateBatch()));
});
