import type { Ledger } from '@waymark/fabric';
import { WaymarkError, type ErrorCode, type ErrorDetails } from '@waymark/protocol';
import { anchorRefusal, createAnchorContract, type AnchorRefusal } from '../src/index.ts';

const cases: readonly [ErrorCode, ErrorDetails, AnchorRefusal | undefined][] = [
  ['conflict', { expected: 4, first: 3, reason: 'anchored' }, 'position'],
  ['conflict', { expected: 2, reason: 'term-stale', term: 1 }, 'term-stale'],
  ['sequence-gap', { expected: 4, first: 9, reason: 'missing' }, 'position'],
  ['sequence-gap', { first: 4, reason: 'prev' }, 'position'],
  ['sequence-gap', { epoch: 2, reason: 'configuration' }, 'configuration-missing'],
  ['role-not-permitted', { reason: 'not-elected', term: 2 }, 'not-elected'],
  ['role-not-permitted', { reason: 'node-not-registered' }, 'other'],
  ['certificate-revoked', { enrolmentId: 'department-1' }, 'certificate-revoked'],
  ['refused', { reason: 'not-registered' }, 'not-registered'],
  ['transaction-invalid', { validationCode: 'MVCC_READ_CONFLICT' }, 'position'],
  ['signature-invalid', { reason: 'bytes' }, 'other'],
  ['unavailable', {}, undefined],
];

test.each(cases)('a refusal %s %j means %s', (code, details, meaning) => {
  expect(anchorRefusal(new WaymarkError(code, 'refused', { details }))).toBe(meaning);
});

function contractOf(answer: unknown) {
  const said = (): Promise<Uint8Array> =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(Buffer.from(JSON.stringify(answer)));
  const ledger: Pick<Ledger, 'evaluate' | 'submit'> = {
    evaluate: said,
    submit: async () => {
      const result = await said();
      return { txId: 'tx', result, commit: () => Promise.resolve({ txId: 'tx', result, blockNumber: 7n }) };
    },
  };
  return createAnchorContract(ledger, 'Org1MSP');
}

test('a ledger that is not registered has no head', async () => {
  const cause = new Error('chaincode');
  const refusal = new WaymarkError('refused', 'no', { details: { msp: 'Org1MSP', reason: 'not-there' }, cause });
  expect(await contractOf(refusal).head()).toBeUndefined();
});

test('what only a gateway says is unavailable, and the chaincode’s refusal stays as it is', async () => {
  const cause = new Error('gRPC');
  const denied = new WaymarkError('refused', 'no', { details: { grpcStatus: 'PERMISSION_DENIED' }, cause });
  await expect(contractOf(denied).anchor(new Uint8Array(1))).rejects.toMatchObject({ code: 'unavailable' });
  const refusal = new WaymarkError('conflict', 'no', { details: { expected: 4 }, cause });
  await expect(contractOf(refusal).configure(new Uint8Array(1))).rejects.toMatchObject({ code: 'conflict' });
});

test('an answer of another form is refused; a report says what it proves', async () => {
  await expect(contractOf({ v: 2 }).anchor(new Uint8Array(1))).rejects.toMatchObject({ code: 'chaincode-error' });
  const report = { id: 'ab'.repeat(32), proven: true, kind: 'fork' };
  const proof = { type: 'ledger-fork', bytes: new Uint8Array(1) } as const;
  expect(await contractOf({ v: 1, report, repeated: false }).report('Org2MSP', proof)).toEqual({
    txId: 'tx',
    blockNumber: 7n,
    id: report.id,
    proven: true,
    repeated: false,
  });
});
