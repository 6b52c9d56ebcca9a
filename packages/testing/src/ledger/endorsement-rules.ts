import { expectCode } from '../content/expect-code.ts';
import { contract, text, type LedgerBench } from './bench.ts';

/** Who endorses, and what comes of too few. The chaincode's policy asks for both organisations. */
export function endorsementRules(bench: LedgerBench): void {
  const { fresh, commit } = bench;

  test('organisations that are named endorse', async () => {
    const { ledger, other } = bench.underTest;
    const key = fresh('named');
    await commit('raw', [key, 'x'], { endorsingOrganizations: [ledger.mspId, other.mspId] });
    expect(text(await ledger.evaluate(contract, 'readRaw', [key]))).toBe(Buffer.from('x').toString('base64'));
  });

  test('when fewer are named than the policy asks for, the transaction is invalid, is not repeated, and says where it is', async () => {
    const { ledger } = bench;
    const key = fresh('few');
    const submitted = await ledger.submit(contract, 'raw', [key, 'x'], {
      endorsingOrganizations: [ledger.mspId],
      retryable: true,
    });
    const expected = {
      code: 'transaction-invalid',
      details: { txId: submitted.txId, validationCode: 'ENDORSEMENT_POLICY_FAILURE' },
    };
    const failure: unknown = await submitted.commit().catch((error: unknown) => error);
    expect(failure).toMatchObject(expected);
    const status = await ledger.transactionStatus(submitted.txId);
    expect(status).toMatchObject({ valid: false, validationCode: 'ENDORSEMENT_POLICY_FAILURE' });
    expect(failure).toMatchObject({ details: { blockNumber: String(status?.blockNumber) } });
    expect(text(await ledger.evaluate(contract, 'readRaw', [key]))).toBe('');
  });

  test('an organisation that the channel does not have cannot endorse', async () => {
    const endorsingOrganizations = [bench.ledger.mspId, 'NobodyMSP'];
    await expectCode(
      bench.ledger.submit(contract, 'raw', [fresh('none'), 'x'], { endorsingOrganizations }),
      'unavailable',
    );
  });

  test('a call that was given up before it began is unavailable, and does nothing', async () => {
    const { ledger } = bench;
    const key = fresh('given-up');
    const signal = AbortSignal.abort();
    await expectCode(ledger.evaluate(contract, 'readRaw', [key], { signal }), 'unavailable');
    await expectCode(ledger.submit(contract, 'raw', [key, 'x'], { signal }), 'unavailable');
    expect(text(await ledger.evaluate(contract, 'readRaw', [key]))).toBe('');
  });

  test('calls under way and calls that wait are counted', async () => {
    const { ledger } = bench;
    const calls = Array.from({ length: 300 }, () => ledger.evaluate(contract, 'readRaw', ['none']));
    await Promise.resolve();
    await new Promise(setImmediate);
    const { inFlight, waiting } = ledger.load;
    expect(inFlight).toBeGreaterThan(0);
    expect(inFlight + waiting).toBeLessThanOrEqual(300);
    await Promise.all(calls);
    expect(ledger.load).toEqual({ inFlight: 0, waiting: 0 });
  });
}
