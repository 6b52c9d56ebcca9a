import { ledger, peer } from '@hyperledger/fabric-protos';
import { LIFECYCLE_NAMESPACE, sequenceKey } from '../../src/lifecycle/chaincode-definition.ts';
import {
  createChaincodeSupport,
  type ChaincodeSupport,
  type ChaincodeSupportParams,
} from '../../src/shim/chaincode-support.ts';
import { TxSimulator } from '../../src/simulation/index.ts';
import { MemoryState } from '../harness/memory-state.ts';
import {
  startScriptedChaincode,
  type ScriptedChaincode,
  type ScriptedTransaction,
} from '../harness/scripted-chaincode.ts';

const Type = peer.ChaincodeMessage.Type;
const CHANNEL = 'ch';

/** What stands for the chaincodes of the peer itself. */
const answerForSystem: ChaincodeSupportParams['invokeSystemChaincode'] = (name, { txId }, input) => {
  const args = input.getArgsList_asU8().map((arg) => Buffer.from(arg).toString());
  const response = new peer.Response();
  response.setStatus(200);
  response.setPayload(Buffer.from(`${name}(${args.join()}) in ${txId}`));
  return Promise.resolve(response);
};

type Script = (transaction: ScriptedTransaction) => Promise<string | Error>;

describe('the peer of a chaincode', () => {
  let chaincode: ScriptedChaincode;
  let support: ChaincodeSupport;
  const scripts = new Map<string, Script>();
  const state = new MemoryState();
  let transactions = 0;
  /** Told why a connection is down, by name of the chaincode. */
  const refusals = new Map<string, (reason: string) => void>();

  beforeAll(async () => {
    for (const name of ['cc', 'other', 'away', 'wrong']) state.put(LIFECYCLE_NAMESPACE, sequenceKey(name), '1');
    for (let index = 0; index < 250; index++) state.put('cc', `r${String(index).padStart(4, '0')}`, 'v');
    state.put('other', 'o', 'of other');
    chaincode = await startScriptedChaincode('cc_1:ff', (transaction) => {
      const script = scripts.get(transaction.args[0] ?? '');
      if (script === undefined) throw new Error(`no script ${transaction.args.join()}`);
      return script(transaction);
    });
    const endpoint = { address: chaincode.address };
    support = createChaincodeSupport({
      chaincodes: [
        { name: 'cc', packageId: 'cc_1:ff', endpoint },
        { name: 'other', endpoint },
        { name: 'wrong', packageId: 'cc_2:00', endpoint },
        { name: 'away', endpoint: { address: '127.0.0.1:1' } },
      ],
      checkChaincodeToChaincode: () => undefined,
      invokeSystemChaincode: answerForSystem,
      launchTimeoutMs: 300,
      onStateChange: (name, { state: connection }) => {
        if (connection.kind === 'down') refusals.get(name)?.(connection.reason);
      },
    });
    await support.connection('cc')?.ready(5_000);
    await support.connection('other')?.ready(5_000);
  });
  afterAll(() => {
    support.close();
    chaincode.stop();
  });

  const begin = (txId = `tx${transactions++}`) => {
    const simulator = new TxSimulator(txId, state);
    return {
      channelId: CHANNEL,
      txId,
      simulator,
      signedProposal: new peer.SignedProposal(),
      creator: new Uint8Array(),
    };
  };
  const input = (...args: string[]) => {
    const result = new peer.ChaincodeInput();
    result.setArgsList(args.map((arg) => Buffer.from(arg)));
    return result;
  };
  const run = async (script: Script, name = 'cc', transaction = begin()): Promise<string> => {
    const key = `script ${transaction.txId}`;
    scripts.set(key, script);
    const { response } = await support.execute(transaction, name, input(key));
    return Buffer.from(response.getPayload_asU8()).toString();
  };
  const textOf = (message: peer.ChaincodeMessage) => Buffer.from(message.getPayload_asU8()).toString();
  const askFor = (type: number, payload: Uint8Array) => run(async ({ ask }) => textOf(await ask(type, payload)));

  test('a peer has one stream to a chaincode', async () => {
    const first = await support.connection('cc')?.ready(0);
    await run(() => Promise.resolve(''));
    expect(await support.connection('cc')?.ready(0)).toBe(first);
  });

  test('many transactions run at once over one stream, each with its own state', async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        run(async ({ ask, txId }) => {
          await ask(Type.PUT_STATE, putState(`k${index}`, txId));
          const read = await ask(Type.GET_STATE, getState('r0001'));
          return `${textOf(read)} ${txId}`;
        }),
      ),
    );
    expect(new Set(results).size).toBe(200);
    expect(results.every((result) => result.startsWith('v tx'))).toBe(true);
  });

  test('a range goes out in batches of 100 with has_more, then without', async () => {
    const sizes = await run(async ({ ask }) => {
      const range = new peer.GetStateByRange();
      range.setStartkey('r');
      range.setEndkey('s');
      let response = queryResponse(await ask(Type.GET_STATE_BY_RANGE, range.serializeBinary()));
      const counts = [[response.getResultsList().length, response.getHasMore()]];
      while (response.getHasMore()) {
        const next = new peer.QueryStateNext();
        next.setId(response.getId());
        response = queryResponse(await ask(Type.QUERY_STATE_NEXT, next.serializeBinary()));
        counts.push([response.getResultsList().length, response.getHasMore()]);
      }
      const afterEnd = new peer.QueryStateNext();
      afterEnd.setId(response.getId());
      return JSON.stringify([counts, textOf(await ask(Type.QUERY_STATE_NEXT, afterEnd.serializeBinary()))]);
    });
    const [counts, error] = JSON.parse(sizes) as [unknown, string];
    expect(counts).toEqual([
      [100, true],
      [100, true],
      [50, false],
    ]);
    expect(error).toMatch(/^QUERY_STATE_NEXT failed: transaction ID: tx\d+: query iterator not found$/);
  });

  test('a page is one response with its bookmark', async () => {
    const answer = await run(async ({ ask }) => {
      const metadata = new peer.QueryMetadata();
      metadata.setPagesize(120);
      const range = new peer.GetStateByRange();
      range.setStartkey('r');
      range.setMetadata(metadata.serializeBinary());
      const response = queryResponse(await ask(Type.GET_STATE_BY_RANGE, range.serializeBinary()));
      const page = peer.QueryResponseMetadata.deserializeBinary(response.getMetadata_asU8());
      return JSON.stringify([response.getResultsList().length, response.getHasMore(), page.toObject()]);
    });
    expect(JSON.parse(answer)).toEqual([120, false, { fetchedRecordsCount: 120, bookmark: 'r0120' }]);
  });

  test('a history comes as key modifications', async () => {
    state.addHistory('cc', 'h', { txId: 't1', value: Buffer.from('x'), timestampMs: 1500, isDelete: false });
    const request = new peer.GetHistoryForKey();
    request.setKey('h');
    const found = await run(async ({ ask }) => {
      const response = queryResponse(await ask(Type.GET_HISTORY_FOR_KEY, request.serializeBinary()));
      return JSON.stringify(
        response
          .getResultsList()
          .map((result) =>
            ledger.queryresult.KeyModification.deserializeBinary(result.getResultbytes_asU8()).toObject(),
          ),
      );
    });
    expect(JSON.parse(found)).toEqual([
      {
        txId: 't1',
        value: Buffer.from('x').toString('base64'),
        timestamp: { seconds: 1, nanos: 5e8 },
        isDelete: false,
      },
    ]);
  });

  test.each([
    ['private data', Type.GET_STATE, () => withCollection(), 'GET_STATE', 'private data collections are not supported'],
    ['private data hashes', Type.GET_PRIVATE_DATA_HASH, () => getState('k'), 'GET_PRIVATE_DATA_HASH', 'private data'],
    [
      'rich queries',
      Type.GET_QUERY_RESULT,
      () => new Uint8Array(),
      'GET_QUERY_RESULT',
      'ExecuteQuery not supported for leveldb',
    ],
  ] as const)('%s answer ERROR with the name of the feature', async (_name, type, payload, operation, reason) => {
    const text = await askFor(type, payload());
    expect(text).toMatch(new RegExp(`^${operation} failed: transaction ID: tx\\d+: .*${reason}`));
  });

  test('a called chaincode shares the transaction and has its own namespace', async () => {
    scripts.set('callee', async ({ ask }) => {
      await ask(Type.PUT_STATE, putState('written', 'by callee'));
      return textOf(await ask(Type.GET_STATE, getState('o')));
    });
    const transaction = begin();
    const answer = await run(
      async ({ ask }) => {
        const called = await ask(Type.INVOKE_CHAINCODE, invocation('other', 'callee'));
        const message = peer.ChaincodeMessage.deserializeBinary(called.getPayload_asU8());
        return Buffer.from(peer.Response.deserializeBinary(message.getPayload_asU8()).getPayload_asU8()).toString();
      },
      'cc',
      transaction,
    );
    expect(answer).toBe('of other');
    const { namespaces, writtenMetadata } = transaction.simulator.results();
    expect([...namespaces].sort()).toEqual(['_lifecycle', 'other']);
    expect([...(writtenMetadata.get('other')?.keys() ?? [])]).toEqual(['written']);
  });

  test('a chaincode of the peer itself may be called in the own channel, and answers as a chaincode does', async () => {
    const transaction = begin();
    const answer = await run(
      async ({ ask }) => {
        const called = await ask(Type.INVOKE_CHAINCODE, invocation('qscc', 'GetChainInfo'));
        expect(called.getType()).toBe(Type.RESPONSE);
        const message = peer.ChaincodeMessage.deserializeBinary(called.getPayload_asU8());
        expect(message.getType()).toBe(Type.COMPLETED);
        return Buffer.from(peer.Response.deserializeBinary(message.getPayload_asU8()).getPayload_asU8()).toString();
      },
      'cc',
      transaction,
    );
    expect(answer).toBe(`qscc(GetChainInfo) in ${transaction.txId}`);
    expect(await askFor(Type.INVOKE_CHAINCODE, invocation('qscc/elsewhere', 'x'))).toContain(
      'failed to find ledger for channel: elsewhere',
    );
  });

  test('calling a chaincode of another channel, or one that is not defined, is refused', async () => {
    expect(await askFor(Type.INVOKE_CHAINCODE, invocation('other/elsewhere', 'x'))).toContain(
      'Failed to get policy manager for channel [elsewhere]',
    );
    expect(await askFor(Type.INVOKE_CHAINCODE, invocation('unknown', 'x'))).toContain(
      'execute failed: invalid invocation: [channel ch] failed to get chaincode container info for unknown: chaincode unknown not found',
    );
  });

  test('a chaincode that does not answer in time fails with the text of Fabric, and the stream lives on', async () => {
    const hasty = createChaincodeSupport({
      chaincodes: [{ name: 'cc', endpoint: { address: chaincode.address } }],
      checkChaincodeToChaincode: () => undefined,
      invokeSystemChaincode: answerForSystem,
      executeTimeoutMs: 50,
    });
    const connection = hasty.connection('cc');
    const stream = await connection?.ready(10_000);
    scripts.set('silent', () => new Promise(() => undefined));
    await expect(hasty.execute(begin('slow'), 'cc', input('silent'))).rejects.toThrow(
      'failed to execute transaction slow: error sending: timeout expired while executing transaction',
    );
    expect(await connection?.ready(0)).toBe(stream);
    hasty.close();
  });

  test('ERROR instead of COMPLETED is a failure with its text', async () => {
    await expect(run(() => Promise.resolve(new Error('out of paper')))).rejects.toThrow(
      'transaction returned with failure: out of paper',
    );
  });

  test('one transaction id runs once at a time', async () => {
    const transaction = begin('same');
    let finish: (value: string) => void = () => undefined;
    let first: Promise<string> = Promise.resolve('');
    await new Promise<void>((started) => {
      const script = () =>
        new Promise<string>((resolve) => {
          finish = resolve;
          started();
        });
      first = run(script, 'cc', transaction);
    });
    await expect(support.execute(transaction, 'cc', input('script same'))).rejects.toThrow('txid: same(ch) exists');
    finish('done');
    expect(await first).toBe('done');
  });

  test('a chaincode that is not there, or registers as another, is an error that says so', async () => {
    await expect(run(() => Promise.resolve(''), 'away')).rejects.toThrow(
      /could not launch chaincode away: connection to 127\.0\.0\.1:1 failed: /,
    );
    const refused = 'the chaincode registers as cc_1:ff, but cc_2:00 is expected';
    await new Promise<void>((resolve) => {
      refusals.set('wrong', (reason) => reason === refused && resolve());
    });
    await expect(run(() => Promise.resolve(''), 'wrong')).rejects.toThrow(refused);
  });

  test('when the stream ends, transactions in flight fail; the peer dials again', async () => {
    const lost = run(({ ask }) => {
      void ask(Type.KEEPALIVE, new Uint8Array());
      chaincode.drop();
      return new Promise(() => undefined);
    });
    await expect(lost).rejects.toThrow('chaincode stream terminated');
    await support.connection('cc')?.ready(5_000);
    expect(await run(() => Promise.resolve('back'))).toBe('back');
  });
});

function getState(key: string): Uint8Array {
  const request = new peer.GetState();
  request.setKey(key);
  return request.serializeBinary();
}

function withCollection(): Uint8Array {
  const request = new peer.GetState();
  request.setKey('k');
  request.setCollection('secrets');
  return request.serializeBinary();
}

function putState(key: string, value: string): Uint8Array {
  const request = new peer.PutState();
  request.setKey(key);
  request.setValue(Buffer.from(value));
  return request.serializeBinary();
}

function invocation(name: string, ...args: string[]): Uint8Array {
  const id = new peer.ChaincodeID();
  id.setName(name);
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => Buffer.from(arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  return spec.serializeBinary();
}

function queryResponse(message: peer.ChaincodeMessage): peer.QueryResponse {
  return peer.QueryResponse.deserializeBinary(message.getPayload_asU8());
}
