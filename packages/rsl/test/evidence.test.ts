import { type Equivocation, sealStatement, type Seal, verifyEquivocation } from '../src/index.ts';
import { candidateEvidence, contradict, sealEvidence } from '../src/evidence.ts';
import { createCluster } from './support/cluster.ts';
import { fakeCrypto } from './support/fake-crypto.ts';

const cluster = createCluster();
cluster.elect('a');
cluster.submit('b', 'x');
cluster.settle();
const crypto = fakeCrypto('judge');
const center = fakeCrypto('a');

function sealAt(height: number): Seal {
  const block = cluster.member('c').core.block(height);
  if (block === null) throw new Error('no such block');
  return block.seal;
}

function otherHeader(seal: Seal): Seal {
  const header = { ...seal.header, timestampMs: seal.header.timestampMs + 1 };
  const body = { header, hash: center.headerHash(header), center: 'a' };
  return { ...body, certificate: seal.certificate, signature: center.sign(sealStatement(body)) };
}

const proof = (second: Seal, accused = 'a'): Equivocation => ({
  center: accused,
  first: sealEvidence(sealAt(2)),
  second: sealEvidence(second),
});

test('two signed headers for one height and term prove a lie', () => {
  expect(verifyEquivocation(crypto, proof(otherHeader(sealAt(2))))).toBe(true);
});

test('a candidate and a header with other content prove a lie', () => {
  const block = cluster.member('c').core.block(3);
  if (block === null) throw new Error('no such block');
  const { candidate } = block;
  expect(contradict(candidateEvidence(candidate), sealEvidence(block.seal))).toBe(false);
  const header = { ...block.seal.header, root: 'another' };
  expect(contradict(candidateEvidence(candidate), sealEvidence({ ...block.seal, header }))).toBe(true);
});

test('the same header twice proves nothing, nor do two heights', () => {
  expect(verifyEquivocation(crypto, proof(sealAt(2)))).toBe(false);
  expect(verifyEquivocation(crypto, proof(sealAt(3)))).toBe(false);
});

test('a made-up signature, a hash of something else, and another accused prove nothing', () => {
  const other = otherHeader(sealAt(2));
  expect(verifyEquivocation(crypto, proof({ ...other, signature: 'made-up' }))).toBe(false);
  expect(verifyEquivocation(crypto, proof({ ...other, hash: 'made-up' }))).toBe(false);
  expect(verifyEquivocation(crypto, proof(other, 'b'))).toBe(false);
});

test('a member that is shown the proof keeps it over a restart, tells the others, and follows the liar no more', () => {
  cluster.member('d').core.accuse(proof(otherHeader(sealAt(2))));
  cluster.settle();
  for (const id of ['b', 'c', 'd']) expect(cluster.member(id).core.status().liars).toEqual(['a']);
  cluster.restart('c');
  expect(cluster.member('c').core.status().liars).toEqual(['a']);
  for (let count = 0; count < 45; count += 1) {
    cluster.tick();
    cluster.settle();
  }
  expect(cluster.center()).toBe('b');
  cluster.member('a').core.campaign();
  cluster.settle();
  expect(cluster.center()).toBe('b');
});
