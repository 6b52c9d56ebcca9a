import { KeyObject, sign, X509Certificate } from 'node:crypto';
import {
  batchHash,
  batchLeafHash,
  batchRoot,
  cidOfRaw,
  type CoseSigner,
  decodeBatchStatement,
  decodeLedgerAttachment,
  encodeBatchStatement,
  encodeLedgerAttachment,
  readSign1,
  sha256,
  signCose,
  toHex,
  verifySign1,
} from '@waymark/protocol';
import {
  type Anchor,
  type Configuration,
  createCore,
  createCoseKeys,
  createCrypto,
  type Crypto,
  type Header,
  makeAnchor,
  type Message,
  type Profile,
  type RslCore,
  type Seal,
  type SealedBlock,
  type Snapshot,
  type Submission,
} from '@waymark/rsl';
import { createAuthority, type TestIdentity } from '../../../../chaincode/test/harness/identities.ts';
import { type BodyCipher, createBodyCipher, createCheckingCrypto } from '../../src/index.ts';

export const channel = 'waymark';
export const msp = 'NorthlineMSP';
export const ledgerName = `${msp}/${channel}`;
export const indexRoot = new Uint8Array(32).fill(7);
export const members = ['center-1', 'center-2', 'department-1', 'department-2'] as const;

/** A firm's ledger in memory: real cores, real keys, batches as outlets sign them. */
export interface TestLedger {
  readonly first: Configuration;
  readonly identities: ReadonlyMap<string, TestIdentity>;
  readonly crypto: Crypto;
  readonly bodyCipher: BodyCipher;
  /** Confirmed blocks, from height 1 on. */
  readonly blocks: readonly SealedBlock[];
  readonly oids: readonly string[];
  cryptoOf(member: string): Crypto;
  /** A batch of an outlet, into a block. Records whose number is in `reject` are rejected. */
  submit(outlet: string, records: number, reject?: readonly number[]): readonly string[];
  readonly confirmation: (height: number) => readonly Seal[] | null;
  anchorOf(first: number, last: number): Anchor;
  snapshot(height: number): Snapshot;
  /** Hands the office to the other center. */
  handOver(): void;
}

export interface TestLedgerOptions {
  readonly profile?: Profile;
  /** Whoever owns all keys of a firm can write any history: another one, with the keys of this ledger. */
  readonly rewriting?: TestLedger;
}

function signerOf(identity: TestIdentity): CoseSigner {
  const key = KeyObject.from(identity.keys.privateKey);
  const certificateDer = Buffer.from(identity.certificatePem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  return { certificateDer, sign: (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }) };
}

/** The outlet's batch is what it submits: its hash and signature are those of the batch. */
const batchSubmissions: Pick<Crypto, 'submissionDigest' | 'verifySubmission'> = {
  submissionDigest({ attachment, records, department, seq, root }) {
    try {
      const { statement, cids } = decodeLedgerAttachment(attachment, records.length);
      const said = decodeBatchStatement(statement);
      const agrees =
        said.outlet === department && said.seq === seq && toHex(said.root) === root && cids.length === said.count;
      return agrees ? toHex(batchHash(statement)) : null;
    } catch {
      return null;
    }
  },
  verifySubmission({ attachment, records, signature }) {
    const { statement } = decodeLedgerAttachment(attachment, records.length);
    try {
      verifySign1(readSign1(Buffer.from(signature, 'base64url')), { type: 'batch', channel }, { payload: statement });
      return true;
    } catch {
      return false;
    }
  },
};

export async function createTestLedger({
  profile = { center: 'lying', colluding: 0 },
  rewriting,
}: TestLedgerOptions = {}): Promise<TestLedger> {
  const authority = await createAuthority(msp);
  const names = [...members, 'outlet-1', 'outlet-2'];
  const identities =
    rewriting?.identities ?? new Map(await Promise.all(names.map(async (n) => [n, await authority.issue(n)] as const)));
  const keys = new Map(
    [...identities.values()].map(({ digest, certificatePem }) => [
      digest,
      new X509Certificate(certificatePem).publicKey,
    ]),
  );
  const signer = (name: string): CoseSigner => signerOf(identities.get(name) as TestIdentity);
  const publicKeyOf = (of: string, digest: Uint8Array): KeyObject | null =>
    identities.get(of)?.digest === toHex(digest) ? (keys.get(toHex(digest)) ?? null) : null;
  const first: Configuration = {
    epoch: 1,
    members: [...members],
    learners: [],
    eligible: members.slice(0, 2),
    profile,
  };
  const bodyCipher = createBodyCipher({ indexRoot, ledger: ledgerName });
  const cryptoOf = (member: string): Crypto =>
    createCrypto({
      bodyId: bodyCipher.bodyId,
      submissions: batchSubmissions,
      ...createCoseKeys({ channel, signer: signer(member), publicKeyOf }),
    });
  let nowMs = 1_767_225_600_000;
  let seed = 7;
  const rejected = new Set<string>();
  const recorded = new Set<string>();
  const blocks: SealedBlock[] = [];
  const wire: Message[] = [];
  const cores = new Map<string, RslCore>(
    members.map((id) => [
      id,
      createCore({
        ledger: ledgerName,
        id,
        configuration: first,
        crypto: cryptoOf(id),
        audit: {
          record: (_submission, { oid }) => (rejected.has(oid) ? 'schema-invalid' : null),
          followsRejection: () => true,
          followsAcceptance: () => true,
          isRecorded: (oid) => recorded.has(oid),
        },
        random: () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0),
      }),
    ]),
  );
  const core = (id: string): RslCore => cores.get(id) as RslCore;
  const settle = (): void => {
    for (let round = 0; round < 500; round += 1) {
      for (const [id, each] of cores) {
        while (each.hasReady()) {
          const ready = each.ready();
          wire.push(...ready.early, ...ready.messages);
          if (id === 'department-1') blocks.push(...structuredClone(ready.confirmed));
          each.advance();
        }
      }
      const batch = wire.splice(0);
      if (batch.length === 0) return;
      for (const message of batch) core(message.to).step(message, nowMs);
    }
    throw new Error('the ledger does not come to rest');
  };
  const center = (): RslCore => {
    const [latest] = [...cores.values()]
      .filter((each) => each.status().role === 'center')
      .sort((a, b) => b.status().term - a.status().term);
    if (latest === undefined) throw new Error('no center');
    return latest;
  };
  const tick = (): void => {
    for (const each of cores.values()) each.tick(nowMs);
    settle();
  };
  const sequences = new Map<string, { seq: number; prev: string }>();
  let number = 0;
  const oids: string[] = [];
  const batchOf = (outlet: string, count: number, reject: readonly number[]): Submission => {
    const { seq, prev } = sequences.get(outlet) ?? { seq: 0, prev: '' };
    const own = Array.from({ length: count }, () => {
      number += 1;
      return {
        recordOid: sha256(Buffer.from(`record ${number}`)),
        cid: cidOfRaw(Buffer.from(`${rewriting === undefined ? '' : 'another '}envelope ${number}`)),
      };
    });
    const root = batchRoot(own);
    const key = signer(outlet);
    const statement = encodeBatchStatement({
      channel,
      msp,
      outlet,
      certificateDigest: sha256(key.certificateDer),
      ledger: ledgerName,
      leaderKid: 'kid',
      seq: seq + 1,
      prevBatchHash: prev === '' ? new Uint8Array(32) : Buffer.from(prev, 'hex'),
      root,
      count,
      collectedFromMs: nowMs,
      collectedToMs: nowMs,
      sentAtMs: nowMs,
      messageId: new Uint8Array(16),
    });
    const hash = toHex(batchHash(statement));
    sequences.set(outlet, { seq: seq + 1, prev: hash });
    for (const index of reject) rejected.add(toHex((own[index] as (typeof own)[number]).recordOid));
    return {
      ledger: ledgerName,
      department: outlet,
      seq: seq + 1,
      prev,
      root: toHex(root),
      records: own.map((leaf) => ({ oid: toHex(leaf.recordOid), leaf: batchLeafHash(leaf) })),
      attachment: encodeLedgerAttachment({
        statement,
        cids: own.map(({ cid }) => cid.bytes),
        tags: own.map(({ recordOid }) => sha256(recordOid)),
        tokens: own.map(({ recordOid }) => [sha256(sha256(recordOid)), recordOid]),
        keys: [],
      }),
      hash,
      signature: Buffer.from(signCose(key, { type: 'batch', channel }, statement, true)).toString('base64url'),
    };
  };
  core('center-1').campaign();
  settle();
  return {
    first,
    identities,
    crypto: createCheckingCrypto({
      channel,
      publicKeyOf,
      bodyId: bodyCipher.bodyId,
      submissions: batchSubmissions,
    }),
    bodyCipher,
    blocks,
    oids,
    cryptoOf,
    submit(outlet, count, reject = []) {
      nowMs += 10;
      const submission = batchOf(outlet, count, reject);
      const result = center().propose(submission, nowMs);
      if (!result.accepted) throw new Error(JSON.stringify(result));
      settle();
      tick();
      tick();
      const own = submission.records.map(({ oid }) => oid);
      for (const [index, oid] of own.entries()) if (!reject.includes(index)) recorded.add(oid);
      oids.push(...own);
      return own;
    },
    confirmation: (height) => center().confirmation(height),
    anchorOf(from, last) {
      const headers: Header[] = blocks.slice(from - 1, last).map(({ seal }) => seal.header);
      const office = center().status();
      return makeAnchor(cryptoOf(office.id), {
        headers,
        seals: center().confirmation(last) as readonly Seal[],
        center: office.id,
        term: office.term,
        election: null,
      });
    },
    snapshot(height) {
      const snapshot = core('department-2').compact(height);
      if (snapshot === null) throw new Error('no snapshot');
      return structuredClone(snapshot);
    },
    handOver() {
      center().handOver('center-2');
      settle();
      tick();
    },
  };
}

/** An anchor as the chaincode keeps it. */
export function storedAnchor(anchor: Anchor, blocks: readonly SealedBlock[]) {
  const { first, last, root, seals } = anchor;
  const [seal] = seals as readonly [Seal];
  return {
    first,
    last,
    root,
    hash: seal.hash,
    prev: first === 1 ? null : (blocks[first - 2] as SealedBlock).seal.hash,
    epoch: seal.header.epoch,
    blockTerm: seal.header.term,
    timestamp: new Date(seal.header.timestampMs).toISOString(),
    txId: `tx-${last}`,
  };
}
