import { setTimeout as sleep } from 'node:timers/promises';
import { common, gateway, peer } from '@hyperledger/fabric-protos';
import { buildSeek, buildSignedProposal } from '../harness/proposals.ts';
import { countEnvelopes } from './chain.ts';
import { attackByChaincode } from './attacks/hostile-rounds.ts';
import { startCampaign, usedBytes, type Campaign } from './attacks/campaign.ts';
import { crowd, floodBroadcast, openUnread, type PressureAttack } from './attacks/pressure.ts';
import type { Outcome } from './inputs/raw-client.ts';
import { BROADCAST, COMMIT_STATUS, DELIVER, DELIVER_FILTERED, EVALUATE, PROCESS_PROPOSAL } from './inputs/services.ts';
import { encodeVarint } from './inputs/wire.ts';
import { CHAINCODE } from './target/target.ts';

const MEBIBYTE = 1024 * 1024;
const TIMEOUT_MS = 10_000;
const UNKNOWN = 2;
const INTERNAL = 13;

/** Each of these did harm once, or would without a limit. */
describe('what fuzzing found', () => {
  let campaign: Campaign;
  beforeAll(async () => {
    campaign = await startCampaign(1);
  });
  afterEach(() => campaign.health.expectServing());
  afterAll(() => campaign.stop());

  const attack = (): PressureAttack => {
    const [first] = campaign.target.peers;
    if (first === undefined) throw new Error('no peer');
    return { random: campaign.random, seeds: campaign.seeds, peer: first, orderer: campaign.target.orderer };
  };
  const propose = (options: Partial<Parameters<typeof buildSignedProposal>[1]>) =>
    buildSignedProposal(campaign.seeds.signer, {
      channelId: campaign.target.channel,
      chaincode: CHAINCODE,
      args: ['get', 'x'],
      ...options,
    });
  const evaluate = (proposal: peer.SignedProposal): Promise<Outcome> => {
    const request = new gateway.EvaluateRequest();
    request.setProposedTransaction(proposal);
    return campaign.leader.unary(EVALUATE.path, request.serializeBinary(), TIMEOUT_MS);
  };
  const envelope = (change: (payload: common.Payload) => void): Uint8Array => {
    const { signer } = campaign.seeds;
    const seek = buildSeek(signer, { channelId: campaign.target.channel });
    const payload = common.Payload.deserializeBinary(seek.getPayload_asU8());
    change(payload);
    const result = new common.Envelope();
    result.setPayload(payload.serializeBinary());
    result.setSignature(signer.sign(result.getPayload_asU8()));
    return result.serializeBinary();
  };

  test('a string of 4 GiB that is not there is refused at once, and stops nobody', async () => {
    // EvaluateRequest.channel_id, and ChaincodeID.name deep inside a proposal.
    const outer = Buffer.concat([Buffer.from([0x12]), encodeVarint(2 ** 32 - 1), Buffer.from('x')]);
    const started = performance.now();
    expect(await campaign.leader.unary(EVALUATE.path, outer, TIMEOUT_MS)).toMatchObject({ code: INTERNAL });
    const signed = new peer.SignedProposal();
    const header = Buffer.concat([Buffer.from([0x0a]), encodeVarint(2 ** 32 - 1), Buffer.from('x')]);
    signed.setProposalBytes(Buffer.concat([Buffer.from([0x0a, header.length]), header]));
    const { code } = await evaluate(signed);
    expect(code).toBe(3);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a channel whose name is half a character is answered', async () => {
    const surrogate = Buffer.from([0x12, 0x03, 0xed, 0xa0, 0x80]);
    expect(await campaign.leader.unary(EVALUATE.path, surrogate, TIMEOUT_MS)).toMatchObject({ code: INTERNAL });
  });

  test('a long name in an error breaks no other call of the connection', async () => {
    const waiting = campaign.leader.open(DELIVER.path);
    const broken: unknown[] = [];
    waiting.on('error', (error) => broken.push(error));
    waiting.on('data', () => undefined);
    const seek = buildSeek(campaign.seeds.signer, {
      channelId: campaign.target.channel,
      start: 'oldest',
      stop: 2 ** 53,
    });
    waiting.write(Buffer.from(seek.serializeBinary()));
    const outcome = await evaluate(propose({ channelId: 'é"%'.repeat(100_000) }));
    expect(outcome.code).toBe(14);
    expect(outcome.text).toContain('... (cut)');
    expect(encodeURI(outcome.text).length).toBeLessThan(17 * 1024);
    expect(broken).toEqual([]);
    waiting.cancel();
  });

  test.each([8_640_000_000_001, -62_167_219_201, 2 ** 62, -(2 ** 62)])(
    'a timestamp of %d s is refused in Fabric’s words',
    async (seconds) => {
      const signed = propose({});
      const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
      const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
      const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
      channelHeader.getTimestamp()?.setSeconds(seconds);
      header.setChannelHeader(channelHeader.serializeBinary());
      proposal.setHeader(header.serializeBinary());
      signed.setProposalBytes(proposal.serializeBinary());
      signed.setSignature(campaign.seeds.signer.sign(signed.getProposalBytes_asU8()));
      const outcome = await campaign.leader.unary(PROCESS_PROPOSAL.path, signed.serializeBinary(), TIMEOUT_MS);
      expect(outcome.code).toBe(UNKNOWN);
      expect(outcome.text).toMatch(
        /^request unauthorized due to incorrect timestamp -?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\dZ, peer time /,
      );
    },
  );

  test('identities of a mebibyte are not remembered', async () => {
    const before = usedBytes(await campaign.target.measure());
    const { signer } = campaign.seeds;
    for (let i = 0; i < 16; i++) {
      const creator = Buffer.concat([
        signer.serialized,
        Buffer.from([0x7a]),
        encodeVarint(MEBIBYTE),
        Buffer.alloc(MEBIBYTE, i),
      ]);
      const proposal = buildSignedProposal(
        { ...signer, serialized: creator },
        { channelId: campaign.target.channel, chaincode: CHAINCODE, args: [] },
      );
      await campaign.leader.unary(PROCESS_PROPOSAL.path, proposal.serializeBinary(), TIMEOUT_MS);
    }
    expect(usedBytes(await campaign.target.measure()) - before).toBeLessThan(8 * MEBIBYTE);
  });

  test('a transaction that is none keeps filtered blocks from nobody: a status takes its place', async () => {
    const bad = envelope((payload) => {
      const header = payload.getHeader();
      const channelHeader = common.ChannelHeader.deserializeBinary(header?.getChannelHeader_asU8() ?? new Uint8Array());
      channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
      header?.setChannelHeader(channelHeader.serializeBinary());
      payload.setData(Buffer.from([0xff, 0xff]));
    });
    const [accepted] = (await campaign.orderer.stream(BROADCAST.path, [bad], TIMEOUT_MS)).messages;
    expect(accepted).toBeDefined();
    // A block behind it, whatever the first one is in.
    await campaign.health.expectServing();
    await campaign.health.expectServing();
    const seek = buildSeek(campaign.seeds.signer, {
      channelId: campaign.target.channel,
      start: 'oldest',
      stop: 'newest',
      failIfNotReady: true,
    });
    const { messages } = await campaign.leader.stream(DELIVER_FILTERED.path, [seek.serializeBinary()], TIMEOUT_MS);
    const responses = messages.map((message) => peer.DeliverResponse.deserializeBinary(message));
    const gap = responses.findIndex((response) => response.getStatus() === common.Status.BAD_REQUEST);
    expect(gap).toBeGreaterThan(0);
    expect(responses[gap + 1]?.getFilteredBlock()?.getNumber()).toBe(gap + 1);
    expect(responses.at(-1)?.getStatus()).toBe(common.Status.SUCCESS);
  });

  test('a gateway serves 500 calls at once, waiting ones among them, and says Fabric’s words to more', async () => {
    const texts = await crowd(attack(), COMMIT_STATUS, 510, 10);
    expect(new Set(texts)).toEqual(
      new Set(['2 too many requests for /gateway.Gateway, exceeding concurrency limit (500)']),
    );
  });

  test('streams of blocks that nobody reads keep one block each', async () => {
    campaign.chaincode.behave('large events');
    for (let i = 0; i < 12; i++) await campaign.health.submitHostile();
    const before = usedBytes(await campaign.target.measure());
    const end = await openUnread(attack(), DELIVER, 80);
    await sleep(500);
    // One is 16 MiB for all of them, all twelve are 190 MiB.
    expect(usedBytes(await campaign.target.measure()) - before).toBeLessThan(64 * MEBIBYTE);
    end();
  });

  test('an orderer does not read on while its answer is not read', async () => {
    const { leader, seeds, target } = campaign;
    const count = () => countEnvelopes(leader, seeds.signer, target.channel);
    const before = await count();
    await floodBroadcast(attack(), 300);
    await campaign.health.expectServing();
    // One of the flood, one of the honest client.
    expect((await count()) - before).toBeLessThanOrEqual(2);
  });

  test('a chaincode that never ends its side has few streams, one that comes and goes is dialled ever slower', async () => {
    const { random, seeds, peers, chaincode } = campaign;
    await attackByChaincode({ random, seeds, peers, chaincode, behaviours: ['never ends its side'] });
    chaincode.behave('registers and goes');
    const before = chaincode.counts.streams;
    await sleep(1_000);
    expect(chaincode.counts.streams - before).toBeLessThan(20);
    expect(chaincode.open()).toBeLessThan(20);
  });
});
