import { createHash, createPrivateKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { DecodedBlock, DecodedTransaction, KeyWrite } from '@waymark/fabric';
import type { OrganisationCa } from '@waymark/devnet/ca';
import {
  WaymarkError,
  batchRoot,
  batchHash,
  cidOfRaw,
  encodeBatchBlock,
  encodeBatchStatement,
  evidenceOf,
  ledgerName,
  signCose,
  zeroBatchHash,
  type BatchLeaf,
  type Evidence,
} from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { chaincode, channel, validTransaction, write } from './channel-writes.ts';
import { createCa } from './fixture.ts';

/** A transaction of the fake channel. */
export interface TransactionSpec {
  readonly writes: readonly KeyWrite[];
  readonly valid?: boolean;
  readonly txId?: string;
}

/** A channel in memory: blocks linked by hash, delivered to whoever follows, interrupted when a test says so. */
export class FakeChannel {
  readonly channel = channel;
  readonly chaincode = chaincode;
  readonly asked: bigint[] = [];
  blocks: DecodedBlock[] = [];
  #away: WaymarkError | undefined;
  #change = Promise.withResolvers<undefined>();

  constructor(seed = '') {
    this.add([], seed);
  }

  get height(): bigint {
    return BigInt(this.blocks.length);
  }

  /** Appends a block. */
  add(transactions: readonly TransactionSpec[], salt = ''): DecodedBlock {
    const block = this.nextBlock(transactions, salt);
    this.blocks.push(block);
    this.#changed();
    return block;
  }

  nextBlock(transactions: readonly TransactionSpec[], salt = ''): DecodedBlock {
    const number = BigInt(this.blocks.length);
    const previousHash = this.blocks.at(-1)?.hash ?? new Uint8Array();
    const decoded = transactions.map(({ writes, valid = true, txId }, index): DecodedTransaction => {
      const id = txId ?? createHash('sha256').update(`${number}/${index}${salt}`).digest('hex');
      const transaction = validTransaction(id, writes);
      return valid ? transaction : { ...transaction, valid, validationCode: 'MVCC_READ_CONFLICT', writes: [] };
    });
    const digest = createHash('sha256').update(previousHash).update(String(number)).update(salt);
    for (const { txId } of decoded) digest.update(txId);
    return { number, previousHash, hash: new Uint8Array(digest.digest()), transactions: decoded };
  }

  /** Breaks all streams, and refuses new ones until `comeBack`. */
  goAway(): void {
    this.#away = new WaymarkError('unavailable', 'the channel is away');
    this.#changed();
  }

  comeBack(): void {
    this.#away = undefined;
    this.#changed();
  }

  async *blockEvents({ from, signal }: { from: bigint; signal?: AbortSignal }): AsyncGenerator<DecodedBlock> {
    this.asked.push(from);
    const aborted = Promise.withResolvers<undefined>();
    signal?.addEventListener('abort', () => aborted.resolve(undefined), { once: true });
    for (let next = Number(from); signal?.aborted !== true;) {
      if (this.#away !== undefined) throw this.#away;
      const block = this.blocks[next];
      if (block === undefined) await Promise.race([this.#change.promise, aborted.promise]);
      else {
        next += 1;
        yield block;
      }
    }
  }

  #changed(): void {
    this.#change.resolve(undefined);
    this.#change = Promise.withResolvers<undefined>();
  }
}

export function nodeWrite(
  enrolmentId: string,
  state: 'registered' | 'revoked',
  certificates: readonly { digest: string; state: 'valid' | 'revoked' }[],
): KeyWrite {
  const node = {
    v: 1,
    mspId: 'Org1MSP',
    enrolmentId,
    kind: 'outlet',
    state,
    certificates: certificates.map((certificate) => ({ ...certificate, txId: 'tx' })),
    txId: 'tx',
  };
  return write('node', ['Org1MSP', enrolmentId], node);
}

/** A batch that a real outlet signed, its block in `content`. */
interface TestBatch {
  readonly id: string;
  readonly evidence: Evidence;
  readonly write: KeyWrite;
  readonly leaves: readonly BatchLeaf[];
  readonly cid: string;
}

/** An outlet that signs batches, each linked to the one before. */
export interface TestOutlet {
  batch(count: number): TestBatch;
}

/** Batch blocks by CID, with faults on demand. */
export class FakeContent {
  readonly blocks = new Map<string, Uint8Array>();
  readonly asked: string[] = [];

  get(cid: CID): Promise<Uint8Array> {
    this.asked.push(cid.toString());
    const block = this.blocks.get(cid.toString());
    return block === undefined
      ? Promise.reject(new WaymarkError('unavailable', 'no such block'))
      : Promise.resolve(block);
  }
}

let authority: Promise<OrganisationCa> | undefined;

export async function createOutlet(content: FakeContent, outlet = 'outlet-1'): Promise<TestOutlet> {
  const ca = await (authority ??= createCa());
  const { certificatePem, privateKeyPem } = await ca.issue({ enrolmentId: outlet, role: 'client' });
  const certificateDer = new Uint8Array(new X509Certificate(certificatePem).raw);
  const key = createPrivateKey(privateKeyPem);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const signer = {
    certificateDer,
    sign(message: Uint8Array): Uint8Array {
      const signature = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
      const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
      if (s <= order / 2n) return signature;
      return Buffer.concat([signature.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
    },
  };
  let seq = 0;
  let prevBatchHash = zeroBatchHash;
  return {
    batch(count) {
      const leaves = Array.from({ length: count }, () => ({
        recordOid: new Uint8Array(randomBytes(32)),
        cid: cidOfRaw(randomBytes(64)),
      }));
      const statement = {
        channel,
        msp: 'Org1MSP',
        outlet,
        certificateDigest: new Uint8Array(createHash('sha256').update(certificateDer).digest()),
        ledger: ledgerName('Org1MSP', channel),
        leaderKid: 'kid',
        seq: (seq += 1),
        prevBatchHash,
        root: batchRoot(leaves),
        count,
        collectedFromMs: 1_780_000_000_000,
        collectedToMs: 1_780_000_001_000,
        sentAtMs: 1_780_000_002_000,
        messageId: new Uint8Array(randomBytes(16)),
      };
      const bytes = encodeBatchStatement(statement);
      prevBatchHash = batchHash(bytes);
      const block = { statement: bytes, signature: signCose(signer, { type: 'batch', channel }, bytes, true), leaves };
      const encoded = encodeBatchBlock(block);
      content.blocks.set(encoded.cid.toString(), encoded.bytes);
      const evidence = evidenceOf(statement, bytes, encoded.cid.toString(), 'center');
      const parts = ['Org1MSP', outlet, String(seq).padStart(16, '0')];
      return {
        id: `Org1MSP/${outlet}/${seq}`,
        evidence,
        write: write('evidence', parts, evidence),
        leaves,
        cid: encoded.cid.toString(),
      };
    },
  };
}
