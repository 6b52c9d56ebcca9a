import { type AppendMessage, candidateStatement, type PlantedFaults } from '../src/index.ts';
import { createCluster } from './support/cluster.ts';
import { fakeCrypto } from './support/fake-crypto.ts';

/** `b` was elected on block 4, and proposes another block 4 instead of block 5. */
function pushOff(faults: PlantedFaults) {
  const cluster = createCluster({ faults });
  cluster.elect('a');
  cluster.submit('c', 'x');
  cluster.settle();
  cluster.member('a').isDown = true;
  for (let count = 0; count < 45 && cluster.center() !== 'b'; count += 1) {
    cluster.tick();
    cluster.settle();
  }
  const { core } = cluster.member('c');
  const below = core.block(3);
  const before = core.block(4);
  if (below === null || before === null) throw new Error('four blocks are expected');
  const content = { kind: 'empty' } as const;
  const root = fakeCrypto('b').merkleRoot([]);
  const body = {
    ...before.candidate,
    center: 'b',
    term: core.status().term,
    prev: below.seal.hash,
    content,
    root,
    count: 0,
  };
  const message: AppendMessage = {
    type: 'append',
    from: 'b',
    to: 'c',
    term: body.term,
    prev: { height: 3, hash: below.seal.hash },
    seal: null,
    entries: [{ candidate: { ...body, signature: fakeCrypto('b').sign(candidateStatement(body)) }, seal: null }],
    election: null,
  };
  core.step(message, 0);
  return { before, after: core.block(4), replies: core.ready().messages };
}

test('a center proposes on the block that it was elected with, and on no other', () => {
  const { before, after, replies } = pushOff({});
  expect(after).toEqual(before);
  expect(replies).toMatchObject([{ type: 'append-reply', result: 'gap', reason: 'base-missing', ack: null }]);
});

test('without that rule it takes back what may be confirmed elsewhere', () => {
  const { after, replies } = pushOff({ leaveBase: true });
  expect(after).toBeNull();
  expect(replies).toMatchObject([{ type: 'append-reply', result: 'matched', ack: { height: 4 } }]);
});
