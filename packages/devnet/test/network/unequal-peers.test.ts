import { once } from 'node:events';
import { credentials, status } from '@grpc/grpc-js';
import type { Commit, Contract } from '@hyperledger/fabric-gateway';
import { common, peer } from '@hyperledger/fabric-protos';
import type { DevnetFaults, NodeConnection } from '@waymark/devnet';
import { createSigningIdentity } from '../../src/msp/index.ts';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, sameHeight, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { buildSeek, buildSignedProposal, processProposal } from '../harness/proposals.ts';

/** A second definition of the same chaincode that any one organisation may endorse. */
const ANYONE = 'anyone';
const GATEWAY = 'peer0.org1.example.com';
const [ORG2_FIRST, ORG2_SECOND] = ['peer0.org2.example.com', 'peer1.org2.example.com'];
const NOT_ENOUGH = 'failed to collect enough transaction endorsements, see attached details for more info';
const MISMATCH = 'ProposalResponsePayloads do not match';
const { MVCC_READ_CONFLICT, VALID } = peer.TxValidationCode;
const NEVER_MS = 3_600_000;

describe('peers that are down, behind or of another opinion, and an orderer that is gone', () => {
  let network: TestNetwork;
  let faults: DevnetFaults;
  const clients: TestClient[] = [];
  let next = 0;

  beforeAll(async () => {
    const policy = "OR('Org1MSP.peer', 'Org2MSP.peer')";
    network = await startTestNetwork((address) => ({
      chaincodes: [
        { name: CHAINCODE, address },
        { name: ANYONE, address, endorsementPolicy: policy },
      ],
    }));
    ({ faults } = network.devnet);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await faults.healAll();
    await network.devnet.chaincodesReady(20_000);
    await sameHeight(network.devnet);
    await connected(network.client);
  });
  afterAll(() => network.stop());

  const node = (hostName: string): NodeConnection => {
    const found = network.devnet.organisations.flatMap(({ peers }) => peers).find((one) => one.hostName === hostName);
    if (found === undefined) throw new Error(`no ${hostName}`);
    return found;
  };
  /** Org1's user at any peer's gateway. */
  const clientAt = (hostName: string): TestClient => {
    const client = connectClient(node(hostName), network.devnet.organisation('Org1MSP').user);
    clients.push(client);
    return client;
  };
  const contractOf = (client: TestClient, name = CHAINCODE): Contract =>
    client.gateway.getNetwork(CHANNEL).getContract(name);
  const contract = () => contractOf(network.client);
  const connected = ({ grpc }: TestClient): Promise<void> =>
    new Promise((resolve, reject) => {
      grpc.waitForReady(Date.now() + 20_000, (error) => (error === undefined ? resolve() : reject(error)));
    });
  const newAsset = async (): Promise<string> => {
    const id = `u${next++}`;
    await contract().submitTransaction('createAsset', id, 'Ann', '1');
    await sameHeight(network.devnet);
    return id;
  };
  const valueAt = async (hostName: string, id: string): Promise<number> =>
    (JSON.parse(Buffer.from(await proposed(hostName, 'readAsset', id)).toString()) as { value: number }).value;
  /** What this very peer answers: no gateway asks another one. */
  const proposed = async (hostName: string, ...args: string[]): Promise<Uint8Array> =>
    (await endorsedBy(hostName, ...args)).getResponse()?.getPayload_asU8() ?? new Uint8Array();
  const endorsedBy = async (hostName: string, ...args: string[]): Promise<peer.ProposalResponse> => {
    const { address, tlsRootCertPem } = node(hostName);
    const client = new peer.EndorserClient(address, credentials.createSsl(Buffer.from(tlsRootCertPem)));
    try {
      const signer = createSigningIdentity(network.devnet.organisation('Org1MSP').user);
      const nonce = Buffer.alloc(24, next++);
      const request = { channelId: CHANNEL, chaincode: CHAINCODE, args, nonce };
      return await processProposal(client, buildSignedProposal(signer, request));
    } finally {
      client.close();
    }
  };
  /** The status of a transaction as another peer's gateway gives it. */
  const statusAt = async (hostName: string, commit: Commit, deadlineMs = 10_000) =>
    clientAt(hostName)
      .gateway.newCommit(commit.getBytes())
      .getStatus({ deadline: Date.now() + deadlineMs });
  const mismatchesOf = (hostNames: readonly string[]) =>
    hostNames.map((hostName) => ({ address: node(hostName).address, mspId: 'Org2MSP', message: MISMATCH }));

  describe('a peer that disagrees', () => {
    test('is done without as long as another one of its organisation agrees', async () => {
      faults.disagree(ORG2_FIRST);
      await contract().submitTransaction('createAsset', 'agreed', 'Ann', '1');
    });

    test('leaves no endorsement when it is all that its organisation has; each mismatch is told', async () => {
      faults.disagree(ORG2_FIRST);
      faults.disagree(ORG2_SECOND);
      const refused = contract().submitTransaction('createAsset', 'never', 'Ann', '1');
      await expect(refused).rejects.toMatchObject({ code: status.ABORTED, message: `10 ABORTED: ${NOT_ENOUGH}` });
      const { details } = (await refused.catch((error: unknown) => error)) as { details: object[] };
      expect(details).toHaveLength(2);
      expect(details).toEqual(expect.arrayContaining(mismatchesOf([ORG2_FIRST, ORG2_SECOND])));
    });

    test('with the gateway in it: all others are told to mismatch, since its own result came first', async () => {
      faults.disagree(GATEWAY);
      await expect(contract().submitTransaction('createAsset', 'never', 'Ann', '1')).rejects.toMatchObject({
        code: status.ABORTED,
        details: expect.arrayContaining(mismatchesOf([ORG2_FIRST, ORG2_SECOND])) as unknown,
      });
    });

    test('whose endorsement is enough gets its transaction refused by every peer: MVCC_READ_CONFLICT', async () => {
      faults.disagree(GATEWAY);
      const commit = await contractOf(network.client, ANYONE).submitAsync('createAsset', {
        arguments: ['stale', 'A', '1'],
      });
      for (const hostName of [GATEWAY, ORG2_FIRST]) {
        expect((await statusAt(hostName, commit)).code).toBe(MVCC_READ_CONFLICT);
      }
    });

    test('answers a client that asks it directly as ever, with another payload than the others', async () => {
      const id = await newAsset();
      faults.disagree(ORG2_FIRST);
      const answers = await Promise.all([GATEWAY, ORG2_FIRST].map((name) => endorsedBy(name, 'readAsset', id)));
      const [honest, other] = answers;
      expect(answers.map((answer) => answer.getResponse()?.getStatus())).toEqual([200, 200]);
      expect(other?.getResponse()?.getPayload_asB64()).toBe(honest?.getResponse()?.getPayload_asB64());
      expect(other?.getPayload_asB64()).not.toBe(honest?.getPayload_asB64());
    });
  });

  describe('a peer whose state has forked', () => {
    test('answers from it, judges by it and stays apart, until it makes its ledger anew', async () => {
      const id = await newAsset();
      const value = JSON.stringify({ id, owner: 'Mallory', value: 666 });
      const fault = await faults.forkState(ORG2_FIRST, { chaincode: CHAINCODE, key: id, value });
      await network.devnet.chaincodesReady(20_000);
      expect(await valueAt(ORG2_FIRST, id)).toBe(666);
      expect(await valueAt(GATEWAY, id)).toBe(1);

      const commit = await contract().submitAsync('updateAsset', { arguments: [id, '2'] });
      expect((await statusAt(GATEWAY, commit)).code).toBe(VALID);
      expect((await statusAt(ORG2_FIRST, commit)).code).toBe(MVCC_READ_CONFLICT);
      expect([await valueAt(GATEWAY, id), await valueAt(ORG2_FIRST, id)]).toEqual([2, 666]);
      await sameHeight(network.devnet);
      expect(await commitHashAt(ORG2_FIRST)).not.toBe(await commitHashAt(GATEWAY));

      await fault.heal();
      await network.devnet.chaincodesReady(20_000);
      await sameHeight(network.devnet);
      expect(await valueAt(ORG2_FIRST, id)).toBe(2);
      expect((await statusAt(ORG2_FIRST, commit)).code).toBe(VALID);
      expect(await commitHashAt(ORG2_FIRST)).toBe(await commitHashAt(GATEWAY));
    });
  });

  describe('a peer that is behind', () => {
    test('tells no status of what it has not committed: the client waits as long as it likes, and hears it in the end', async () => {
      const fault = faults.holdCommits(ORG2_FIRST);
      const commit = await contract().submitAsync('createAsset', { arguments: [`u${next++}`, 'Ann', '1'] });
      expect((await statusAt(GATEWAY, commit)).code).toBe(VALID);
      await expect(statusAt(ORG2_FIRST, commit, 300)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
      const waiting = statusAt(ORG2_FIRST, commit);
      await fault.heal();
      expect((await waiting).code).toBe(VALID);
    });

    test('is not asked by gateways, and answers from its old state when it is asked directly', async () => {
      const id = await newAsset();
      faults.holdCommits(ORG2_FIRST);
      await contract().submitTransaction('updateAsset', id, '2');
      await contract().submitTransaction('updateAsset', id, '3');
      expect(await valueAt(ORG2_FIRST, id)).toBe(1);
      const evaluated = await contractOf(clientAt(ORG2_FIRST)).evaluateTransaction('readAsset', id);
      expect(JSON.parse(Buffer.from(evaluated).toString())).toMatchObject({ value: 3 });
    });

    test('endorses what it still believes when its organisation has no other: the payloads do not match', async () => {
      const id = await newAsset();
      faults.holdCommits(ORG2_FIRST);
      faults.holdCommits(ORG2_SECOND);
      await contract().submitTransaction('updateAsset', id, '2');
      await expect(contract().submitTransaction('updateAsset', id, '3')).rejects.toMatchObject({
        code: status.ABORTED,
        message: `10 ABORTED: ${NOT_ENOUGH}`,
        details: expect.arrayContaining(mismatchesOf([ORG2_FIRST, ORG2_SECOND])) as unknown,
      });
    });

    test('delivers up to its own height: NOT_FOUND for who does not wait, the block for who does', async () => {
      const fault = faults.holdCommits(ORG2_FIRST);
      const height = Number(network.devnet.heights()[ORG2_FIRST]);
      await contract().submitTransaction('createAsset', `u${next++}`, 'Ann', '1');
      const failing = await delivered(ORG2_FIRST, { start: height, stop: height, failIfNotReady: true });
      expect(failing.map((response) => response.getStatus())).toEqual([common.Status.NOT_FOUND]);
      const waiting = delivered(ORG2_FIRST, { start: height, stop: height });
      await fault.heal();
      const [block, end] = await waiting;
      expect(block?.getBlock()?.getHeader()?.getNumber()).toBe(height);
      expect(end?.getStatus()).toBe(common.Status.SUCCESS);
    });
  });

  describe('a peer that is down', () => {
    test('and was not noticed yet is refused the connection, as gateways tell', async () => {
      const options = { noticedAfterMs: NEVER_MS };
      await faults.failPeer(ORG2_FIRST, options);
      await contract().submitTransaction('createAsset', `u${next++}`, 'Ann', '1');
      await faults.failPeer(ORG2_SECOND, options);
      const details = [ORG2_FIRST, ORG2_SECOND].map((hostName) => {
        const { address } = node(hostName);
        const message = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused"`;
        return { address, mspId: 'Org2MSP', message };
      });
      await expect(contract().submitTransaction('createAsset', 'never', 'Ann', '1')).rejects.toMatchObject({
        code: status.ABORTED,
        message: `10 ABORTED: ${NOT_ENOUGH}`,
        details: expect.arrayContaining(details) as unknown,
      });
      await expect(
        contract().evaluate('listAssets', { arguments: ['', ''], endorsingOrganizations: ['Org2MSP'] }),
      ).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        message: '14 UNAVAILABLE: failed to evaluate transaction, see attached details for more info',
        details: expect.arrayContaining(details) as unknown,
      });
    });

    test('and forgotten is nobody to ask', async () => {
      await faults.failPeer(ORG2_FIRST);
      await faults.failPeer(ORG2_SECOND);
      const named = { arguments: ['never', 'Ann', '1'], endorsingOrganizations: ['Org2MSP'] };
      await expect(contract().submitTransaction('createAsset', 'never', 'Ann', '1')).rejects.toMatchObject({
        message:
          '9 FAILED_PRECONDITION: no combination of peers can be derived which satisfy the endorsement policy: no peer combination can satisfy the endorsement policy',
      });
      await expect(contract().submit('createAsset', named)).rejects.toMatchObject({
        message: '14 UNAVAILABLE: failed to find any endorsing peers for org(s): Org2MSP',
      });
      await expect(contract().evaluate('listAssets', named)).rejects.toMatchObject({
        message: `9 FAILED_PRECONDITION: no peers available to evaluate chaincode ${CHAINCODE} in channel ${CHANNEL}`,
      });
    });

    test('ends the calls and streams of its gateway with UNAVAILABLE; opened again, they go on', async () => {
      const client = clientAt(ORG2_FIRST);
      const channel = client.gateway.getNetwork(CHANNEL);
      const start = network.devnet.heights()[ORG2_FIRST] ?? 0n;
      const commit = await heldCommit();
      const streams = [
        client.gateway
          .newCommit(commit.getBytes())
          .getStatus({ deadline: Date.now() + 10_000 })
          .catch((error: unknown) => error),
        endOf(await channel.getChaincodeEvents(CHAINCODE)),
        endOf(await channel.getBlockEvents()),
        endOf(await channel.getFilteredBlockEvents()),
      ];
      // Behind the calls on the same connection.
      await contractOf(client).evaluateTransaction('listAssets', '', '');
      await faults.failPeer(ORG2_FIRST);
      for (const error of await Promise.all(streams)) {
        expect(error).toMatchObject({ code: status.UNAVAILABLE, message: '14 UNAVAILABLE: Connection dropped' });
      }
      await contract().submitTransaction('createAsset', `u${next++}`, 'Ann', '1');
      await faults.healAll();
      await connected(client);
      const resumed = await channel.getChaincodeEvents(CHAINCODE, { startBlock: start });
      for await (const { blockNumber } of resumed) {
        expect(blockNumber).toBe(start);
        break;
      }
      resumed.close();
    });
  });

  describe('an orderer', () => {
    const UNORDERED = '14 UNAVAILABLE: no orderers could successfully process transaction';
    const refusal = () => {
      const { address, mspId } = network.devnet.orderer;
      const message = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused"`;
      return { code: status.UNAVAILABLE, message: UNORDERED, details: [{ address, mspId, message }] };
    };

    test('that is down leaves submits without an answer but UNAVAILABLE; peers evaluate, and go on when it is back', async () => {
      const id = await newAsset();
      const fault = await faults.failOrderer();
      await expect(contract().submitTransaction('updateAsset', id, '2')).rejects.toMatchObject(refusal());
      await contract().evaluateTransaction('readAsset', id);
      await expect(network.devnet.updateConfig(() => undefined)).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
      await fault.heal();
      await contract().submitTransaction('updateAsset', id, '3');
    });

    test('whose disk is full takes what it has not written yet with it, stops, and goes on from its chain when healed', async () => {
      const id = await newAsset();
      const height = network.devnet.heights()[GATEWAY] ?? 0n;
      const failed = once(network.devnet.events, 'ordererFailed');
      const fault = faults.fillDisk(network.devnet.orderer.hostName);
      const lost = await contract().submitAsync('updateAsset', { arguments: [id, '2'] });
      const [{ orderer: name, error }] = (await failed) as [{ orderer: string; error: Error }];
      expect(name).toBe(network.devnet.orderer.hostName);
      expect((error.cause as { code?: string }).code).toBe('ENOSPC');
      await expect(contract().submitTransaction('updateAsset', id, '3')).rejects.toMatchObject(refusal());
      expect(network.devnet.heights()[GATEWAY]).toBe(height);
      await fault.heal();
      const commit = await contract().submitAsync('updateAsset', { arguments: [id, '4'] });
      expect(await commit.getStatus()).toMatchObject({ code: VALID, blockNumber: height });
      await expect(statusAt(GATEWAY, lost, 300)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    });
  });

  /** A commit that ORG2_FIRST does not get to see. */
  async function heldCommit(): Promise<Commit> {
    faults.holdCommits(ORG2_FIRST);
    return contract().submitAsync('createAsset', { arguments: [`u${next++}`, 'Ann', '1'] });
  }

  async function commitHashAt(hostName: string): Promise<string> {
    const [response] = await delivered(hostName, { start: 'newest', stop: 'newest' });
    const slots = response?.getBlock()?.getMetadata()?.getMetadataList_asU8() ?? [];
    return Buffer.from(slots[common.BlockMetadataIndex.COMMIT_HASH] ?? []).toString('hex');
  }

  async function delivered(
    hostName: string,
    seek: Omit<Parameters<typeof buildSeek>[1], 'channelId'>,
  ): Promise<peer.DeliverResponse[]> {
    const { address, tlsRootCertPem } = node(hostName);
    const client = new peer.DeliverClient(address, credentials.createSsl(Buffer.from(tlsRootCertPem)));
    const stream = client.deliver();
    const signer = createSigningIdentity(network.devnet.organisation('Org1MSP').user);
    stream.write(buildSeek(signer, { channelId: CHANNEL, ...seek }));
    stream.end();
    const responses: peer.DeliverResponse[] = [];
    for await (const response of stream as AsyncIterable<peer.DeliverResponse>) responses.push(response);
    client.close();
    return responses;
  }

  /** The error that a stream ends with. */
  async function endOf(events: AsyncIterable<unknown>): Promise<unknown> {
    try {
      const iterator = events[Symbol.asyncIterator]();
      while ((await iterator.next()).done !== true);
      return undefined;
    } catch (error) {
      return error;
    }
  }
});
