import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { EndorseError, type Contract } from '@hyperledger/fabric-gateway';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';

const POLICY_CONTRACT = join(import.meta.dirname, '../fixtures/policy-contract');
const ENDORSEMENT_POLICY_FAILURE = 10;

describe('key policies, calls between chaincodes, and what is not supported', () => {
  let network: TestNetwork;
  let policies: ChaincodeProcess;
  let assets: ChaincodeProcess;
  let contract: Contract;

  beforeAll(async () => {
    policies = await startAssetContract({ folder: POLICY_CONTRACT, packageId: 'policies:1' });
    assets = await startAssetContract();
    network = await startTestNetwork({
      chaincodes: [
        { name: CHAINCODE, address: assets.address },
        {
          name: 'policies',
          packageId: 'policies:1',
          address: policies.address,
          endorsementPolicy: "OR('Org1MSP.peer', 'Org2MSP.peer')",
        },
      ],
    });
    contract = network.client.gateway.getNetwork(CHANNEL).getContract('policies');
  });
  afterAll(async () => {
    await network.stop();
    await policies.stop();
    await assets.stop();
  });

  const submitBy = async (mspIds: string[], name: string, ...args: string[]): Promise<number> => {
    const proposal = contract.newProposal(name, { arguments: args, endorsingOrganizations: mspIds });
    return (await (await (await proposal.endorse()).submit()).getStatus()).code;
  };
  const createAsset = (id: string) => JSON.stringify(['createAsset', id, 'Ann', '1']);
  const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

  test('a key without a policy of its own is under the policy of the chaincode', async () => {
    expect(await submitBy(['Org2MSP'], 'put', 'free', '1')).toBe(0);
  });

  test('a protected key needs its organisations, and they alone', async () => {
    expect(await submitBy(['Org1MSP'], 'put', 'k', '1')).toBe(0);
    expect(await submitBy(['Org1MSP'], 'protect', 'k', 'Org2MSP')).toBe(0);
    expect(textOf(await contract.evaluateTransaction('organisationsOf', 'k'))).toBe('["Org2MSP"]');
    expect(await submitBy(['Org1MSP'], 'put', 'k', '2')).toBe(ENDORSEMENT_POLICY_FAILURE);
    expect(await submitBy(['Org2MSP'], 'put', 'k', '3')).toBe(0);
    expect(await submitBy(['Org1MSP'], 'protect', 'k', 'Org1MSP')).toBe(ENDORSEMENT_POLICY_FAILURE);
    expect(textOf(await contract.evaluateTransaction('get', 'k'))).toBe('3');
  });

  test('the gateway finds the endorsers that the written keys need', async () => {
    await contract.submitTransaction('put', 'both', '1');
    await contract.submitTransaction('protect', 'both', 'Org1MSP,Org2MSP');
    await contract.submitTransaction('put', 'both', '2');
    await contract.submitTransaction('put', 'k', '4');
    expect(textOf(await contract.evaluateTransaction('get', 'both'))).toBe('2');
    expect(textOf(await contract.evaluateTransaction('get', 'k'))).toBe('4');
  });

  /** A peer in two groups is asked twice at once, and may be told so: that depends on which call is faster. */
  const refusalOf = async (name: string, ...args: string[]): Promise<unknown> => {
    const error: unknown = await contract.submitTransaction(name, ...args).catch((reason: unknown) => reason);
    return error instanceof EndorseError
      ? {
          code: error.code,
          text: error.cause.details,
          details: error.details.filter(({ message }) => !message.endsWith('exists')),
        }
      : error;
  };

  test('a key with an empty policy can be endorsed by nobody that the gateway finds, and by those that are named', async () => {
    await contract.submitTransaction('put', 'empty', '0');
    await contract.submitTransaction('protectByNothing', 'empty');
    expect(await refusalOf('put', 'empty', '1')).toEqual({
      code: status.FAILED_PRECONDITION,
      text: 'no combination of peers can be derived which satisfy the endorsement policy: state based endorsement policy cannot be satisfied',
      details: [],
    });
    expect(await submitBy(['Org2MSP'], 'put', 'empty', '1')).toBe(0);
  });

  test('members that keys ask for and peers that the chaincode asks for are different endorsers to the gateway', async () => {
    await contract.submitTransaction('putAll', 'member1,member2');
    await contract.submitTransaction('protectByMembers', 'member1', 'Org1MSP');
    await contract.submitTransaction('protectByMembers', 'member2', 'Org2MSP');
    await contract.submitTransaction('putAll', 'member1,member2');
    expect(await refusalOf('putAll', 'member1,member2,unprotected')).toEqual({
      code: status.ABORTED,
      text: 'failed to collect enough transaction endorsements, see attached details for more info',
      details: [],
    });
    expect(await submitBy(['Org1MSP', 'Org2MSP'], 'putAll', 'member1,member2,unprotected')).toBe(0);
  });

  test('a call of another chaincode is one transaction under the policies of both', async () => {
    await contract.submitTransaction('putAndCall', 'caller', CHAINCODE, createAsset('called'));
    const called = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    expect(JSON.parse(textOf(await called.evaluateTransaction('readAsset', 'called')))).toMatchObject({ owner: 'Ann' });
    expect(await submitBy(['Org1MSP'], 'putAndCall', 'alone', CHAINCODE, createAsset('alone'))).toBe(
      ENDORSEMENT_POLICY_FAILURE,
    );
    expect(textOf(await contract.evaluateTransaction('get', 'alone'))).toBe('');
  });

  test.each([
    [
      'pageThenWrite',
      'unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed',
    ],
    ['richQuery', 'GET_QUERY_RESULT failed'],
    ['richQuery', 'ExecuteQuery not supported for leveldb'],
    ['privateRead', 'private data collections are not supported'],
  ])('%s fails with the name of what is not supported: %s', async (name, text) => {
    await expect(contract.evaluateTransaction(name, 'x')).rejects.toMatchObject({
      code: status.UNKNOWN,
      message: expect.stringContaining(text) as string,
    });
  });
});

describe('a gateway with all its calls taken', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await startTestNetwork({ gatewayConcurrencyLimit: 2 });
  });
  afterAll(() => network.stop());

  test('refuses more as UNKNOWN, and serves again when one has ended', async () => {
    const channel = network.client.gateway.getNetwork(CHANNEL);
    const read = () => channel.getContract(CHAINCODE).evaluateTransaction('readRaw', 'x');
    const streams = await Promise.all([channel.getChaincodeEvents(CHAINCODE), channel.getChaincodeEvents(CHAINCODE)]);
    const readers = streams.map((stream) =>
      stream[Symbol.asyncIterator]()
        .next()
        .catch(() => undefined),
    );
    await expect(until(read, (error) => error !== undefined)).resolves.toMatchObject({
      code: status.UNKNOWN,
      message: expect.stringContaining(
        'too many requests for /gateway.Gateway, exceeding concurrency limit (2)',
      ) as string,
    });
    streams[0].close();
    await expect(until(read, (error) => error === undefined)).resolves.toBeUndefined();
    streams[1].close();
    await Promise.all(readers);
  });
});

/** Calls again and again until the outcome is accepted: streams begin and end when the server learns of it. */
async function until(call: () => Promise<unknown>, accept: (error: unknown) => boolean): Promise<unknown> {
  for (;;) {
    const error: unknown = await call().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (accept(error)) return error;
  }
}
