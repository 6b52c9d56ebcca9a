import { ledger, peer } from '@hyperledger/fabric-protos';
import { connectClient } from '../harness/client.ts';
import { startScriptedChaincode, type Script, type ScriptedTransaction } from '../harness/scripted-chaincode.ts';
import { compareProposal } from './harness/comparable.ts';
import { describeFidelity, type ChaincodeServers } from './harness/describe-fidelity.ts';
import { buildProposal } from './harness/proposal-parts.ts';

const Type = peer.ChaincodeMessage.Type;
const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');

type Ask = ScriptedTransaction['ask'];

const state = (key: string) => {
  const request = new peer.GetState();
  request.setKey(key);
  return request.serializeBinary();
};
const put = (key: string, value: string) => {
  const request = new peer.PutState();
  request.setKey(key);
  request.setValue(Buffer.from(value));
  return request.serializeBinary();
};
const metadata = (key: string, name: string, value: string) => {
  const entry = new peer.StateMetadata();
  entry.setMetakey(name);
  entry.setValue(Buffer.from(value));
  const request = new peer.PutStateMetadata();
  request.setKey(key);
  request.setMetadata(entry);
  return request.serializeBinary();
};
const range = (start: string, end: string, page?: { readonly size: number; readonly bookmark: string }) => {
  const request = new peer.GetStateByRange();
  request.setStartkey(start);
  request.setEndkey(end);
  if (page !== undefined) {
    const query = new peer.QueryMetadata();
    query.setPagesize(page.size);
    query.setBookmark(page.bookmark);
    request.setMetadata(query.serializeBinary());
  }
  return request.serializeBinary();
};
const history = (key: string) => {
  const request = new peer.GetHistoryForKey();
  request.setKey(key);
  return request.serializeBinary();
};
const nextOf = (id: string) => {
  const request = new peer.QueryStateNext();
  request.setId(id);
  return request.serializeBinary();
};
const invoke = (name: string, ...args: readonly (string | Uint8Array)[]) => {
  const id = new peer.ChaincodeID();
  id.setName(name);
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  return spec.serializeBinary();
};
const eventOf = (name: string, chaincodeId = '') => {
  const event = new peer.ChaincodeEvent();
  event.setEventName(name);
  event.setPayload(Buffer.from('payload'));
  event.setChaincodeId(chaincodeId);
  return event;
};

/** What the peer answered, in words. */
const told = (message: peer.ChaincodeMessage) => {
  const payload = Buffer.from(message.getPayload_asU8());
  const text = payload.toString().replaceAll('\u00a0', ' ');
  return message.getType() === Type.RESPONSE ? `RESPONSE ${payload.toString('base64')}` : `ERROR ${text}`;
};
const asks =
  (...requests: readonly (readonly [number, Uint8Array])[]): Script =>
  async ({ ask }) => {
    const answers: string[] = [];
    for (const [type, payload] of requests) answers.push(told(await ask(type, payload)));
    return answers.join('\n');
  };
const query = async (ask: Ask, type: number, payload: Uint8Array) =>
  peer.QueryResponse.deserializeBinary((await ask(type, payload)).getPayload_asU8());
/** Keys of a response; ids of queries are made by chance. */
const keysOf = (response: peer.QueryResponse) =>
  response
    .getResultsList()
    .map((result) => ledger.queryresult.KV.deserializeBinary(result.getResultbytes_asU8()).getKey())
    .join();
const describeQuery = (response: peer.QueryResponse) => {
  const page = response.getMetadata_asU8();
  const { fetchedRecordsCount, bookmark } = peer.QueryResponseMetadata.deserializeBinary(page).toObject();
  const paging = page.length === 0 ? '' : `; ${fetchedRecordsCount} up to ${bookmark}`;
  return `${keysOf(response)}${response.getHasMore() ? ', more' : ''}${paging}`;
};
const asksRange =
  (...requests: readonly Uint8Array[]): Script =>
  async ({ ask }) => {
    const answers: string[] = [];
    for (const request of requests) {
      const answer = await ask(Type.GET_STATE_BY_RANGE, request);
      answers.push(
        answer.getType() === Type.ERROR
          ? told(answer)
          : describeQuery(peer.QueryResponse.deserializeBinary(answer.getPayload_asU8())),
      );
    }
    return answers.join('\n');
  };
const wholeRange =
  (start: string, end: string): Script =>
  async ({ ask }) => {
    let response = await query(ask, Type.GET_STATE_BY_RANGE, range(start, end));
    const answers = [describeQuery(response)];
    while (response.getHasMore()) {
      response = await query(ask, Type.QUERY_STATE_NEXT, nextOf(response.getId()));
      answers.push(describeQuery(response));
    }
    return answers.join('\n');
  };
/** What a called chaincode answered, or why there is no answer. */
const called = (message: peer.ChaincodeMessage) => {
  if (message.getType() === Type.ERROR) return told(message);
  const answer = peer.ChaincodeMessage.deserializeBinary(message.getPayload_asU8());
  if (answer.getType() !== Type.COMPLETED) {
    return `${answer.getType()} ${Buffer.from(answer.getPayload_asU8()).toString()}`;
  }
  const response = peer.Response.deserializeBinary(answer.getPayload_asU8());
  const event = answer.getChaincodeEvent()?.getEventName() ?? 'none';
  return `${response.getStatus()} ${response.getMessage()} ${response.getPayload_asB64()}, event ${event}`;
};
const calls =
  (name: string, ...args: readonly (string | Uint8Array)[]): Script =>
  async ({ ask }) =>
    called(await ask(Type.INVOKE_CHAINCODE, invoke(name, ...args)));

const padded = (index: number) => `k${String(index).padStart(3, '0')}`;

const SCRIPTS: Readonly<Record<string, Script>> = {
  setup: async ({ ask }) => {
    for (let index = 0; index < 150; index++) await ask(Type.PUT_STATE, put(padded(index), `v${index}`));
    await ask(Type.PUT_STATE, put('\u0000type\u0000a\u0000', 'composite'));
    await ask(Type.PUT_STATE, put('é', 'accent'));
    await ask(Type.PUT_STATE, put('\u{10000}', 'beyond'));
    await ask(Type.PUT_STATE, put('\uffff', 'last of the plane'));
    await ask(Type.PUT_STATE_METADATA, metadata('k001', 'OTHER', 'm'));
    return 'done';
  },
  change: async ({ ask }) => {
    await ask(Type.PUT_STATE, put('k000', 'again'));
    await ask(Type.DEL_STATE, state('k002'));
    return 'done';
  },

  'a value that is there': asks([Type.GET_STATE, state('k001')]),
  'a value that is not there': asks([Type.GET_STATE, state('nothing')]),
  'a value of no key': asks([Type.GET_STATE, state('')]),
  'a value that was deleted': asks([Type.GET_STATE, state('k002')]),
  'no write is read': asks([Type.PUT_STATE, put('k001', 'new')], [Type.GET_STATE, state('k001')]),
  'an empty value': asks([Type.PUT_STATE, put('empty', '')]),
  'a value without a key': asks([Type.PUT_STATE, put('', 'x')]),
  'deleting what is not there': asks([Type.DEL_STATE, state('nothing')]),
  'deleting, then writing': asks([Type.DEL_STATE, state('k001')], [Type.PUT_STATE, put('k001', 'x')]),
  'writing twice': asks([Type.PUT_STATE, put('w', '1')], [Type.PUT_STATE, put('w', '2')]),
  'writes out of order': asks([Type.PUT_STATE, put('\uffff', '1')], [Type.PUT_STATE, put('\u{10000}', '2')]),
  'metadata that is there': asks([Type.GET_STATE_METADATA, state('k001')]),
  'metadata of a value without any': asks([Type.GET_STATE_METADATA, state('k003')]),
  'metadata of what is not there': asks([Type.GET_STATE_METADATA, state('nothing')]),
  'metadata written for what is not there': asks([Type.PUT_STATE_METADATA, metadata('nothing', 'OTHER', 'm')]),
  'metadata written without a name': asks([Type.PUT_STATE_METADATA, metadata('k001', '', '')]),
  'a policy of a key that is none': asks([Type.PUT_STATE_METADATA, metadata('k001', 'VALIDATION_PARAMETER', 'no')]),

  'a range in two batches': wholeRange('k', 'l'),
  'a range of everything': wholeRange('', ''),
  'a range without a beginning': wholeRange('', 'k001'),
  'a range without an end': wholeRange('k148', ''),
  'a range of one': wholeRange('k001', 'k002'),
  'a range over what was deleted': wholeRange('k001', 'k004'),
  'an empty range': wholeRange('x', 'y'),
  'a range that ends before it begins': wholeRange('k9', 'k1'),
  'a range that ends where it begins': wholeRange('k001', 'k001'),
  'a range of composite keys': wholeRange('\u0000type\u0000', '\u0000type\u0000\u{10ffff}'),
  'half a range': asksRange(range('k', 'l')),
  'half a range, closed': async ({ ask }) => {
    const response = await query(ask, Type.GET_STATE_BY_RANGE, range('k', 'l'));
    const close = new peer.QueryStateClose();
    close.setId(response.getId());
    const closed = await query(ask, Type.QUERY_STATE_CLOSE, close.serializeBinary());
    const after = await ask(Type.QUERY_STATE_NEXT, nextOf(response.getId()));
    return `${closed.getHasMore()} ${closed.getResultsList().length} ${told(after)}`;
  },
  'two ranges at once': asksRange(range('k', 'l'), range('k05', 'k06')),
  'the same range twice': asksRange(range('k00', 'k01'), range('k00', 'k01')),
  'fifty results': wholeRange('k003', 'k053'),
  'fifty-one results': wholeRange('k003', 'k054'),
  'a range after a write': async ({ ask }) => {
    await ask(Type.PUT_STATE, put('k0001', 'between'));
    return describeQuery(await query(ask, Type.GET_STATE_BY_RANGE, range('k000', 'k002')));
  },

  'a page': asksRange(range('k', 'l', { size: 3, bookmark: '' })),
  'a page from a bookmark': asksRange(range('k', 'l', { size: 3, bookmark: 'k010' })),
  'a page from a bookmark that is not there': asksRange(range('k', 'l', { size: 3, bookmark: 'k0105' })),
  'a page from a bookmark before the beginning': asksRange(range('k005', 'l', { size: 3, bookmark: 'k001' })),
  'a page from a bookmark behind the end': asksRange(range('k', 'l', { size: 3, bookmark: 'z' })),
  'a bookmark without a page size': asksRange(range('k', 'l', { size: 0, bookmark: 'k140' })),
  'a negative page size': asksRange(range('k', 'l', { size: -1, bookmark: '' })),
  'a page of everything': asksRange(range('k', 'l', { size: 149, bookmark: '' })),
  'a page that is larger than the range': asksRange(range('k', 'l', { size: 500, bookmark: '' })),
  'a page of more than a peer gives': asksRange(range('k', 'l', { size: 2_000_000, bookmark: '' })),
  'a page of an empty range': asksRange(range('x', 'y', { size: 3, bookmark: '' })),
  'a page of the last results': asksRange(range('k147', 'l', { size: 3, bookmark: '' })),
  'a page, then a write': async ({ ask }) => {
    await query(ask, Type.GET_STATE_BY_RANGE, range('k', 'l', { size: 3, bookmark: '' }));
    return told(await ask(Type.PUT_STATE, put('x', 'y')));
  },
  'a page, then a policy of a key': async ({ ask }) => {
    await query(ask, Type.GET_STATE_BY_RANGE, range('k', 'l', { size: 3, bookmark: '' }));
    return told(await ask(Type.PUT_STATE_METADATA, metadata('k001', 'OTHER', 'y')));
  },
  'a write, then a page': asks(
    [Type.PUT_STATE, put('x', 'y')],
    [Type.GET_STATE_BY_RANGE, range('k', 'l', { size: 3, bookmark: '' })],
  ),
  'a page, then a value': async ({ ask }) => {
    await query(ask, Type.GET_STATE_BY_RANGE, range('k', 'l', { size: 3, bookmark: '' }));
    return told(await ask(Type.GET_STATE, state('k001')));
  },

  'a history': async ({ ask }) => {
    const response = await query(ask, Type.GET_HISTORY_FOR_KEY, history('k000'));
    return JSON.stringify(
      response.getResultsList().map((result) => {
        const found = ledger.queryresult.KeyModification.deserializeBinary(result.getResultbytes_asU8());
        return [found.getValue_asB64(), found.getIsDelete(), found.getTimestamp()?.toObject()];
      }),
    );
  },
  'a history with a deletion': async ({ ask }) => {
    const response = await query(ask, Type.GET_HISTORY_FOR_KEY, history('k002'));
    return String(response.getResultsList().length);
  },
  'a history of nothing': async ({ ask }) =>
    describeQuery(await query(ask, Type.GET_HISTORY_FOR_KEY, history('nothing'))),

  'a rich query': asks([Type.GET_QUERY_RESULT, new Uint8Array()]),
  'the next results of no query': asks([Type.QUERY_STATE_NEXT, nextOf('nothing')]),
  'a value asked for by bytes that are no message': asks([Type.GET_STATE, JUNK]),
  'a write of bytes that are no message': asks([Type.PUT_STATE, JUNK]),
  'a deletion of bytes that are no message': asks([Type.DEL_STATE, JUNK]),
  'a range of bytes that are no message': asks([Type.GET_STATE_BY_RANGE, JUNK]),
  'a history of bytes that are no message': asks([Type.GET_HISTORY_FOR_KEY, JUNK]),
  'metadata of bytes that are no message': asks([Type.GET_STATE_METADATA, JUNK], [Type.PUT_STATE_METADATA, JUNK]),
  'next results of bytes that are no message': asks([Type.QUERY_STATE_NEXT, JUNK], [Type.QUERY_STATE_CLOSE, JUNK]),
  'a call of bytes that are no message': asks([Type.INVOKE_CHAINCODE, JUNK]),

  'a call': calls('other', 'write'),
  'a call by name and version': calls('other:7.0', 'write'),
  'a call by name and channel': calls('other/mychannel', 'write'),
  'a call that fails': calls('other', 'fail'),
  'a call that is refused': calls('other', 'refuse'),
  'a call that breaks': calls('other', 'break'),
  'a call with an event': calls('other', 'event'),
  'a call of itself': calls('scripted', 'a value that is there'),
  'a call that calls back': calls('other', 'call back'),
  'a call of what is not there': calls('nothing', 'x'),
  'a call of what the peer does not have': calls('elsewhere', 'x'),
  'a call of nobody': calls('', 'x'),
  'a call on a channel that is not there': calls('other/nochannel', 'x'),
  'a call of qscc': calls('qscc', 'GetChainInfo', CHANNEL),
  'a call of qscc with too few arguments': calls('qscc', 'GetChainInfo'),
  'a call of cscc': calls('cscc', 'GetChannels'),
  'a call of cscc on a channel that is not there': calls('cscc/nochannel', 'GetChannels'),
  'a call of _lifecycle': async ({ ask }) => {
    const answer = await ask(Type.INVOKE_CHAINCODE, invoke('_lifecycle', 'QueryChaincodeDefinitions', ''));
    const { payload } = peer.Response.deserializeBinary(
      peer.ChaincodeMessage.deserializeBinary(answer.getPayload_asU8()).getPayload_asU8(),
    ).toObject();
    const result = peer.lifecycle.QueryChaincodeDefinitionsResult.deserializeBinary(
      Buffer.from(String(payload), 'base64'),
    );
    // In any order.
    const definitions = result.getChaincodeDefinitionsList().map((definition) => JSON.stringify(definition.toObject()));
    return definitions.sort().join();
  },
  'a call of _lifecycle for what is not there': calls(
    '_lifecycle',
    'QueryChaincodeDefinition',
    Buffer.from('0a0178', 'hex'),
  ),
  'a call of _lifecycle that does not say what': calls('_lifecycle'),
  'a call of escc': calls('escc', 'x'),
  'writes of caller and called': async ({ ask }) => {
    await ask(Type.PUT_STATE, put('mine', 'x'));
    const answer = called(await ask(Type.INVOKE_CHAINCODE, invoke('other', 'write')));
    return { payload: answer, event: eventOf('of the caller') };
  },

  'the status 0': () => Promise.resolve({ status: 0, payload: 'x' }),
  'the status 199': () => Promise.resolve({ status: 199, payload: 'x' }),
  'the status 201': () => Promise.resolve({ status: 201, message: 'made', payload: 'x' }),
  'the status 399': () => Promise.resolve({ status: 399, payload: 'x' }),
  'the status 400': () => Promise.resolve({ status: 400, message: 'no', payload: 'x' }),
  'the status 499': () => Promise.resolve({ status: 499, message: 'no', payload: 'x' }),
  'the status 500': () => Promise.resolve({ status: 500, message: 'no', payload: 'x' }),
  'the status 700': () => Promise.resolve({ status: 700, message: 'no', payload: 'x' }),
  'a negative status': () => Promise.resolve({ status: -1, message: 'no', payload: 'x' }),
  'an error': () => Promise.resolve(new Error('the chaincode is at its end')),
  'an answer that is no message': () => Promise.resolve({ completed: JUNK }),
  'an empty answer': () => Promise.resolve({ completed: new Uint8Array() }),
  'an event': () => Promise.resolve({ payload: 'x', event: eventOf('happened') }),
  'an event of another chaincode': () => Promise.resolve({ payload: 'x', event: eventOf('happened', 'other') }),
  'an event without a name': () => Promise.resolve({ payload: 'x', event: eventOf('') }),
  'an event of what failed': () => Promise.resolve({ status: 500, event: eventOf('happened') }),
  'an event of what was refused': () => Promise.resolve({ status: 400, event: eventOf('happened') }),
  'writes of what failed': async ({ ask }) => {
    await ask(Type.PUT_STATE, put('x', 'y'));
    return { status: 500, message: 'no' };
  },
};

const CALLED: Readonly<Record<string, Script>> = {
  write: async ({ ask }) => {
    await ask(Type.GET_STATE, state('own'));
    await ask(Type.PUT_STATE, put('own', 'written'));
    return 'written';
  },
  fail: () => Promise.resolve({ status: 500, message: 'failed', payload: 'why' }),
  refuse: () => Promise.resolve({ status: 404, message: 'refused' }),
  break: () => Promise.resolve(new Error('broken')),
  event: () => Promise.resolve({ payload: 'x', event: eventOf('of the called') }),
  'call back': calls('scripted', 'a value that is there'),
};

/** Two servers, which Org1's peer of devnet and the one of Fabric call alike. */
async function startServers(): Promise<ChaincodeServers> {
  const run =
    (scripts: Readonly<Record<string, Script>>): Script =>
    (transaction) => {
      const script = scripts[transaction.args[0] ?? ''];
      return script === undefined ? Promise.resolve(new Error('no such script')) : script(transaction);
    };
  // devnet takes any id, Fabric only that of the package it was given.
  const packageIds = { scripted: 'scripted:00', other: 'other:00' };
  const scripted = await startScriptedChaincode(() => packageIds.scripted, run(SCRIPTS));
  const other = await startScriptedChaincode(() => packageIds.other, run(CALLED));
  return {
    installed: [
      { name: 'scripted', address: scripted.address, packaged: (id) => (packageIds.scripted = id) },
      { name: 'other', address: other.address, packaged: (id) => (packageIds.other = id) },
    ],
    elsewhere: [{ name: 'elsewhere', address: { Org2MSP: other.address } }],
    stop: () => {
      scripted.stop();
      other.stop();
    },
  };
}

describeFidelity(
  'a chaincode is answered as by a Fabric peer',
  { recording: 'shim', chaincodes: startServers },
  (fidelity) => {
    beforeAll(async () => {
      const { twin } = fidelity();
      const { gateway, user } = twin.devnet.organisation('Org1MSP');
      const client = connectClient(gateway, user);
      const contract = client.gateway.getNetwork(CHANNEL).getContract('scripted');
      await contract.submitTransaction('setup');
      await contract.submitTransaction('change');
      client.close();
      await twin.level();
    });

    test.each(Object.keys(SCRIPTS).filter((name) => name !== 'setup' && name !== 'change'))('%s', async (name) => {
      const { twin } = fidelity();
      const proposal = buildProposal(twin.identities.user, { channelId: CHANNEL, chaincode: 'scripted', args: [name] });
      await fidelity().same(name, twin.peers, async (node) => compareProposal(await node.propose(proposal)));
    });

    test('a chaincode that the peer does not have', async () => {
      const { twin } = fidelity();
      const proposal = buildProposal(twin.identities.user, { channelId: CHANNEL, chaincode: 'elsewhere', args: ['x'] });
      await fidelity().same('elsewhere', twin.peers, async (node) => compareProposal(await node.propose(proposal)));
    });

    test('a call to initialise what needs none', async () => {
      const { twin } = fidelity();
      const proposal = buildProposal(twin.identities.user, {
        channelId: CHANNEL,
        chaincode: 'scripted',
        args: ['a value that is there'],
        spec: (spec) => spec.getInput()?.setIsInit(true),
      });
      await fidelity().same('initialisation', twin.peers, async (node) =>
        compareProposal(await node.propose(proposal)),
      );
    });
  },
);
