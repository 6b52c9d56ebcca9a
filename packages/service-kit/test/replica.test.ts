import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createMetrics, openReplica, type CommittedEvidence, type Replica, type ReplicaOptions } from '../src/index.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';
import { write } from './channel-writes.ts';
import { createOutlet, FakeChannel, FakeContent, nodeWrite } from './replica-fixture.ts';

const running: Replica[] = [];
afterEach(async () => {
  for (const replica of running.splice(0)) await replica.stop();
});
afterAll(removeFolders);

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const digest = 'ab'.repeat(32);

interface Setup {
  readonly channel?: FakeChannel;
  readonly content?: FakeContent;
  readonly path?: string;
  readonly options?: Partial<ReplicaOptions>;
}

function openOn({ channel = new FakeChannel(), content = new FakeContent(), path, options }: Setup = {}) {
  const file = path ?? join(temporaryFolder(), 'replica.sqlite');
  const log = captureLog();
  const replica = openReplica({
    path: file,
    ledger: channel,
    content,
    logger: log.logger,
    reconnect: { baseMs: 5, maxMs: 20 },
    leafRetryMs: 5,
    ...options,
  });
  running.push(replica);
  return { channel, content, replica, file, log };
}

async function close(replica: Replica): Promise<void> {
  running.splice(running.indexOf(replica), 1);
  await replica.stop();
}

/** Waits until something is so, looking whenever the event loop has had a turn. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('did not come to be');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('evidence, records and nodes of valid transactions are found', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  const batch = outlet.batch(5);
  const token = new Uint8Array(32).fill(7);
  await replica.start();
  channel.add([
    { writes: [nodeWrite('outlet-1', 'registered', [{ digest, state: 'valid' }])] },
    { writes: [batch.write], txId: 'tx-1' },
    { writes: [write('organisation', ['Org1MSP'], { v: 1, mspId: 'Org1MSP', role: 'carrier', by: 'hash' })] },
  ]);
  await replica.waitForBlock(1n);
  expect(replica.evidence(batch.id)).toEqual(batch.evidence);
  expect(replica.committed(batch.id)).toMatchObject({
    txId: 'tx-1',
    blockNumber: 1n,
    batchHash: batch.evidence.batchHash,
  });
  expect(replica.node('Org1MSP', 'outlet-1')).toMatchObject({ kind: 'outlet', state: 'registered' });
  expect(replica.organisation('Org1MSP')).toEqual({ mspId: 'Org1MSP', role: 'carrier' });

  await replica.waitForLeaves();
  for (const [leafIndex, { recordOid, cid }] of batch.leaves.entries()) {
    const hit = replica.findByOid(recordOid);
    expect(hit).toMatchObject({ evidenceId: batch.id, leafIndex });
    expect(hit?.cid.equals(cid)).toBe(true);
  }
  replica.addTokens(batch.leaves.slice(0, 2).map(({ recordOid }) => ({ recordOid, tokens: [token] })));
  expect(replica.findByToken(token, 10).map(({ recordOid }) => hex(recordOid))).toEqual(
    batch.leaves.slice(0, 2).map(({ recordOid }) => hex(recordOid)),
  );
  expect(replica.findByToken(token, 1)).toHaveLength(1);
  expect(replica.findByOid(new Uint8Array(32))).toBeUndefined();
  expect(replica.state).toMatchObject({
    phase: 'following',
    blockNumber: 1n,
    evidence: 1,
    leaves: 5,
    pendingBatches: 0,
  });
});

test('a file of an earlier version is read anew from the channel, and keeps its tokens', async () => {
  const { channel, content, replica, file } = openOn();
  const batch = (await createOutlet(content)).batch(2);
  const token = new Uint8Array(32).fill(9);
  await replica.start();
  channel.add([{ writes: [batch.write] }]);
  await replica.waitForBlock(1n);
  await replica.waitForLeaves();
  replica.addTokens(batch.leaves.map(({ recordOid }) => ({ recordOid, tokens: [token] })));
  await close(replica);
  const database = new DatabaseSync(file);
  database.exec('DROP TABLE anchor; DROP TABLE private_ledger; PRAGMA user_version = 1');
  database.close();
  const migrated = openOn({ path: file, channel, content }).replica;
  await migrated.start();
  await migrated.waitForBlock(1n);
  await migrated.waitForLeaves();
  expect(migrated.findByToken(token, 10)).toHaveLength(2);
  expect(migrated.ledgerHead('Org1MSP')).toBeUndefined();
});

test('invalid transactions and other chaincodes change nothing', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  const [invalid, foreign] = [outlet.batch(1), outlet.batch(1)];
  await replica.start();
  channel.add([
    { writes: [invalid.write], valid: false },
    { writes: [{ ...foreign.write, namespace: 'other' }] },
    { writes: [{ ...foreign.write, key: 'plain' }] },
    { writes: [write('proposal', ['x'], 'not even JSON')] },
  ]);
  await replica.waitForBlock(1n);
  expect(replica.state).toMatchObject({ evidence: 0, phase: 'following' });
});

test('a revocation counts from its block on, for the certificate or for the node', async () => {
  const { channel, replica } = openOn();
  await replica.start();
  const other = 'cd'.repeat(32);
  channel.add([
    {
      writes: [
        nodeWrite('a', 'registered', [
          { digest, state: 'valid' },
          { digest: other, state: 'valid' },
        ]),
      ],
    },
    { writes: [nodeWrite('b', 'registered', [{ digest, state: 'valid' }])] },
  ]);
  await replica.waitForBlock(1n);
  expect(replica.isRevoked('Org1MSP', 'a', digest)).toBe(false);
  channel.add([
    {
      writes: [
        nodeWrite('a', 'registered', [
          { digest, state: 'revoked' },
          { digest: other, state: 'valid' },
        ]),
      ],
    },
    { writes: [nodeWrite('b', 'revoked', [{ digest, state: 'valid' }])] },
  ]);
  await replica.waitForBlock(2n);
  expect(replica.isRevoked('Org1MSP', 'a', digest)).toBe(true);
  expect(replica.isRevoked('Org1MSP', 'a', other)).toBe(false);
  expect(replica.isRevoked('Org1MSP', 'b', digest)).toBe(true);
  expect(replica.isRevoked('Org1MSP', 'b', other)).toBe(true);
  expect(replica.node('Org1MSP', 'c')).toBeUndefined();
});

test('listeners hear of new evidence once it is on disk, in order', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  const heard: CommittedEvidence[] = [];
  const end = replica.onEvidence((committed) => {
    expect(replica.committed(`Org1MSP/outlet-1/${committed.evidence.seq}`)).toBeDefined();
    heard.push(committed);
  });
  await replica.start();
  channel.add([{ writes: [outlet.batch(1).write] }, { writes: [outlet.batch(1).write] }]);
  channel.add([{ writes: [outlet.batch(1).write] }]);
  await replica.waitForBlock(2n);
  end();
  channel.add([{ writes: [outlet.batch(1).write] }]);
  await replica.waitForBlock(3n);
  expect(heard.map(({ evidence, blockNumber }) => [evidence.seq, blockNumber])).toEqual([
    [1, 1n],
    [2, 1n],
    [3, 2n],
  ]);
});

test('it goes on after a restart where it was, without gap or repetition', async () => {
  const channel = new FakeChannel();
  const content = new FakeContent();
  const path = join(temporaryFolder(), 'replica.sqlite');
  const outlet = await createOutlet(content);
  const batches = [];
  for (let round = 0; round < 4; round += 1) {
    const { replica } = openOn({ channel, content, path });
    const heard: number[] = [];
    replica.onEvidence(({ evidence }) => heard.push(evidence.seq));
    await replica.start();
    for (let n = 0; n < 3; n += 1) {
      const batch = outlet.batch(2);
      batches.push(batch);
      channel.add([{ writes: [batch.write] }]);
    }
    await replica.waitForBlock(channel.height - 1n);
    expect(heard).toEqual([round * 3 + 1, round * 3 + 2, round * 3 + 3]);
    await replica.waitForLeaves();
    expect(replica.state).toMatchObject({ evidence: batches.length, leaves: batches.length * 2 });
    await close(replica);
  }
  expect(channel.asked).toEqual([0n, 3n, 6n, 9n]);
});

test('while the channel is away it tries again, later and later, and then goes on', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  await replica.start();
  await replica.waitForBlock(0n);
  channel.goAway();
  await until(() => channel.asked.length >= 4);
  expect(replica.state.phase).toBe('reconnecting');
  channel.add([{ writes: [outlet.batch(1).write] }]);
  channel.comeBack();
  await replica.waitForBlock(1n);
  expect(replica.state).toMatchObject({ phase: 'following', evidence: 1 });
});

test('a gap is refused, and nothing of the block is taken', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  await replica.start();
  await replica.waitForBlock(0n);
  const missing = channel.nextBlock([]);
  const later = { ...channel.nextBlock([{ writes: [outlet.batch(1).write] }]), number: 2n, previousHash: missing.hash };
  channel.blocks.push(later);
  channel.goAway();
  channel.comeBack();
  await until(() => replica.state.phase === 'refusing');
  expect(replica.state).toMatchObject({ blockNumber: 0n, evidence: 0 });
  channel.blocks[1] = missing;
  channel.blocks[2] = later;
  await replica.waitForBlock(2n);
  expect(replica.state).toMatchObject({ phase: 'following', evidence: 1 });
});

test('a channel that is not the one it was read from is refused', async () => {
  const path = join(temporaryFolder(), 'replica.sqlite');
  const first = openOn({ channel: new FakeChannel('one'), path });
  await first.replica.start();
  first.channel.add([]);
  await first.replica.waitForBlock(1n);
  await close(first.replica);

  const other = new FakeChannel('another');
  other.add([]);
  other.add([]);
  const { replica, log } = openOn({ channel: other, path });
  await replica.start();
  await until(() => replica.state.phase === 'refusing');
  expect(replica.state.blockNumber).toBe(1n);
  expect(log.text()).toMatch(/does not continue/);
});

test('a value in an unknown form stops it rather than hiding a revocation', async () => {
  const { channel, replica } = openOn();
  await replica.start();
  channel.add([{ writes: [write('node', ['Org1MSP', 'a'], { v: 2, mspId: 'Org1MSP', enrolmentId: 'a' })] }]);
  await until(() => replica.state.phase === 'refusing');
  expect(replica.state.blockNumber).toBe(0n);
});

test.each([
  ['the key names another outlet', ['Org1MSP', 'outlet-2', '0000000000000001']],
  ['the key has a part more', ['Org1MSP', 'outlet-1', '0000000000000001', 'x']],
])('evidence whose value does not fit its key (%s) stops it', async (_name, parts) => {
  const { channel, content, replica } = openOn();
  const batch = (await createOutlet(content)).batch(1);
  await replica.start();
  channel.add([{ writes: [write('evidence', parts, batch.evidence)] }]);
  await until(() => replica.state.phase === 'refusing');
});

test('batches that cannot be read yet wait in the file, also over a restart, and the others do not wait for them', async () => {
  const channel = new FakeChannel();
  const content = new FakeContent();
  const path = join(temporaryFolder(), 'replica.sqlite');
  const outlet = await createOutlet(content);
  const [missing, there] = [outlet.batch(2), outlet.batch(3)];
  const bytes = content.blocks.get(missing.cid) ?? new Uint8Array();
  content.blocks.delete(missing.cid);
  const first = openOn({ channel, content, path });
  await first.replica.start();
  channel.add([{ writes: [missing.write] }, { writes: [there.write] }]);
  await until(() => first.replica.state.leaves === 3);
  await until(() => content.asked.filter((cid) => cid === missing.cid).length >= 3);
  expect(first.replica.state.pendingBatches).toBe(1);
  await close(first.replica);

  content.blocks.set(missing.cid, bytes);
  const second = openOn({ channel, content, path });
  await second.replica.start();
  await second.replica.waitForLeaves();
  expect(second.replica.findByOid(missing.leaves[1]?.recordOid ?? new Uint8Array())).toMatchObject({ leafIndex: 1 });
});

test('a batch block that does not agree with its evidence is not entered', async () => {
  const { channel, content, replica } = openOn();
  const outlet = await createOutlet(content);
  const [batch, other] = [outlet.batch(2), outlet.batch(2)];
  content.blocks.set(batch.cid, content.blocks.get(other.cid) ?? new Uint8Array());
  await replica.start();
  channel.add([{ writes: [batch.write] }]);
  await until(() => content.asked.length >= 2);
  expect(replica.state).toMatchObject({ leaves: 0, pendingBatches: 1 });
  expect(replica.findByOid(other.leaves[0]?.recordOid ?? new Uint8Array())).toBeUndefined();
});

test('waiting for a block ends when told', async () => {
  const { replica } = openOn();
  await replica.start();
  const abort = new AbortController();
  const waiting = replica.waitForBlock(10n, abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  const abandoned = replica.waitForBlock(11n);
  const outcome = expect(abandoned).rejects.toMatchObject({ code: 'unavailable' });
  await close(replica);
  await outcome;
});

describe('an altered file', () => {
  async function filled() {
    const channel = new FakeChannel();
    const content = new FakeContent();
    const outlet = await createOutlet(content);
    const setup = openOn({ channel, content });
    await setup.replica.start();
    const batches = Array.from({ length: 20 }, () => outlet.batch(10));
    for (const batch of batches) channel.add([{ writes: [batch.write] }]);
    await setup.replica.waitForBlock(20n);
    await setup.replica.waitForLeaves();
    return { ...setup, batches, oid: batches[7]?.leaves[3]?.recordOid ?? new Uint8Array() };
  }

  function alter(file: string, sql: string): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  test('emptied while it runs: the next look-up is unavailable, and it is read again from block 0', async () => {
    const { replica, file, oid, channel } = await filled();
    alter(file, 'DELETE FROM leaf; DELETE FROM evidence; DELETE FROM pending_leaves');
    expect(() => replica.findByOid(oid)).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error);
    await until(() => channel.asked.length === 2 && replica.state.leaves === 200);
    expect(replica.findByOid(oid)).toMatchObject({ leafIndex: 3 });
    expect(channel.asked.at(-1)).toBe(0n);
    expect(replica.state).toMatchObject({ blockNumber: 20n, evidence: 20 });
  });

  test('emptied while it was down: it is read again from block 0', async () => {
    const { replica, file, oid, channel, content } = await filled();
    await close(replica);
    alter(file, 'DELETE FROM evidence');
    const again = openOn({ channel, content, path: file }).replica;
    await again.start();
    await until(() => again.state.leaves === 200);
    expect(again.findByOid(oid)).toMatchObject({ leafIndex: 3 });
  });

  test('rebuilt when asked to', async () => {
    const { replica, oid, channel } = await filled();
    replica.rebuild();
    await until(() => channel.asked.at(-1) === 0n && channel.asked.length > 1 && replica.state.leaves === 200);
    expect(replica.findByOid(oid)).toMatchObject({ leafIndex: 3 });
  });

  test('a row that lost its form is data-abnormal, never data', async () => {
    const { replica, file, oid, batches } = await filled();
    alter(file, `UPDATE leaf SET cid = x'0123'; UPDATE evidence SET value = '{"v":1}'`);
    expect(() => replica.findByOid(oid)).toThrow(expect.objectContaining({ code: 'data-abnormal' }) as Error);
    expect(() => replica.evidence(batches[7]?.id ?? '')).toThrow(
      expect.objectContaining({ code: 'data-abnormal' }) as Error,
    );
  });

  test('a CID of another record is given out as it stands: a hint, for the reader to prove', async () => {
    const { replica, file, oid, batches } = await filled();
    const other = batches[9]?.leaves[1]?.cid;
    alter(file, `UPDATE leaf SET cid = x'${hex(other?.bytes)}' WHERE record_oid = x'${hex(oid)}'`);
    expect(replica.findByOid(oid)?.cid.toString()).toBe(other?.toString());
  });

  test.each([
    ['garbage', (file: string) => writeFileSync(file, 'this is not a database, it is a sentence'.repeat(100))],
    ['half a file', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
  ])('%s in its place: it is set aside and begun anew', async (_name, damage) => {
    const { replica, file, oid, channel, content } = await filled();
    await close(replica);
    damage(file);
    const again = openOn({ channel, content, path: file }).replica;
    await again.start();
    await until(() => again.state.leaves === 200);
    expect(again.findByOid(oid)).toMatchObject({ leafIndex: 3 });
    expect(statSync(`${file}.unusable`).size).toBeGreaterThan(0);
  });

  test('pages overwritten in the middle: errors, then a new file, never wrong data', async () => {
    const { replica, file, batches, channel, content } = await filled();
    await close(replica);
    const handle = await open(file, 'r+');
    const { size } = await handle.stat();
    for (let at = 4_096; at < size; at += 4_096) await handle.write(Buffer.alloc(2_048, 0xa5), 0, 2_048, at);
    await handle.close();
    const again = openOn({ channel, content, path: file }).replica;
    await again.start();
    await until(() => {
      try {
        return again.state.leaves === 200 && again.state.pendingBatches === 0;
      } catch {
        return false;
      }
    });
    for (const batch of batches) {
      for (const [leafIndex, { recordOid }] of batch.leaves.entries()) {
        expect(again.findByOid(recordOid)).toMatchObject({ evidenceId: batch.id, leafIndex });
      }
    }
  });
});

test('metrics say how far it is', async () => {
  const registry = createMetrics('test');
  const { channel, content, replica } = openOn({ options: { registry } });
  const outlet = await createOutlet(content);
  await replica.start();
  channel.add([{ writes: [outlet.batch(4).write] }]);
  await replica.waitForBlock(1n);
  await replica.waitForLeaves();
  const text = await registry.metrics();
  expect(text).toMatch(/waymark_replica_block_number\{.*\} 1\n/);
  expect(text).toMatch(/waymark_replica_following\{.*\} 1\n/);
  expect(text).toMatch(/waymark_replica_leaves\{.*\} 4\n/);
});

test('evidence is listed in the order of the channel, in the same places after the replica was read anew', async () => {
  const { channel, content, replica } = openOn();
  const outlets = await Promise.all([createOutlet(content), createOutlet(content, 'outlet-2')]);
  const batches = [0, 1, 0, 1].flatMap((at) => outlets[at]?.batch(1) ?? []);
  await replica.start();
  for (const batch of batches) channel.add([{ writes: [batch.write] }]);
  await replica.waitForBlock(4n);
  const placed = batches.map(({ evidence }, index) => ({ position: index + 1, evidence }));
  expect(replica.evidenceAfter(0, 10)).toEqual(placed);
  expect(replica.evidenceAfter(1, 2)).toEqual(placed.slice(1, 3));
  expect(replica.evidenceAfter(4, 10)).toEqual([]);
  replica.rebuild();
  await until(() => replica.evidenceAfter(0, 10).length === 4);
  expect(replica.evidenceAfter(0, 10)).toEqual(placed);
});
