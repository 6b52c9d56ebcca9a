import { common, ledger, peer } from '@hyperledger/fabric-protos';
import { createSigningIdentity } from '../../src/msp/index.ts';
import { createTestChannel } from '../support/test-channel.ts';
import { TestChain, codesOf } from '../support/test-chain.ts';
import { removeTemporaryFolders } from '../support/temporary-folder.ts';
import type { TestTransaction, TransactionParts } from '../support/test-transaction.ts';

const Code = peer.TxValidationCode;
const NAMES = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));

let chain: TestChain;
beforeAll(async () => {
  chain = await TestChain.create();
});
afterAll(async () => {
  await chain.ledger.close();
  await removeTemporaryFolders();
});

/** Names of the codes, for readable failures. */
async function commit(...transactions: TestTransaction[]): Promise<(string | undefined)[]> {
  return (await chain.commit(...transactions)).map((code) => NAMES.get(code));
}

async function commitRaw(...envelopes: Uint8Array[]): Promise<(string | undefined)[]> {
  return codesOf(await chain.commitBlock(chain.block(envelopes))).map((code) => NAMES.get(code));
}

const spoiled = (spoil: NonNullable<TransactionParts['spoil']>) => chain.write('spoiled', 'x', { spoil });

describe('a transaction that is not made as Fabric makes them gets the code of the first thing wrong', () => {
  test.each<[keyof peer.TxValidationCodeMap, string, () => TestTransaction]>([
    ['VALID', 'nothing', () => chain.write('fine', 'x')],
    [
      'BAD_COMMON_HEADER',
      'unknown type',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setType(99);
          },
        }),
    ],
    [
      'BAD_COMMON_HEADER',
      'epoch',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setEpoch(1);
          },
        }),
    ],
    [
      'BAD_COMMON_HEADER',
      'no nonce',
      () =>
        spoiled({
          signatureHeader: (h) => {
            h.setNonce('');
          },
        }),
    ],
    [
      'BAD_COMMON_HEADER',
      'no creator',
      () =>
        spoiled({
          signatureHeader: (h) => {
            h.setCreator('');
          },
        }),
    ],
    [
      'BAD_CREATOR_SIGNATURE',
      'signature',
      () => spoiled({ signature: (s) => Uint8Array.from(s, (octet, i) => (i === 9 ? octet ^ 1 : octet)) }),
    ],
    ['BAD_CREATOR_SIGNATURE', 'no signature', () => spoiled({ signature: () => new Uint8Array() })],
    [
      'BAD_CREATOR_SIGNATURE',
      'creator',
      () =>
        spoiled({
          signatureHeader: (h) => {
            h.setCreator(Buffer.of(1));
          },
        }),
    ],
    [
      'BAD_CREATOR_SIGNATURE',
      "another's identity",
      () =>
        spoiled({
          signatureHeader: (h) => {
            h.setCreator(chain.channel.org1.admin.serialized);
          },
        }),
    ],
    ['BAD_CREATOR_SIGNATURE', 'other channel', () => chain.write('x', 'x', { channelId: 'elsewhere' })],
    [
      'BAD_PROPOSAL_TXID',
      'transaction id',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setTxId('0'.repeat(64));
          },
        }),
    ],
    [
      'BAD_PROPOSAL_TXID',
      'nonce',
      () =>
        spoiled({
          signatureHeader: (h) => {
            h.setNonce(Buffer.from('other'));
          },
        }),
    ],
    [
      'UNSUPPORTED_TX_PAYLOAD',
      'config update',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setType(common.HeaderType.CONFIG_UPDATE);
          },
        }),
    ],
    [
      'INVALID_ENDORSER_TRANSACTION',
      'no action',
      () =>
        spoiled({
          transaction: (t) => {
            t.setActionsList([]);
          },
        }),
    ],
    [
      'INVALID_ENDORSER_TRANSACTION',
      'two actions',
      () =>
        spoiled({
          transaction: (t) => {
            t.setActionsList([...t.getActionsList(), ...t.getActionsList()]);
          },
        }),
    ],
    [
      'INVALID_ENDORSER_TRANSACTION',
      'action header',
      () =>
        spoiled({
          transaction: (t) => {
            t.getActionsList()[0]?.setHeader('');
          },
        }),
    ],
    [
      'INVALID_ENDORSER_TRANSACTION',
      'action payload',
      () =>
        spoiled({
          transaction: (t) => {
            t.getActionsList()[0]?.setPayload(Buffer.of(0xff));
          },
        }),
    ],
    [
      'INVALID_ENDORSER_TRANSACTION',
      'proposal hash',
      () =>
        spoiled({
          responsePayload: (p) => {
            p.setProposalHash(Buffer.alloc(32));
          },
        }),
    ],
    [
      'BAD_HEADER_EXTENSION',
      'extension',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setExtension$(Buffer.of(0xff));
          },
        }),
    ],
    [
      'BAD_RESPONSE_PAYLOAD',
      'no chaincode action',
      () =>
        spoiled({
          responsePayload: (p) => {
            p.setExtension$('');
          },
        }),
    ],
    [
      'BAD_RESPONSE_PAYLOAD',
      'chaincode action',
      () =>
        spoiled({
          responsePayload: (p) => {
            p.setExtension$(Buffer.of(0xff));
          },
        }),
    ],
    ['BAD_RWSET', 'read-write set', () => chain.transaction(undefined, { results: Buffer.of(0xff) })],
    [
      'INVALID_OTHER_REASON',
      'no chaincode in the extension',
      () =>
        spoiled({
          channelHeader: (h) => {
            h.setExtension$('');
          },
        }),
    ],
    [
      'INVALID_OTHER_REASON',
      'no chaincode in the action',
      () =>
        spoiled({
          action: (a) => {
            a.setChaincodeId(undefined);
          },
        }),
    ],
    [
      'INVALID_CHAINCODE',
      'chaincode name',
      () =>
        spoiled({
          action: (a) => {
            a.getChaincodeId()?.setName('other');
          },
        }),
    ],
    [
      'INVALID_CHAINCODE',
      'chaincode version',
      () =>
        spoiled({
          action: (a) => {
            a.getChaincodeId()?.setVersion('');
          },
        }),
    ],
    ['INVALID_CHAINCODE', 'undefined chaincode', () => chain.transaction(undefined, { chaincode: 'nothing' })],
    [
      'INVALID_CHAINCODE',
      'write to an undefined chaincode',
      () =>
        chain.transaction((set) => {
          set.addWrite('nothing', 'k', Buffer.from('v'));
        }),
    ],
    [
      'INVALID_OTHER_REASON',
      'event',
      () =>
        spoiled({
          action: (a) => {
            a.setEvents(Buffer.of(0xff));
          },
        }),
    ],
    [
      'INVALID_OTHER_REASON',
      "another chaincode's event",
      () =>
        spoiled({
          action: (a) => {
            a.setEvents(eventOf('other'));
          },
        }),
    ],
    [
      'VALID',
      'own event',
      () =>
        spoiled({
          action: (a) => {
            a.setEvents(eventOf('basic'));
          },
        }),
    ],
    ['ILLEGAL_WRITESET', 'namespace twice', () => chain.transaction(undefined, { results: twiceTheNamespace() })],
    ['INVALID_OTHER_REASON', 'private data', () => chain.transaction(undefined, { results: withCollection() })],
  ])('%s: %s', async (code, _, make) => {
    expect(await commit(make())).toEqual([code]);
  });

  test('bytes that are no envelope, no payload, no header', async () => {
    const noPayload = new common.Envelope();
    noPayload.setPayload(Buffer.of(0xff));
    expect(await commitRaw(Buffer.of(0xff), noPayload.serializeBinary(), new Uint8Array())).toEqual([
      'INVALID_OTHER_REASON',
      'BAD_PAYLOAD',
      'BAD_COMMON_HEADER',
    ]);
  });
});

test('invalid transactions stay in the block, keep their id, and change nothing', async () => {
  const bad = chain.write('never', 'x', { spoil: { signature: () => new Uint8Array() } });
  expect(await commit(bad, chain.write('always', 'y'))).toEqual(['BAD_CREATOR_SIGNATURE', 'VALID']);
  expect(await chain.get('never')).toBeUndefined();
  expect(await chain.get('always')).toBe('y');
  expect((await chain.ledger.getTransaction(bad.txId))?.validationCode).toBe(Code.BAD_CREATOR_SIGNATURE);
});

test('a creator of another network is no creator here, whatever organisation it claims', async () => {
  const other = await createTestChannel();
  const stranger = createSigningIdentity(other.org1.client.issued);
  expect(await commit(chain.write('x', 'x', { creator: stranger }))).toEqual(['BAD_CREATOR_SIGNATURE']);
});

describe('one transaction id', () => {
  test('twice in a block: the first stands', async () => {
    const transaction = chain.write('twice', 'x');
    expect(await commit(transaction, transaction)).toEqual(['VALID', 'DUPLICATE_TXID']);
    expect(await chain.ledger.getTransaction(transaction.txId)).toMatchObject({ txNumber: 0, validationCode: 0 });
  });

  test('in a later block: refused, and the first entry stays', async () => {
    const transaction = chain.write('again', 'x');
    expect(await commit(transaction)).toEqual(['VALID']);
    const { blockNumber } = (await chain.ledger.getTransaction(transaction.txId)) ?? {};
    expect(await commit(transaction)).toEqual(['DUPLICATE_TXID']);
    expect((await chain.ledger.getTransaction(transaction.txId))?.blockNumber).toBe(blockNumber);
  });

  test('of an invalid transaction is used up as well', async () => {
    const nonce = Buffer.from('one nonce for both');
    expect(await commit(chain.write('a', 'x', { nonce, endorsers: [] }))).toEqual(['ENDORSEMENT_POLICY_FAILURE']);
    expect(await commit(chain.write('a', 'x', { nonce }))).toEqual(['DUPLICATE_TXID']);
  });

  test('of an invalid transaction in the same block leaves it to the valid one', async () => {
    const nonce = Buffer.from('one nonce in one block');
    expect(await commit(chain.write('a', 'x', { nonce, endorsers: [] }), chain.write('a', 'x', { nonce }))).toEqual([
      'ENDORSEMENT_POLICY_FAILURE',
      'VALID',
    ]);
  });
});

function eventOf(chaincode: string): Uint8Array {
  const event = new peer.ChaincodeEvent();
  event.setChaincodeId(chaincode);
  event.setEventName('happened');
  return event.serializeBinary();
}

function twiceTheNamespace(): Uint8Array {
  const set = new ledger.rwset.TxReadWriteSet();
  for (let i = 0; i < 2; i++) {
    const namespace = new ledger.rwset.NsReadWriteSet();
    namespace.setNamespace('basic');
    set.addNsRwset(namespace);
  }
  return set.serializeBinary();
}

function withCollection(): Uint8Array {
  const set = new ledger.rwset.TxReadWriteSet();
  const namespace = new ledger.rwset.NsReadWriteSet();
  namespace.setNamespace('basic');
  const collection = new ledger.rwset.CollectionHashedReadWriteSet();
  collection.setCollectionName('secrets');
  namespace.addCollectionHashedRwset(collection);
  set.addNsRwset(namespace);
  return set.serializeBinary();
}
