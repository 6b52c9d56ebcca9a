import { contract, text, type LedgerBench } from './bench.ts';

/** What is known of a transaction after it was submitted. */
export function statusRules(bench: LedgerBench): void {
  const { fresh, created } = bench;

  test('the result is known as soon as the transaction is ordered, and the same once it is committed', async () => {
    const submitted = await bench.ledger.submit(contract, 'createAsset', [fresh(), 'owner', '7']);
    expect(submitted.txId).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(text(submitted.result))).toMatchObject({ value: 7 });
    const committed = await submitted.commit();
    expect(Buffer.from(committed.result)).toEqual(Buffer.from(submitted.result));
    expect(committed.txId).toBe(submitted.txId);
  });

  test('asked for the commit twice, it gives the same outcome twice', async () => {
    const { ledger } = bench;
    const good = await ledger.submit(contract, 'createAsset', [fresh(), 'owner', '1']);
    expect(await good.commit()).toEqual(await good.commit());
    const bad = await ledger.submit(contract, 'raw', [fresh(), 'x'], { endorsingOrganizations: [ledger.mspId] });
    const failures = await Promise.all([bad.commit(), bad.commit()].map((outcome) => outcome.catch(asIs)));
    expect(failures[0]).toBe(failures[1]);
    expect(failures[0]).toMatchObject({ code: 'transaction-invalid' });
  });

  test('the status of a transaction that is under way is waited for', async () => {
    const submitted = await bench.ledger.submit(contract, 'createAsset', [fresh(), 'owner', '1']);
    const { txId } = submitted;
    expect(await bench.ledger.transactionStatus(txId, 20_000)).toMatchObject({ txId, valid: true });
    expect((await submitted.commit()).txId).toBe(txId);
  });

  test('another organisation and a later connection know the status as well', async () => {
    const { txId, blockNumber } = await created();
    const expected = { txId, blockNumber, valid: true, validationCode: 'VALID' };
    expect(await bench.underTest.other.transactionStatus(txId, 20_000)).toEqual(expected);
    const later = bench.underTest.connect();
    try {
      expect(await later.transactionStatus(txId)).toEqual(expected);
    } finally {
      later.close();
    }
  });

  test('of a transaction that lost against another the status names Fabric’s code', async () => {
    const { id } = await created();
    const outcomes = await Promise.allSettled(
      ['2', '3', '4', '5'].map((value) => bench.ledger.submit(contract, 'updateAsset', [id, value])),
    );
    const ordered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const statuses = await Promise.all(ordered.map(({ txId }) => bench.ledger.transactionStatus(txId, 20_000)));
    expect(statuses.filter((status) => status?.valid === true)).toHaveLength(1);
    for (const status of statuses) expect(status?.validationCode).toMatch(/^(VALID|MVCC_READ_CONFLICT)$/);
  });

  test('a transaction nobody knows has no status', async () => {
    expect(await bench.ledger.transactionStatus('00'.repeat(32), 300)).toBeUndefined();
  });
}

function asIs(error: unknown): unknown {
  return error;
}
