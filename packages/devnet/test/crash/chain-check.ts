import { credentials } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import type { Devnet, DevnetOrganisation, NodeConnection } from '../../src/index.ts';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { transactionIds } from '../../src/block/transaction-ids.ts';
import { createSigningIdentity } from '../../src/msp/signing-identity.ts';
import { parseTransaction } from '../../src/validation/parsed-transaction.ts';
import { buildSeek } from '../harness/proposals.ts';

const { TRANSACTIONS_FILTER } = common.BlockMetadataIndex;

/** What a whole chain amounts to, as one peer delivers it. */
export interface Chain {
  /** Validation code by transaction id; an id that is twice in the chain is an error. */
  readonly codes: ReadonlyMap<string, number>;
  /** Counter by worker, from the writes of valid transactions. */
  readonly state: Readonly<Record<string, number>>;
  /** Everything but signatures and orderer metadata: the same on every peer. */
  readonly fingerprint: string;
}

export async function chainOf(devnet: Devnet, { user }: DevnetOrganisation, node: NodeConnection): Promise<Chain> {
  const client = new peer.DeliverClient(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)));
  const codes = new Map<string, number>();
  const state: Record<string, number> = {};
  const fingerprint: string[] = [];
  let previousHash = '';
  const stream = client.deliver();
  stream.write(buildSeek(createSigningIdentity(user), { channelId: devnet.channel, start: 'oldest', stop: 'newest' }));
  stream.end();
  for await (const response of stream as AsyncIterable<peer.DeliverResponse>) {
    const block = response.getBlock();
    if (block === undefined) break;
    const header = block.getHeader() ?? new common.BlockHeader();
    if (Buffer.from(header.getPreviousHash_asU8()).toString('hex') !== previousHash)
      throw new Error('the chain is broken');
    previousHash = Buffer.from(headerHash(headerFieldsOf(header))).toString('hex');
    const metadata = block.getMetadata()?.getMetadataList_asU8() ?? [];
    const flags = metadata[TRANSACTIONS_FILTER] ?? new Uint8Array();
    fingerprint.push(previousHash, Buffer.from(flags).toString('hex'), Buffer.from(metadata[4] ?? []).toString('hex'));
    const envelopes = block.getData()?.getDataList_asU8() ?? [];
    transactionIds(block).forEach((txId, index) => {
      const code = flags[index] ?? 255;
      if (txId !== '' && codes.has(txId)) throw new Error(`${txId} is in the chain twice`);
      codes.set(txId, code);
      if (code === peer.TxValidationCode.VALID) apply(envelopes[index] ?? new Uint8Array(), state);
    });
  }
  client.close();
  return { codes, state, fingerprint: fingerprint.join() };
}

function apply(envelope: Uint8Array, state: Record<string, number>): void {
  for (const { namespace, writes } of parseTransaction(envelope).action?.namespaces ?? []) {
    if (namespace !== 'assets') continue;
    for (const { key, value } of writes) {
      state[key] = (JSON.parse(Buffer.from(value ?? []).toString()) as { value: number }).value;
    }
  }
}
