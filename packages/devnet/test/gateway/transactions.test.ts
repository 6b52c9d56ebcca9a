import { status } from '@grpc/grpc-js';
import { CommitError, EndorseError, GatewayError, type Contract } from '@hyperledger/fabric-gateway';
import { gateway as gatewayProtos } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { serializeIdentity } from '../../src/msp/index.ts';
import { connectClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, sameHeight, startTestNetwork, type TestNetwork } from '../harness/network.ts';

const MVCC_READ_CONFLICT = 11;
const PHANTOM_READ_CONFLICT = 12;
const HOUR_MS = 60 * 60 * 1000;

describe('transactions through the unmodified gateway client', () => {
  let network: TestNetwork;
  let contract: Contract;
  let otherContract: Contract;

  beforeAll(async () => {
    network = await startTestNetwork();
    contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    otherContract = network.otherClient.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
  });
  afterAll(() => network.stop());

  const evaluate = async (name: string, ...args: string[]): Promise<unknown> =>
    parse(await contract.evaluateTransaction(name, ...args));

  test('a submitted transaction is read by the clients of both organisations', async () => {
    const asset = { id: 'a1', owner: 'Ann', value: 5 };
    expect(parse(await contract.submitTransaction('createAsset', 'a1', 'Ann', '5'))).toEqual(asset);
    expect(await evaluate('readAsset', 'a1')).toEqual(asset);
    await sameHeight(network.devnet);
    expect(parse(await otherContract.evaluateTransaction('readAsset', 'a1'))).toEqual(asset);
  });

  test('reads do not see the writes of their own transaction', async () => {
    const written = await contract.submitTransaction('writeThenRead', 'wr', 'new');
    expect(Buffer.from(written).toString()).toBe('');
    const again = await contract.submitTransaction('writeThenRead', 'wr', 'newer');
    expect(Buffer.from(again).toString()).toBe('new');
  });

  test('ranges over several messages, pages with bookmarks, composite keys and histories arrive whole', async () => {
    await contract.submitTransaction('createMany', 'p', '250', 'Ann');
    expect(await evaluate('listAssets', 'p', 'q')).toHaveLength(250);
    const page = (await evaluate('listAssetsPaged', 'p', 'q', '120', '')) as { bookmark: string; count: number };
    expect(page).toMatchObject({ count: 120, bookmark: 'p0120' });
    expect(await evaluate('listAssetsPaged', 'p', 'q', '200', page.bookmark)).toMatchObject({
      count: 130,
      bookmark: '',
    });
    await contract.submitTransaction('createAsset', 'h1', 'Hal', '1');
    await contract.submitTransaction('transferAsset', 'h1', 'Ida');
    expect(await evaluate('assetsOf', 'Hal')).toEqual([]);
    expect(await evaluate('assetsOf', 'Ida')).toEqual(['h1']);
    await contract.submitTransaction('deleteAsset', 'h1');
    const history = (await evaluate('assetHistory', 'h1')) as { isDelete: boolean; asset: { owner: string } | null }[];
    expect(history.map(({ isDelete, asset }) => [isDelete, asset?.owner])).toEqual([
      [true, undefined],
      [false, 'Ida'],
      [false, 'Hal'],
    ]);
  });

  test('a large range read is summarised by hashes and still commits', async () => {
    await contract.submitTransaction('createMany', 'm', '180', 'Ann');
    expect(Buffer.from(await contract.submitTransaction('countInto', 'm', 'n', 'm-count')).toString()).toBe('180');
  });

  test('the chaincode sees who calls, in which transaction and when', async () => {
    const proposal = contract.newProposal('whoAmI');
    const me = parse(await proposal.evaluate()) as { mspId: string; id: string; txId: string; channel: string };
    expect(me).toMatchObject({ mspId: 'Org1MSP', txId: proposal.getTransactionId(), channel: CHANNEL });
    expect(me.id).toContain('/CN=User1@org1.example.com');
  });

  test('transient data reaches the chaincode and is not in the transaction', async () => {
    const secret = Buffer.from('transient-canary-7341');
    const proposal = contract.newProposal('transientSizes', { transientData: { secret } });
    expect(parse(await proposal.evaluate())).toEqual({ secret: secret.length });
    const transaction = await proposal.endorse();
    expect(Buffer.from(transaction.getBytes()).includes(secret)).toBe(false);
  });

  test('of two transactions that read one version, the second is invalid with MVCC_READ_CONFLICT', async () => {
    await contract.submitTransaction('createAsset', 'c1', 'Ann', '1');
    const endorse = (value: string) => contract.newProposal('updateAsset', { arguments: ['c1', value] }).endorse();
    const [first, second] = await Promise.all([endorse('2'), endorse('3')]);
    await expect((await first.submit()).getStatus()).resolves.toMatchObject({ successful: true, code: 0 });
    const submitted = await second.submit();
    await expect(submitted.getStatus()).resolves.toMatchObject({ successful: false, code: MVCC_READ_CONFLICT });
    expect(await evaluate('readAsset', 'c1')).toMatchObject({ value: 2 });
  });

  test('submitTransaction reports an invalid transaction as CommitError with its code', async () => {
    await contract.submitTransaction('createAsset', 'c2', 'Ann', '1');
    const outcomes = await Promise.allSettled(
      ['2', '3', '4'].map((value) => contract.submitTransaction('updateAsset', 'c2', value)),
    );
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(CommitError);
      expect((failure as CommitError).code).toBe(MVCC_READ_CONFLICT);
    }
  });

  test('a range that changed meanwhile makes the transaction invalid with PHANTOM_READ_CONFLICT', async () => {
    const counting = await contract.newProposal('countInto', { arguments: ['q', 'r', 'q-count'] }).endorse();
    await contract.submitTransaction('createAsset', 'q1', 'Ann', '1');
    const submitted = await counting.submit();
    await expect(submitted.getStatus()).resolves.toMatchObject({ code: PHANTOM_READ_CONFLICT });
  });

  test('what the chaincode throws: evaluate is UNKNOWN, submit is ABORTED, both with the same detail', async () => {
    const message = 'chaincode response 500, asset nope does not exist';
    const evaluated = await failure(contract.evaluateTransaction('readAsset', 'nope'));
    expect(evaluated).toBeInstanceOf(GatewayError);
    expect(evaluated.code).toBe(status.UNKNOWN);
    expect(evaluated.message).toContain(`evaluate call to endorser returned error: ${message}`);
    const peer0 = network.devnet.organisation('Org1MSP').gateway.address;
    expect(evaluated.details).toEqual([{ address: peer0, mspId: 'Org1MSP', message }]);
    const submitted = await failure(contract.submitTransaction('readAsset', 'nope'));
    expect(submitted).toBeInstanceOf(EndorseError);
    expect(submitted.code).toBe(status.ABORTED);
    expect(submitted.message).toContain('failed to endorse transaction, see attached details for more info');
    expect(new Set(submitted.details.map((detail) => detail.message))).toEqual(new Set([message]));
    expect(submitted.details.map(({ mspId }) => mspId)).toEqual(['Org1MSP', 'Org1MSP']);
  });

  test('a failing transaction leaves nothing behind', async () => {
    await failure(contract.submitTransaction('fail', 'as asked'));
    expect(Buffer.from(await contract.evaluateTransaction('readRaw', 'never')).toString()).toBe('');
  });

  test('endorsers that answer differently: ABORTED, the payloads do not match', async () => {
    const error = await failure(contract.submitTransaction('random', 'r'));
    expect(error.code).toBe(status.ABORTED);
    expect(error.message).toContain('failed to collect enough transaction endorsements');
    expect(error.details.at(-1)?.message).toBe('ProposalResponsePayloads do not match');
    expect(error.details.at(-1)?.mspId).toBe('Org2MSP');
  });

  test('a chaincode that the channel does not know is FAILED_PRECONDITION without details', async () => {
    const unknown = network.client.gateway.getNetwork(CHANNEL).getContract('nothing');
    const evaluated = await failure(unknown.evaluateTransaction('x'));
    expect(evaluated.code).toBe(status.FAILED_PRECONDITION);
    expect(evaluated.message).toContain('no peers available to evaluate chaincode nothing in channel mychannel');
    expect(evaluated.details).toEqual([]);
    const submitted = await failure(unknown.submitTransaction('x'));
    expect(submitted.code).toBe(status.FAILED_PRECONDITION);
    expect(submitted.message).toContain(
      'no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode nothing in channel mychannel',
    );
    expect(submitted.details).toEqual([]);
  });

  test('a channel that is not there: evaluate UNAVAILABLE, submit FAILED_PRECONDITION', async () => {
    const elsewhere = network.client.gateway.getNetwork('elsewhere').getContract(CHAINCODE);
    const evaluated = await failure(elsewhere.evaluateTransaction('x'));
    expect(evaluated.code).toBe(status.UNAVAILABLE);
    expect(evaluated.message).toContain('failed to get config for channel [elsewhere]');
    expect((await failure(elsewhere.submitTransaction('x'))).code).toBe(status.FAILED_PRECONDITION);
  });

  test("a signature by another key: evaluate FAILED_PRECONDITION, submit ABORTED, naming channel and creator's organisation", async () => {
    const organisation = network.devnet.organisation('Org1MSP');
    const { admin, user } = organisation;
    const mixed = connectClient(organisation.gateway, { ...user, privateKeyPem: admin.privateKeyPem });
    try {
      const forged = mixed.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
      const text = 'error validating proposal: access denied: channel [mychannel] creator org [Org1MSP]';
      const evaluated = await failure(forged.evaluateTransaction('whoAmI'));
      expect(evaluated.code).toBe(status.FAILED_PRECONDITION);
      expect(evaluated.details.map(({ message }) => message)).toEqual([text]);
      const submitted = await failure(forged.submitTransaction('whoAmI'));
      expect(submitted.code).toBe(status.ABORTED);
      expect(submitted.details.map(({ message }) => message)).toEqual([
        text,
        `rpc error: code = Unknown desc = ${text}`,
      ]);
    } finally {
      mixed.close();
    }
  });

  test('a certificate of a stranger with the name of an organisation is refused', async () => {
    const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
    const stranger = await ca.issue({ enrolmentId: 'User1@org1.example.com', role: 'client' });
    const client = connectClient(network.devnet.organisation('Org1MSP').gateway, stranger);
    try {
      const error = await failure(
        client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE).evaluateTransaction('whoAmI'),
      );
      expect(error.code).toBe(status.FAILED_PRECONDITION);
      expect(error.message).toContain('access denied: channel [mychannel] creator org unknown, creator is malformed');
    } finally {
      client.close();
    }
  });

  test('naming the endorsing organisations is honoured: one alone does not satisfy the policy', async () => {
    const proposal = contract.newProposal('raw', { arguments: ['solo', 'x'], endorsingOrganizations: ['Org1MSP'] });
    const submitted = await (await proposal.endorse()).submit();
    await expect(submitted.getStatus()).resolves.toMatchObject({ successful: false, code: 10 });
    const both = contract.newProposal('raw', {
      arguments: ['duo', 'x'],
      endorsingOrganizations: ['Org1MSP', 'Org2MSP'],
    });
    await expect((await (await both.endorse()).submit()).getStatus()).resolves.toMatchObject({ successful: true });
    const nobody = contract.newProposal('raw', { arguments: ['x', 'x'], endorsingOrganizations: ['Org9MSP'] });
    const error = await failure(nobody.endorse());
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.message).toContain('failed to find any endorsing peers for org(s): Org9MSP');
  });

  test('the status of a transaction that never comes is waited for as long as the client does', async () => {
    const commit = commitOf('00'.repeat(32), network.devnet.organisation('Org1MSP').user);
    await expect(commit.getStatus({ deadline: Date.now() + 300 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
  });

  test('a commit status that somebody else signed for is PERMISSION_DENIED', async () => {
    const commit = commitOf('00'.repeat(32), network.devnet.organisation('Org2MSP').user);
    const error = await failure(commit.getStatus());
    expect(error.code).toBe(status.PERMISSION_DENIED);
    expect(error.message).toContain('with policy [/Channel/Application/Readers]');
  });

  function commitOf(transactionId: string, identity: { mspId: string; certificatePem: string }) {
    const request = new gatewayProtos.CommitStatusRequest();
    request.setChannelId(CHANNEL);
    request.setTransactionId(transactionId);
    request.setIdentity(serializeIdentity(identity.mspId, identity.certificatePem));
    const signed = new gatewayProtos.SignedCommitStatusRequest();
    signed.setRequest(request.serializeBinary());
    return network.client.gateway.newCommit(signed.serializeBinary());
  }

  test('a transaction altered after endorsement is refused by the orderer or invalid, never valid', async () => {
    const organisation = network.devnet.organisation('Org2MSP');
    const intruder = connectClient(organisation.gateway, organisation.user);
    try {
      const transaction = await contract.newProposal('raw', { arguments: ['stolen', 'x'] }).endorse();
      const stolen = intruder.gateway.newTransaction(transaction.getBytes());
      const submitted = await failure(stolen.submit());
      expect(submitted.name).toBe('SubmitError');
    } finally {
      intruder.close();
    }
  });
});

describe('clocks that disagree by an hour', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await startTestNetwork({ nowMs: () => Date.now() + HOUR_MS });
  });
  afterAll(() => network.stop());

  test('evaluate is UNAVAILABLE after all peers were asked, submit is ABORTED after those of the own organisation', async () => {
    const contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const evaluated = await failure(contract.evaluateTransaction('whoAmI'));
    expect(evaluated.code).toBe(status.UNAVAILABLE);
    expect(evaluated.message).toContain('failed to evaluate transaction, see attached details for more info');
    const texts = evaluated.details.map(({ message }) => message);
    expect(texts).toHaveLength(4);
    expect(texts[0]).toMatch(/^request unauthorized due to incorrect timestamp/);
    for (const text of texts.slice(1)) {
      expect(text).toMatch(/^rpc error: code = Unknown desc = request unauthorized due to incorrect timestamp/);
    }
    const submitted = await failure(contract.submitTransaction('whoAmI'));
    expect(submitted.code).toBe(status.ABORTED);
    expect(submitted.details.map(({ mspId }) => mspId)).toEqual(['Org1MSP', 'Org1MSP']);
  });
});

async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`expected the call to fail with a GatewayError, got ${String(error)}`);
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString()) as unknown;
}
