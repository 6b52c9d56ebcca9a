import fc from 'fast-check';
import { cidOfDagCbor, cidOfRaw, inclusionProof, merkleRoot, toHex, verifyInclusion } from '@waymark/protocol';
import {
  ackQuorum,
  ackStatement,
  anchorLeafStatement,
  anchorStatement,
  candidateStatement,
  configurationStatement,
  createCrypto,
  departmentsDigest,
  encodeAnchor,
  type Header,
  headerBytes,
  isAckQuorum,
  type Profile,
  receiptStatement,
  sealStatement,
  statementBytes,
  tallyVotes,
  voteQuorum,
  voteStatement,
} from '@waymark/rsl';
import { decodeCbor, encodeCbor } from '../src/cose/cbor.ts';
import { toJson } from '../src/cose/claims.ts';
import { anchorInput, header as readHeader, readMessage } from '../src/anchors/input.ts';
import { isIncluded, leafHash } from '../src/anchors/merkle.ts';
import * as quorum from '../src/anchors/quorum.ts';
import * as chaincode from '../src/anchors/statements.ts';

const crypto = createCrypto({ bodyId: () => '', signBytes: () => '', verifyBytes: () => true });
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const whole = fc.nat({ max: 2 ** 52 });
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const timestampMs = fc.nat({ max: 253_402_300_799_999 });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const hash = fc.uint8Array({ maxLength: 4 }).map((bytes) => cidOfDagCbor(bytes).toString());
const prev = fc.oneof(fc.constant(''), hash);
const headers: fc.Arbitrary<Header> = fc.record({
  version: fc.constant(1 as const),
  ledger: fc.constant('Org1MSP/waymark'),
  epoch: positive,
  height: positive,
  term: positive,
  prev,
  departments: digest,
  root: digest,
  accepted: whole,
  rejected: whole,
  timestampMs,
  body: fc.oneof(
    hash,
    fc.uint8Array({ maxLength: 4 }).map((bytes) => cidOfRaw(bytes).toString()),
  ),
});
const same = (own: chaincode.Statement, reference: Parameters<typeof statementBytes>[0]) =>
  expect(Buffer.compare(encodeCbor(own), statementBytes(reference))).toBe(0);

describe('what the chaincode reads and checks is what the core signs and writes', () => {
  test('headers, their hashes, seals and acknowledgements', () => {
    fc.assert(
      fc.property(headers, name, timestampMs, (header, center, ackTimeMs) => {
        const read = readHeader(toJson(decodeCbor(encodeCbor(headerBytes(header))), 'header'), 'header');
        expect(read.hash).toBe(crypto.headerHash(header));
        expect(read).toMatchObject({ prev: header.prev, body: header.body, timestamp: header.timestampMs });
        same(chaincode.sealing(read, center), sealStatement({ header, hash: read.hash, center }));
        const count = header.accepted + header.rejected;
        same(chaincode.acknowledgement(read, ackTimeMs), ackStatement({ ...header, count, ackTimeMs }));
      }),
      { numRuns: 50 },
    );
  });

  test('candidates, receipts, votes, anchors, leaves and department hashes', () => {
    const facts = fc.record({ epoch: positive, height: positive, term: positive, count: whole, seq: positive });
    fc.assert(
      fc.property(facts, name, name, prev, digest, fc.boolean(), (numbers, center, department, block, root, isOpen) => {
        const ledger = 'Org1MSP/waymark';
        const { epoch, height, term, count, seq } = numbers;
        const place = { epoch, height, term, center, prev: block, root, count };
        same(
          chaincode.proposal(ledger, { kind: 'candidate', signature: '', ...place }),
          candidateStatement({ ledger, ...place }),
        );
        const receipt = { department, seq, hash: root, center, term, height };
        same(
          chaincode.receiving(ledger, { ...receipt, accepted: 5 }),
          receiptStatement({ ledger, ...receipt, acceptedMs: 5 }),
        );
        const candidate = isOpen ? { height, term, prev: block, root, count } : null;
        same(
          chaincode.voting(ledger, { epoch, term, center, base: null, votes: [] }, [
            department,
            [height, term, block],
            candidate === null ? null : [height, term, block, root, count],
            '',
          ]),
          voteStatement({
            ledger,
            epoch,
            term,
            candidate: center,
            voter: department,
            logEnd: { sealed: { height, term, hash: block }, candidate },
          }),
        );
        const anchor = { ledger, epoch, first: seq, last: height, hash: block, root, term, center };
        same(chaincode.anchoring(anchor), anchorStatement(anchor));
        same(chaincode.anchorLeaf(ledger, height, block), anchorLeafStatement(ledger, height, block));
        expect(chaincode.departmentsDigest(block, [[department, seq, root]])).toBe(
          departmentsDigest(crypto, block, new Map([[department, { seq, hash: root }]])),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('configurations, quorums, and who counts, for all ledgers up to nine members', () => {
    for (let size = 1; size <= 9; size += 1) {
      const members = Array.from({ length: size }, (_, index) => `m${String(index)}`);
      const profiles: Profile[] = [{ center: 'trusted' }];
      for (let colluding = 0; colluding < size; colluding += 1) profiles.push({ center: 'lying', colluding });
      for (const profile of profiles) {
        const configuration = { epoch: 1, members, learners: ['x'], eligible: ['m0'], profile };
        same(chaincode.configuring(configuration), configurationStatement(configuration));
        expect(quorum.ackQuorum(size, profile)).toBe(ackQuorum(size, profile));
        expect(quorum.voteQuorum(size, profile)).toBe(voteQuorum(size, profile));
        for (let bits = 0; bits < 2 ** size; bits += 7) {
          const chosen = new Set(['x', ...members.filter((_, index) => ((bits >> index) & 1) === 1)]);
          for (const center of ['m0', 'x'])
            expect(quorum.isAckQuorum(configuration, center, chosen)).toBe(
              isAckQuorum(configuration, center, (member) => chosen.has(member)),
            );
          const won = tallyVotes(configuration, (member) => chosen.has(member) || undefined) === 'won';
          expect(quorum.isVoteQuorum(configuration, chosen)).toBe(won);
        }
      }
    }
  });

  test('inclusion proofs, at every place of trees up to 12 leaves', () => {
    for (let size = 1; size <= 12; size += 1) {
      const leaves = Array.from({ length: size }, (_, index) => leafHash(['leaf', index]));
      expect(Buffer.from(leaves[0] ?? '')).toEqual(Buffer.from(crypto.leafHash(['leaf', 0])));
      const root = toHex(merkleRoot(leaves));
      for (let index = 0; index < size; index += 1) {
        const path = inclusionProof(leaves, index).map(toHex);
        const leaf = leaves[index] as Uint8Array;
        for (const at of [index, index + 1, index * 2, 0]) {
          for (const claimed of [size, size + 1, size * 2]) {
            for (const steps of [path, [...path, root], path.slice(1)]) {
              const isReference = verifyInclusion(
                { size: claimed, root: Buffer.from(root, 'hex') },
                at,
                leaf,
                steps.map((step) => Buffer.from(step, 'hex')),
              );
              const isOwn = at < claimed && isIncluded(leaf, { index: at, size: claimed, path: steps, root });
              expect([at, claimed, steps.length, isOwn]).toEqual([at, claimed, steps.length, isReference]);
            }
          }
        }
        expect(isIncluded(leaf, { index, size, path, root })).toBe(true);
        expect(isIncluded(leaf, { index, size, path, root: toHex(leaf.map((byte) => byte ^ 1)) })).toBe(false);
      }
    }
  });

  test('an anchor’s bytes come in as they went out', () => {
    fc.assert(
      fc.property(fc.array(headers, { minLength: 1, maxLength: 3 }), digest, prev, (sealed, root, block) => {
        const signature = 'AAEC';
        const seals = sealed.map((header) => ({
          header,
          hash: crypto.headerHash(header),
          center: 'c',
          certificate: [{ member: 'd', ackTimeMs: 1, signature }],
          signature,
        }));
        const [base = null] = seals;
        const ledger = 'Org1MSP/waymark';
        const logEnd = {
          sealed: { height: 1, term: 1, hash: block },
          candidate: { height: 2, term: 1, prev: block, root, count: 3 },
        };
        const vote = { ledger, epoch: 1, term: 2, candidate: 'c', voter: 'd', logEnd, signature };
        const [header] = sealed;
        if (header === undefined) return;
        const bytes = encodeAnchor({
          ledger,
          first: 1,
          last: 2,
          root,
          term: 2,
          center: 'c',
          seals,
          opening: { header, firstPath: [root], lastPath: [] },
          election: { epoch: 1, term: 2, center: 'c', base, votes: [vote] },
          signature,
        });
        const read = readMessage(Buffer.from(bytes).toString('base64url'), 'anchor', anchorInput);
        expect(read).toMatchObject({ first: 1, last: 2, root, center: 'c', opening: { first: [root], last: [] } });
        expect(read.seals.map((seal) => seal.header.hash)).toEqual(seals.map((seal) => seal.hash));
        expect(read.seals[0]?.acks).toEqual([['d', 1, '000102']]);
        expect(read.election?.votes).toEqual([['d', [1, 1, block], [2, 1, block, root, 3], '000102']]);
        expect(read.election?.base?.header.hash).toBe(base?.hash);
      }),
      { numRuns: 20 },
    );
  });
});
