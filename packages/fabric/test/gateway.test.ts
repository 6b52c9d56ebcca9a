import { status } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { buildBlock, hashOf } from './block-builder.ts';
import { fault, startFakeGateway, type FakeGateway, type GatewayScript } from './fake-gateway.ts';
import type { GatewayOptions } from '../src/index.ts';

const { MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE } = peer.TxValidationCode;
const running: FakeGateway[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.close();
});

async function ledgerWith(script: GatewayScript, options: Partial<GatewayOptions> = {}) {
  const gateway = await startFakeGateway(script, options);
  running.push(gateway);
  return gateway.ledger;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('evaluate gives what the function returned', async () => {
  const ledger = await ledgerWith({ evaluate: () => 'answer' });
  expect(text(await ledger.evaluate('evidence', 'get', ['Org1MSP/o/1']))).toBe('answer');
});

test('a refusal by the chaincode keeps its code over the wire', async () => {
  const refusal = fault(status.UNKNOWN, 'evaluate call to endorser returned error', [
    'chaincode response 500, WAYMARK_REFUSED: {"reason":"not-there"}',
  ]);
  const ledger = await ledgerWith({
    evaluate: () => {
      throw refusal;
    },
  });
  await expect(ledger.evaluate('evidence', 'get', ['x'])).rejects.toMatchObject({
    code: 'refused',
    details: { reason: 'not-there' },
  });
});

test('submit gives the transaction and, once committed, its block', async () => {
  const ledger = await ledgerWith({ commitStatus: () => ({ code: 0, block: 12 }) });
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  expect(submitted.txId).toMatch(/^[0-9a-f]{64}$/);
  expect(text(submitted.result)).toBe(`result of ${submitted.txId}`);
  expect(await submitted.commit()).toEqual({ txId: submitted.txId, result: submitted.result, blockNumber: 12n });
});

test('a transaction committed as invalid is reported with Fabric’s code and is not repeated', async () => {
  let endorsed = 0;
  const ledger = await ledgerWith({
    endorse: () => void (endorsed += 1),
    commitStatus: () => ({ code: MVCC_READ_CONFLICT, block: 3 }),
  });
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  await expect(submitted.commit()).rejects.toMatchObject({
    code: 'transaction-invalid',
    details: { txId: submitted.txId, validationCode: 'MVCC_READ_CONFLICT', blockNumber: '3' },
  });
  expect(endorsed).toBe(1);
});

test('a retryable transaction that lost against others is made anew until it is valid', async () => {
  const answers = [MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, 0];
  const ids = new Set<string>();
  const ledger = await ledgerWith({
    commitStatus: (txId) => {
      ids.add(txId);
      return { code: answers.shift() ?? 0, block: 5 };
    },
  });
  const submitted = await ledger.submit('evidence', 'record', ['[]'], { retryable: true });
  const committed = await submitted.commit();
  expect(ids.size).toBe(3);
  expect(committed.txId).not.toBe(submitted.txId);
  expect(text(committed.result)).toBe(`result of ${committed.txId}`);
});

test('endorsers at different heights are asked again when the call is retryable', async () => {
  let endorsed = 0;
  const script: GatewayScript = {
    endorse: () => {
      endorsed += 1;
      if (endorsed === 1) {
        throw fault(status.ABORTED, 'failed to collect enough transaction endorsements', [
          'ProposalResponsePayloads do not match (base64)',
        ]);
      }
    },
  };
  const ledger = await ledgerWith(script);
  await expect(ledger.submit('evidence', 'record', [])).rejects.toMatchObject({ code: 'transaction-invalid' });
  endorsed = 0;
  const submitted = await ledger.submit('evidence', 'record', [], { retryable: true });
  expect((await submitted.commit()).blockNumber).toBe(1n);
});

test('repetitions are bounded', async () => {
  let endorsed = 0;
  const ledger = await ledgerWith(
    { endorse: () => void (endorsed += 1), commitStatus: () => ({ code: MVCC_READ_CONFLICT, block: 3 }) },
    { maxConflictRetries: 2 },
  );
  const submitted = await ledger.submit('evidence', 'record', ['[]'], { retryable: true });
  await expect(submitted.commit()).rejects.toMatchObject({ code: 'transaction-invalid' });
  expect(endorsed).toBe(3);
});

test('other invalid codes are never repeated', async () => {
  let endorsed = 0;
  const ledger = await ledgerWith({
    endorse: () => void (endorsed += 1),
    commitStatus: () => ({ code: ENDORSEMENT_POLICY_FAILURE, block: 3 }),
  });
  const submitted = await ledger.submit('evidence', 'record', ['[]'], { retryable: true });
  await expect(submitted.commit()).rejects.toMatchObject({ details: { validationCode: 'ENDORSEMENT_POLICY_FAILURE' } });
  expect(endorsed).toBe(1);
});

test('a lost commit status is asked for again with the same transaction id', async () => {
  const asked: string[] = [];
  const ledger = await ledgerWith({
    commitStatus: (txId) => {
      asked.push(txId);
      if (asked.length < 3) throw fault(status.UNAVAILABLE, 'peer is restarting');
      return { code: 0, block: 9 };
    },
  });
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  expect((await submitted.commit()).blockNumber).toBe(9n);
  expect(asked).toEqual([submitted.txId, submitted.txId, submitted.txId]);
});

test('a transaction that was ordered and lost before it was in a block is handed in again, the same', async () => {
  const sent: string[] = [];
  const asked: string[] = [];
  const ledger = await ledgerWith(
    {
      submit: (txId) => {
        sent.push(txId);
      },
      commitStatus: (txId) => {
        asked.push(txId);
        if (asked.length === 1) throw fault(status.UNAVAILABLE, 'peer is restarting');
        return sent.length < 2 ? new Promise(() => undefined) : { code: 0, block: 9 };
      },
    },
    { deadlines: { commitStatusMs: 200 } },
  );
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  expect((await submitted.commit()).txId).toBe(submitted.txId);
  expect(sent).toEqual([submitted.txId, submitted.txId]);
});

test('when nobody can say whether it was committed, the error says so and names the transaction', async () => {
  const ledger = await ledgerWith(
    { commitStatus: () => new Promise(() => undefined) },
    { deadlines: { commitStatusMs: 100, commitTotalMs: 300 } },
  );
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  await expect(submitted.commit()).rejects.toMatchObject({
    code: 'unavailable',
    details: { txId: submitted.txId, maybeOrdered: true },
  });
});

test('a lost answer of the ordering service sends the same transaction again', async () => {
  const sent: string[] = [];
  const ledger = await ledgerWith({
    submit: (txId) => {
      sent.push(txId);
      if (sent.length < 3) throw fault(status.UNAVAILABLE, 'no orderers could successfully process transaction');
    },
  });
  const submitted = await ledger.submit('evidence', 'record', ['[]']);
  expect(sent).toEqual([submitted.txId, submitted.txId, submitted.txId]);
});

test('when the ordering service never answers, the error says that it may have it all the same', async () => {
  const ledger = await ledgerWith({
    submit: () => {
      throw fault(status.UNAVAILABLE, 'no orderers could successfully process transaction');
    },
  });
  await expect(ledger.submit('evidence', 'record', ['[]'])).rejects.toMatchObject({
    code: 'unavailable',
    details: { txId: expect.stringMatching(/^[0-9a-f]{64}$/) as string, maybeOrdered: true },
  });
});

test('what the ordering service refuses is not sent again', async () => {
  let sent = 0;
  const ledger = await ledgerWith({
    submit: () => {
      sent += 1;
      throw fault(status.ABORTED, 'received unsuccessful response from orderer: status=FORBIDDEN, info=');
    },
  });
  const failure: unknown = await ledger.submit('evidence', 'record', ['[]']).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'refused' });
  expect((failure as { details: object }).details).not.toHaveProperty('maybeOrdered');
  expect(sent).toBe(1);
});

test('a transaction’s status can be asked for later, by id alone', async () => {
  const ledger = await ledgerWith({
    commitStatus: (txId) =>
      txId === 'known' ? { code: MVCC_READ_CONFLICT, block: 4 } : new Promise<never>(() => undefined),
  });
  expect(await ledger.transactionStatus('known')).toEqual({
    txId: 'known',
    blockNumber: 4n,
    valid: false,
    validationCode: 'MVCC_READ_CONFLICT',
  });
  expect(await ledger.transactionStatus('unknown', 150)).toBeUndefined();
});

test('no more calls than allowed are in flight; the rest waits its turn', async () => {
  let open = 0;
  let most = 0;
  const ledger = await ledgerWith(
    {
      evaluate: async () => {
        most = Math.max(most, (open += 1));
        await new Promise(setImmediate);
        open -= 1;
        return '';
      },
    },
    { maxInFlight: 4 },
  );
  await Promise.all(Array.from({ length: 50 }, () => ledger.evaluate('evidence', 'get', ['x'])));
  expect(most).toBeLessThanOrEqual(4);
  expect(ledger.load).toEqual({ inFlight: 0, waiting: 0 });
});

test('blocks come from the number asked for, in order, and the iteration ends when told', async () => {
  const first = buildBlock(0n, new Uint8Array(), [{ txId: 'a' }]);
  const second = buildBlock(1n, hashOf(first), [{ txId: 'b' }]);
  const asked: number[] = [];
  const ledger = await ledgerWith({
    blocks: (from) => {
      asked.push(from);
      return { blocks: [first, second].slice(from) };
    },
  });
  const abort = new AbortController();
  const seen: bigint[] = [];
  for await (const block of ledger.blockEvents({ from: 0n, signal: abort.signal })) {
    seen.push(block.number);
    if (block.number === 1n) abort.abort();
  }
  for await (const block of ledger.blockEvents({ from: 1n })) {
    seen.push(block.number);
    break;
  }
  expect(seen).toEqual([0n, 1n, 1n]);
  expect(asked).toEqual([0, 1]);
});

test('a block out of turn is data-abnormal, a stream that ends is unavailable', async () => {
  const block = buildBlock(5n, Buffer.alloc(32), [{ txId: 'a' }]);
  const ledger = await ledgerWith({ blocks: (from) => ({ blocks: from === 0 ? [block] : [], end: true }) });
  const read = async (from: bigint): Promise<void> => {
    for await (const { number } of ledger.blockEvents({ from })) expect(number).toBeGreaterThanOrEqual(0n);
  };
  await expect(read(0n)).rejects.toMatchObject({ code: 'data-abnormal' });
  await expect(read(2n)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a gateway that is not there is unavailable, and a closed ledger too', async () => {
  const ledger = await ledgerWith({}, { endpoint: '127.0.0.1:1', deadlines: { evaluateMs: 1_000 } });
  await expect(ledger.evaluate('evidence', 'get', [])).rejects.toMatchObject({ code: 'unavailable' });
  ledger.close();
  await expect(ledger.evaluate('evidence', 'get', [])).rejects.toMatchObject({ code: 'unavailable' });
  await expect(ledger.submit('evidence', 'record', [])).rejects.toMatchObject({ code: 'unavailable' });
});
