'use strict';
/**
 * A contract that does what it is told: its one argument is a list of steps, its answer what each of them gave. `environment`
 * makes it answer differently on each organisation's side, which no contract should.
 *
 * CHAINCODE_SERVER_ADDRESS, CHAINCODE_ID: as for any chaincode that runs as a service; ORGANISATION: whose side it is on.
 */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a CommonJS contract, as most are
const { KeyEndorsementPolicy, Shim } = require('fabric-shim');

const text = (bytes) => Buffer.from(bytes ?? []).toString('utf8');

async function collect(iterator, limit) {
  const found = [];
  while (found.length < limit) {
    const { value, done } = await iterator.next();
    if (done || value === undefined) break;
    found.push([value.key, text(value.value)]);
  }
  await iterator.close();
  return found;
}

async function collectPage({ iterator, metadata }) {
  const found = await collect(iterator, Infinity);
  return { found, bookmark: metadata?.bookmark ?? null, count: metadata?.fetchedRecordsCount ?? null };
}

async function collectHistory(iterator) {
  const found = [];
  for (;;) {
    const { value, done } = await iterator.next();
    if (value !== undefined && value !== null) found.push([value.txId, value.isDelete, text(value.value)]);
    if (done) break;
  }
  await iterator.close();
  return found;
}

const steps = {
  get: async (stub, { key }) => text(await stub.getState(key)),
  put: (stub, { key, value }) => stub.putState(key, Buffer.from(value)),
  del: (stub, { key }) => stub.deleteState(key),
  range: async (stub, { start, end, limit }) => collect(await stub.getStateByRange(start, end), limit ?? Infinity),
  page: async (stub, { start, end, size, bookmark }) =>
    collectPage(await stub.getStateByRangeWithPagination(start, end, size, bookmark ?? '')),
  putComposite: (stub, { type, parts, value }) =>
    stub.putState(stub.createCompositeKey(type, parts), Buffer.from(value)),
  delComposite: (stub, { type, parts }) => stub.deleteState(stub.createCompositeKey(type, parts)),
  composite: async (stub, { type, parts, limit }) =>
    (await collect(await stub.getStateByPartialCompositeKey(type, parts), limit ?? Infinity)).map(([key, value]) => [
      stub.splitCompositeKey(key),
      value,
    ]),
  compositePage: async (stub, { type, parts, size, bookmark }) =>
    collectPage(await stub.getStateByPartialCompositeKeyWithPagination(type, parts, size, bookmark ?? '')),
  history: async (stub, { key }) => collectHistory(await stub.getHistoryForKey(key)),
  event: (stub, { name, payload }) => stub.setEvent(name, Buffer.from(payload)),
  setPolicy: async (stub, { key, organisations, role }) => {
    const policy = new KeyEndorsementPolicy();
    if (organisations.length > 0) policy.addOrgs(role ?? 'PEER', ...organisations);
    await stub.setStateValidationParameter(key, organisations.length > 0 ? policy.getPolicy() : Buffer.alloc(0));
  },
  getPolicy: async (stub, { key }) => {
    const bytes = await stub.getStateValidationParameter(key);
    if (bytes === undefined || bytes === null || bytes.length === 0) return [];
    return new KeyEndorsementPolicy(Buffer.from(bytes)).listOrgs();
  },
  transient: (stub, { name }) => text(stub.getTransient().get(name)),
  query: async (stub, { selector }) => collect(await stub.getQueryResult(selector), Infinity),
  invoke: async (stub, { chaincode, program, channel }) => {
    const answer = await stub.invokeChaincode(chaincode, ['run', JSON.stringify(program)], channel ?? '');
    return { status: answer.status, message: answer.message, payload: text(answer.payload) };
  },
  identity: (stub) => ({ mspId: stub.getCreator().mspid, channel: stub.getChannelID(), txId: stub.getTxID() }),
  environment: (stub, { key }) => stub.putState(key, Buffer.from(process.env.ORGANISATION ?? '')),
  answerEnvironment: () => process.env.ORGANISATION,
  fail: (_stub, { message }) => {
    throw new Error(message);
  },
};

/** The message without "Error: " that some shim versions put in front. */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

async function run(stub, program) {
  const answers = [];
  for (const step of program) {
    try {
      const answer = await steps[step.do](stub, step);
      answers.push(answer === undefined ? null : answer);
    } catch (error) {
      if (!step.caught) throw error;
      answers.push({ error: messageOf(error) });
    }
  }
  return answers;
}

const contract = {
  Init: () => Promise.resolve(Shim.success()),
  async Invoke(stub) {
    const { params } = stub.getFunctionAndParameters();
    try {
      const program = JSON.parse(params[0]);
      const last = program.at(-1);
      if (last?.do === 'answer') {
        await run(stub, program.slice(0, -1));
        return { status: last.status, message: last.message ?? '', payload: Buffer.from(last.payload ?? '') };
      }
      return Shim.success(Buffer.from(JSON.stringify(await run(stub, program))));
    } catch (error) {
      return { status: 500, message: messageOf(error), payload: Buffer.alloc(0) };
    }
  },
};

const server = Shim.server(contract, {
  ccid: process.env.CHAINCODE_ID,
  address: process.env.CHAINCODE_SERVER_ADDRESS,
});
void server.start();
