import { once } from 'node:events';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import type { EnrolledIdentity } from '@waymark/devnet';
import { loadOrganisationCa } from '@waymark/devnet/ca';
import {
  computeUpdate,
  createSigningIdentity,
  parseConfigBlock,
  publishRevocationList,
  signUpdate,
} from '@waymark/devnet/fabric';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { buildSignedProposal } from '../harness/proposals.ts';

const DENIED = 'access denied: channel [mychannel] creator org [Org1MSP]';

describe('a revocation list that a client brings onto the channel', () => {
  let network: TestNetwork;
  let outlet: EnrolledIdentity;
  let client: TestClient;

  beforeAll(async () => {
    network = await startTestNetwork();
    const organisation = network.devnet.organisation('Org1MSP');
    outlet = await organisation.enrol({ enrolmentId: 'outlet', role: 'client' });
    client = connectClient(organisation.gateway, outlet);
  }, 60_000);
  afterAll(async () => {
    client.close();
    await network.stop();
  });

  /** What an operator does with Fabric's tools: fetch, edit, compute the update, sign as the organisation's admin, send. */
  async function publish(crlPem: string): Promise<orderer.BroadcastResponse> {
    const { devnet } = network;
    const { admin, gateway } = devnet.organisation('Org1MSP');
    const operator = connectClient(gateway, admin);
    const bytes = await operator.gateway
      .getNetwork(CHANNEL)
      .getContract('cscc')
      .evaluateTransaction('GetConfigBlock', CHANNEL);
    operator.close();
    const { config } = parseConfigBlock(common.Block.deserializeBinary(bytes));
    const changed = config.clone();
    publishRevocationList('Org1MSP', crlPem)(changed);
    const groups = [config, changed].map((each) => each.getChannelGroup() ?? new common.ConfigGroup());
    const update = computeUpdate(CHANNEL, groups[0] ?? new common.ConfigGroup(), groups[1] ?? new common.ConfigGroup());
    if (update === undefined) throw new Error('the list changes nothing');
    return broadcast(signUpdate(update, [createSigningIdentity(admin)], Date.now()));
  }

  function broadcast(envelope: common.Envelope): Promise<orderer.BroadcastResponse> {
    const { address, tlsRootCertPem } = network.devnet.orderer;
    const grpc = new Client(address, credentials.createSsl(Buffer.from(tlsRootCertPem)));
    const { path, requestSerialize, responseDeserialize } = orderer.AtomicBroadcastService.broadcast;
    return new Promise<orderer.BroadcastResponse>((resolve, reject) => {
      const call = grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      call.on('data', resolve);
      call.on('error', reject);
      call.write(envelope);
      call.end();
    }).finally(() => grpc.close());
  }

  const contract = () => client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
  const textsOf = (error: unknown): string => {
    const messages = error instanceof GatewayError ? error.details.map(({ message }) => message) : [];
    return [String(error), ...messages].join('\n');
  };

  test('is signed by the own admins alone, and ends what the identity may: proposals, queries, statuses, blocks', async () => {
    await contract().submitTransaction('createAsset', 'before', 'Ann', '1');
    const status = await contract().submitAsync('createAsset', { arguments: ['meanwhile', 'Ann', '1'] });
    expect((await status.getStatus()).successful).toBe(true);
    const { devnet } = network;
    const organisation = devnet.organisation('Org1MSP');
    const ca = await loadOrganisationCa(organisation.dir);
    ca.revoke(outlet.certificatePem);
    const height = Math.max(...Object.values(devnet.heights()).map(Number));
    const answer = await publish((await ca.crlPem()) ?? '');
    expect([answer.getStatus(), answer.getInfo()]).toEqual([common.Status.SUCCESS, '']);
    while (Object.values(devnet.heights()).some((each) => Number(each) <= height)) await once(devnet.events, 'block');

    for (const { address, tlsRootCertPem } of devnet.organisations.flatMap(({ peers }) => peers)) {
      const query = { channelId: CHANNEL, chaincode: 'qscc', args: ['GetChainInfo', CHANNEL] };
      const proposal = buildSignedProposal(createSigningIdentity(outlet), query);
      expect(await refusalOf(address, tlsRootCertPem, proposal)).toContain(DENIED);
    }
    for (const call of [
      () => contract().evaluateTransaction('listAssets', '', ''),
      () => contract().submitTransaction('createAsset', 'after', 'Ann', '1'),
    ]) {
      const refusal: unknown = await call().catch((error: unknown) => error);
      expect(textsOf(refusal)).toContain(DENIED);
    }
    await expect(status.getStatus()).rejects.toThrow();
    const blocks = await client.gateway.getNetwork(CHANNEL).getBlockEvents({ startBlock: 0n });
    await expect(blocks[Symbol.asyncIterator]().next()).rejects.toThrow();

    const list = await network.client.gateway
      .getNetwork(CHANNEL)
      .getContract(CHAINCODE)
      .evaluateTransaction('listAssets', '', '');
    expect(JSON.parse(Buffer.from(list).toString())).toHaveLength(2);
  });

  function refusalOf(address: string, rootPem: string, proposal: peer.SignedProposal): Promise<string> {
    const grpc = new Client(address, credentials.createSsl(Buffer.from(rootPem)));
    const { path, requestSerialize, responseDeserialize } = peer.EndorserService.processProposal;
    return new Promise<string>((resolve, reject) => {
      grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, proposal, (error: ServiceError | null) => {
        if (error === null) reject(new Error('it was answered'));
        else resolve(error.details);
      });
    }).finally(() => grpc.close());
  }
});
