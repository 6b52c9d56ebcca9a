import { status } from '@grpc/grpc-js';
import { definitionOf, isToBeCommitted } from '../../src/chaincode/definition.ts';
import { patienceMs } from '../../src/chaincode/patience.ts';
import { WaymarkError } from '@waymark/protocol';
import { thrownBy } from '../support/thrown-by.ts';

describe('a definition and what is committed', () => {
  const plan = { name: 'records', version: '1', sequence: 1, address: {} };
  const committed = definitionOf(plan);

  test('the next sequence is to be committed, the same definition is not', () => {
    expect(isToBeCommitted(committed, undefined)).toBe(true);
    expect(isToBeCommitted(committed, committed)).toBe(false);
    expect(isToBeCommitted(definitionOf({ ...plan, version: '2', sequence: 2 }), committed)).toBe(true);
  });

  test.each([
    ['another version', { ...plan, version: '2' }, /has the version 1, not 2/],
    ['another policy', { ...plan, endorsementPolicy: "OR('Org1MSP.peer')" }, /another endorsement policy/],
    ['a skipped sequence', { ...plan, sequence: 3 }, /has the sequence 2/],
  ])('%s is refused', (_what, other, message) => {
    expect(thrownBy(() => isToBeCommitted(definitionOf(other), committed))).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(message) as string,
    });
  });

  test('an earlier sequence is refused: the channel is further', () => {
    const further = definitionOf({ ...plan, version: '2', sequence: 2 });
    expect(thrownBy(() => isToBeCommitted(committed, further))).toMatchObject({
      code: 'conflict',
      details: { committedSequence: 2 },
    });
  });
});

describe('what fails', () => {
  const minute = 60_000;

  test('is final when a chaincode or a policy refuses it', () => {
    for (const message of ['chaincode response 500, no such thing', 'access denied for [x]', 'creator org unknown']) {
      expect(patienceMs(new WaymarkError('unavailable', message))).toBe(0);
    }
    expect(patienceMs(new WaymarkError('chaincode-error', 'invalid name'))).toBe(0);
    expect(patienceMs(new TypeError('a defect'))).toBe(0);
  });

  test('is tried again for a minute when nobody was there, and shortly when a peer lags', () => {
    expect(patienceMs(new WaymarkError('unavailable', `${status.UNAVAILABLE}`))).toBe(minute);
    const lagging = 'chaincode response 500, chaincode definition not agreed to by this org (Org2MSP)';
    expect(patienceMs(new Error(lagging))).toBeGreaterThan(0);
    expect(patienceMs(new Error(lagging))).toBeLessThan(minute);
  });
});
