import { common, peer } from '@hyperledger/fabric-protos';
import { decodeBlock } from '../src/index.ts';
import { buildBlock, buildEnvelope, hashOf } from './block-builder.ts';

const codes = peer.TxValidationCode;
const key = '\u0000evidence\u0000Org1MSP\u0000outlet-1\u00000000000000000001\u0000';

test('a block gives its transactions, what they wrote and what they announced', () => {
  const block = buildBlock(7n, Buffer.alloc(32, 1), [
    {
      txId: 'a1',
      writes: [
        { key, value: '{"v":1}' },
        { key: 'gone', isDelete: true },
        { namespace: 'other', key: 'x', value: 'y' },
      ],
      event: { name: 'evidence.recorded', payload: '{"keys":[]}' },
      timestampMs: 1_780_000_000_123,
      creatorMsp: 'Org2MSP',
    },
  ]);
  const decoded = decodeBlock(block);
  expect(decoded.number).toBe(7n);
  expect(Buffer.from(decoded.previousHash)).toEqual(Buffer.alloc(32, 1));
  expect(Buffer.from(decoded.hash)).toEqual(Buffer.from(hashOf(block)));
  expect(decoded.transactions).toHaveLength(1);
  const [transaction] = decoded.transactions;
  expect(transaction).toMatchObject({
    txId: 'a1',
    type: 'endorser',
    valid: true,
    validationCode: 'VALID',
    chaincode: 'waymark',
    creatorMsp: 'Org2MSP',
    timestampMs: 1_780_000_000_123,
  });
  expect(
    transaction?.writes.map(({ namespace, key: name, value, isDelete }) => [
      namespace,
      name,
      Buffer.from(value).toString(),
      isDelete,
    ]),
  ).toEqual([
    ['waymark', key, '{"v":1}', false],
    ['waymark', 'gone', '', true],
    ['other', 'x', 'y', false],
  ]);
  expect(
    transaction?.events.map(({ chaincode, name, payload }) => [chaincode, name, Buffer.from(payload).toString()]),
  ).toEqual([['waymark', 'evidence.recorded', '{"keys":[]}']]);
});

test('an invalid transaction is listed with Fabric’s code and without writes or events', () => {
  const decoded = decodeBlock(
    buildBlock(1n, Buffer.alloc(32), [
      { txId: 'a', writes: [{ key, value: '1' }], validationCode: codes.MVCC_READ_CONFLICT },
      { txId: 'b', writes: [{ key, value: '2' }], event: { name: 'e', payload: '' } },
    ]),
  );
  expect(decoded.transactions).toMatchObject([
    { txId: 'a', valid: false, validationCode: 'MVCC_READ_CONFLICT', writes: [], events: [] },
    { txId: 'b', valid: true, validationCode: 'VALID' },
  ]);
  expect(decoded.transactions[1]?.writes).toHaveLength(1);
});

test('an invalid transaction may be any bytes; it hides nothing of the others', () => {
  const decoded = decodeBlock(
    buildBlock(1n, Buffer.alloc(32), [
      { bytes: Uint8Array.from([0xff, 0xff, 0xff]), validationCode: codes.BAD_PAYLOAD },
      { bytes: new Uint8Array(), validationCode: codes.NIL_ENVELOPE },
      { txId: 'good', writes: [{ key, value: '1' }] },
    ]),
  );
  expect(decoded.transactions.map(({ txId, valid, validationCode }) => [txId, valid, validationCode])).toEqual([
    ['', false, 'BAD_PAYLOAD'],
    ['', false, 'NIL_ENVELOPE'],
    ['good', true, 'VALID'],
  ]);
});

test('a configuration block has one transaction without writes', () => {
  const decoded = decodeBlock(buildBlock(0n, new Uint8Array(), [{ txId: '', type: common.HeaderType.CONFIG }]));
  expect(decoded.transactions).toMatchObject([{ type: 'config', valid: true, chaincode: '', writes: [], events: [] }]);
});

test('a block whose data does not match its header is data-abnormal', () => {
  const block = buildBlock(3n, Buffer.alloc(32), [{ txId: 'a' }]);
  block.getData()?.setDataList([buildEnvelope({ txId: 'b' })]);
  expect(() => decodeBlock(block)).toThrow(expect.objectContaining({ code: 'data-abnormal' }) as Error);
});

test('a block that does not say which transactions are valid is data-abnormal', () => {
  const block = buildBlock(3n, Buffer.alloc(32), [{ txId: 'a' }]);
  block.setMetadata(new common.BlockMetadata());
  expect(() => decodeBlock(block)).toThrow(expect.objectContaining({ code: 'data-abnormal' }) as Error);
});

test('a valid transaction that cannot be read is data-abnormal, never skipped', () => {
  const block = buildBlock(3n, Buffer.alloc(32), [{ bytes: Uint8Array.from([0xff, 0xff]), validationCode: 0 }]);
  expect(() => decodeBlock(block)).toThrow(expect.objectContaining({ code: 'data-abnormal' }) as Error);
});

test('a code without a name is kept as a number', () => {
  const decoded = decodeBlock(buildBlock(1n, Buffer.alloc(32), [{ txId: 'a', validationCode: 77 }]));
  expect(decoded.transactions).toMatchObject([{ valid: false, validationCode: 'UNKNOWN_77' }]);
});
