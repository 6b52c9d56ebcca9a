import { createHash } from 'node:crypto';
import type { DecodedTransaction, KeyWrite } from '@waymark/fabric';
import { cidOfDagCbor, type Evidence } from '@waymark/protocol';
import type { BlockSource } from '../src/replica/projector.ts';

export const channel = 'waymark';
export const chaincode = 'waymark';

/** A channel whose block n holds evidence n of one outlet; the same in every process. It never ends. */
export function endlessChannel(): BlockSource {
  const hashOf = (number: bigint): Uint8Array => new Uint8Array(createHash('sha256').update(String(number)).digest());
  const hex = (number: bigint): string => Buffer.from(hashOf(number)).toString('hex');
  return {
    channel,
    chaincode,
    async *blockEvents({ from, signal }) {
      for (let number = from; signal?.aborted !== true; number += 1n) {
        const seq = Number(number) + 1;
        const evidence: Evidence = {
          v: 1,
          msp: 'Org1MSP',
          outlet: 'outlet-1',
          seq,
          batchHash: hex(number),
          prev: hex(number - 1n),
          root: hex(number),
          cid: cidOfDagCbor(hashOf(number)).toString(),
          count: 1,
          collectedFrom: '2026-01-02T03:04:05.006Z',
          collectedTo: '2026-01-02T03:04:05.006Z',
          node: 'center',
          certificate: hex(0n),
        };
        const writes = [write('evidence', ['Org1MSP', 'outlet-1', String(seq).padStart(16, '0')], evidence)];
        const transaction = validTransaction(hex(number), writes);
        const previousHash = number === 0n ? new Uint8Array() : hashOf(number - 1n);
        await new Promise(setImmediate);
        yield { number, hash: hashOf(number), previousHash, transactions: [transaction] };
      }
    },
  };
}

/** A transaction that Fabric found valid. */
export function validTransaction(txId: string, writes: readonly KeyWrite[]): DecodedTransaction {
  return {
    txId,
    type: 'endorser',
    valid: true,
    validationCode: 'VALID',
    chaincode,
    writes,
    events: [],
    creatorMsp: 'Org1MSP',
    timestampMs: 0,
  };
}

/** A composite key of the chaincode with its JSON value. */
export function write(type: string, parts: readonly string[], value: unknown): KeyWrite {
  return {
    namespace: chaincode,
    key: `\u0000${[type, ...parts].join('\u0000')}\u0000`,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    isDelete: false,
  };
}
