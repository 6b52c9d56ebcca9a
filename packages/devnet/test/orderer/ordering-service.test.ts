import { common } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { addOrganisation, changeBatchSize, replaceMsp } from '../../src/config/index.ts';
import { openPeerLedger } from '../../src/ledger/index.ts';
import type { LedgerFaults } from '../../src/ledger/index.ts';
import { openOrderingService, type OrderingService } from '../../src/orderer/index.ts';
import {
  createTestChannel,
  createTestOrganisation,
  definitionOf,
  issueIdentity,
  type TestChannel,
  type TestChannelOptions,
} from '../support/test-channel.ts';
import { createTransaction, type TransactionParts } from '../support/test-transaction.ts';
import { ManualTime } from '../support/manual-time.ts';
import { codesOf } from '../support/test-chain.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';

const { SUCCESS, BAD_REQUEST, FORBIDDEN, SERVICE_UNAVAILABLE } = common.Status;

interface Fixture {
  readonly channel: TestChannel;
  readonly dir: string;
  readonly time: ManualTime;
  /** Of all organisations: they may change everything. */
  readonly admins: readonly SigningIdentity[];
  service: OrderingService;
}

const open: OrderingService[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((service) => service.close()));
});
afterAll(removeTemporaryFolders);

async function start(options: TestChannelOptions = {}, faults?: LedgerFaults): Promise<Fixture> {
  const channel = await createTestChannel({ batchTimeoutMs: 1000, ...options });
  const dir = await temporaryFolder();
  const time = new ManualTime(Date.now());
  const admins = [channel.org1.admin, channel.org2.admin, channel.ordererAdmin];
  const fixture = { channel, dir, time, admins };
  return { ...fixture, service: await openService(fixture, faults) };
}

async function openService(fixture: Omit<Fixture, 'service'>, faults?: LedgerFaults): Promise<OrderingService> {
  const service = await openOrderingService({
    dir: fixture.dir,
    genesisBlock: fixture.channel.genesisBlock,
    signer: fixture.channel.orderer,
    time: fixture.time,
    ...(faults === undefined ? {} : { faults }),
  });
  open.push(service);
  return service;
}

function message({ channel }: Fixture, parts: Partial<TransactionParts> = {}): common.Envelope {
  return createTransaction({ creator: channel.org1.client, endorsers: [], ...parts }).envelope;
}

/** The first `count` blocks from a number on. */
async function take(service: OrderingService, from: bigint, count: number): Promise<common.Block[]> {
  const blocks: common.Block[] = [];
  for await (const block of service.blocks(from)) {
    blocks.push(block);
    if (blocks.length === count) break;
  }
  return blocks;
}

const envelopesOf = (block: common.Block | undefined) => block?.getData()?.getDataList_asU8() ?? [];

describe('cutting', () => {
  test('by count, without waiting for the timer', async () => {
    const fixture = await start({ batchSize: { maxMessageCount: 3 } });
    const messages = Array.from({ length: 6 }, () => message(fixture));
    for (const envelope of messages) {
      expect(await fixture.service.broadcast(envelope)).toEqual({ status: SUCCESS, info: '' });
    }
    const [one, two] = await take(fixture.service, 1n, 2);
    expect([...envelopesOf(one), ...envelopesOf(two)]).toEqual(messages.map((envelope) => envelope.serializeBinary()));
    expect(envelopesOf(one)).toHaveLength(3);
    expect(fixture.time.runningTimers).toBe(0);
  });

  test('by the timer, which starts with the first waiting message and once only', async () => {
    const fixture = await start();
    await fixture.service.broadcast(message(fixture));
    fixture.time.advance(600);
    await fixture.service.broadcast(message(fixture));
    expect(fixture.time.runningTimers).toBe(1);
    fixture.time.advance(399);
    expect(fixture.service.height).toBe(1n);
    fixture.time.advance(1);
    const [block] = await take(fixture.service, 1n, 1);
    expect(envelopesOf(block)).toHaveLength(2);
    expect(fixture.time.runningTimers).toBe(0);
    fixture.time.advance(10_000);
    expect(fixture.service.height).toBe(2n);
  });

  test('by size, and a large message alone', async () => {
    const fixture = await start({ batchSize: { preferredMaxBytes: 20_000 } });
    const large = message(fixture, {
      simulate: (set) => {
        set.addWrite('basic', 'k', Buffer.alloc(30_000));
      },
    });
    await fixture.service.broadcast(message(fixture));
    await fixture.service.broadcast(large);
    const [one, two] = await take(fixture.service, 1n, 2);
    expect(envelopesOf(one)).toHaveLength(1);
    expect(envelopesOf(two)).toEqual([large.serializeBinary()]);
  });
});

test('blocks are numbered, chained and signed so that a peer takes them', async () => {
  const fixture = await start({ batchSize: { maxMessageCount: 1 } });
  const ledger = await openPeerLedger({ dir: await temporaryFolder(), genesisBlock: fixture.channel.genesisBlock });
  for (let i = 0; i < 3; i++) await fixture.service.broadcast(message(fixture));
  let previous = fixture.channel.genesisBlock;
  for (const block of await take(fixture.service, 1n, 3)) {
    const before = previous.getHeader();
    expect(block.getHeader()?.getPreviousHash_asU8()).toEqual(
      before === undefined ? undefined : headerHash(headerFieldsOf(before)),
    );
    const slots = block.getMetadata()?.getMetadataList_asU8() ?? [];
    const signatures = common.Metadata.deserializeBinary(slots[0] ?? new Uint8Array());
    // OrdererBlockMetadata with a last configuration that is present although it is 0.
    expect(Buffer.from(signatures.getValue_asU8()).toString('hex')).toBe('0a00');
    expect(signatures.getSignaturesList()).toHaveLength(1);
    expect(slots).toHaveLength(5);
    await ledger.commit(block);
    previous = block;
  }
  expect(ledger.height).toBe(4n);
  await ledger.close();
});

describe('messages that are not ordered', () => {
  test.each<[string, number, string | RegExp, (fixture: Fixture) => common.Envelope | Promise<common.Envelope>]>([
    ['an empty message', BAD_REQUEST, /^could not determine channel ID: header not set$/, () => new common.Envelope()],
    ['no payload message', BAD_REQUEST, /^could not determine channel ID/, () => envelopeOf(Buffer.of(0xff))],
    ['another channel', BAD_REQUEST, 'channel does not exist', (f) => message(f, { channelId: 'elsewhere' })],
    [
      'a CONFIG',
      BAD_REQUEST,
      'message is of type that cannot be processed directly',
      (f) =>
        message(f, {
          spoil: {
            channelHeader: (h) => {
              h.setType(common.HeaderType.CONFIG);
            },
          },
        }),
    ],
    [
      'a CONFIG_UPDATE that is none',
      BAD_REQUEST,
      /^error applying config update to existing channel 'testchannel': error /,
      (f) =>
        message(f, {
          spoil: {
            channelHeader: (h) => {
              h.setType(common.HeaderType.CONFIG_UPDATE);
            },
          },
        }),
    ],
    [
      'a message over the absolute size',
      BAD_REQUEST,
      /^message payload is \d+ bytes and exceeds maximum allowed 30000 bytes$/,
      (f) =>
        message(f, {
          simulate: (set) => {
            set.addWrite('basic', 'k', Buffer.alloc(30_000));
          },
        }),
    ],
    [
      'a wrong signature',
      FORBIDDEN,
      /'Writers' sub-policies to be satisfied: permission denied$/,
      (f) => message(f, { spoil: { signature: () => Buffer.of(1) } }),
    ],
    [
      'a peer, which is no writer',
      FORBIDDEN,
      /permission denied$/,
      (f) => message(f, { creator: f.channel.org1.peer }),
    ],
    [
      'a stranger',
      FORBIDDEN,
      /permission denied$/,
      async (f) => message(f, { creator: (await createTestOrganisation('Org1MSP', 'org1.example.com')).client }),
    ],
    [
      'an expired certificate',
      BAD_REQUEST,
      'broadcast client identity expired',
      async (f) => message(f, { creator: await expired(f) }),
    ],
  ])('%s', async (_, status, info, make) => {
    const fixture = await start({ batchSize: { absoluteMaxBytes: 30_000, preferredMaxBytes: 20_000 } });
    const result = await fixture.service.broadcast(await make(fixture));
    expect(result.status).toBe(status);
    if (typeof info === 'string') expect(result.info).toBe(info);
    else expect(result.info).toMatch(info);
    expect(fixture.time.runningTimers).toBe(0);
  });
});

test('after a restart the chain is the same and goes on', async () => {
  const fixture = await start({ batchSize: { maxMessageCount: 2 } });
  for (let i = 0; i < 4; i++) await fixture.service.broadcast(message(fixture));
  const before = await take(fixture.service, 0n, 3);
  await fixture.service.close();
  fixture.service = await openService(fixture);
  expect(fixture.service.height).toBe(3n);
  const after = await take(fixture.service, 0n, 3);
  expect(after.map((block) => block.toObject())).toEqual(before.map((block) => block.toObject()));
  for (let i = 0; i < 2; i++) await fixture.service.broadcast(message(fixture));
  const [next] = await take(fixture.service, 3n, 1);
  expect(next?.getHeader()?.getNumber()).toBe(3);
});

test('what waits is cut when the service closes; then it takes nothing more', async () => {
  const fixture = await start();
  await fixture.service.broadcast(message(fixture));
  await fixture.service.close();
  expect((await fixture.service.broadcast(message(fixture))).status).toBe(SERVICE_UNAVAILABLE);
  fixture.service = await openService(fixture);
  expect(fixture.service.height).toBe(2n);
});

test('a reader waits for blocks, starts anywhere, and leaves by its signal or with the service', async () => {
  const fixture = await start({ batchSize: { maxMessageCount: 1 } });
  const stop = new AbortController();
  const read = async (from: bigint, signal?: AbortSignal) => {
    const numbers: number[] = [];
    for await (const block of fixture.service.blocks(from, signal)) numbers.push(block.getHeader()?.getNumber() ?? -1);
    return numbers;
  };
  const leaving = read(0n, stop.signal);
  const staying = read(2n);
  await fixture.service.broadcast(message(fixture));
  await take(fixture.service, 1n, 1);
  stop.abort();
  expect(await leaving).toEqual([0, 1]);
  await fixture.service.broadcast(message(fixture));
  await fixture.service.broadcast(message(fixture));
  await fixture.service.close();
  expect(await staying).toEqual([2, 3]);
});

test('many broadcasts at once are all ordered, each once', async () => {
  const fixture = await start({ batchSize: { maxMessageCount: 10 } });
  const messages = Array.from({ length: 200 }, () => message(fixture));
  const results = await Promise.all(messages.map((envelope) => fixture.service.broadcast(envelope)));
  expect(results.every(({ status }) => status === SUCCESS)).toBe(true);
  const ordered = (await take(fixture.service, 1n, 20)).flatMap(envelopesOf);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  expect(new Set(ordered.map(hex))).toEqual(new Set(messages.map((envelope) => hex(envelope.serializeBinary()))));
  expect(ordered).toHaveLength(200);
});

test('one folder, one orderer; and only for its channel', async () => {
  const fixture = await start();
  await expect(openService(fixture)).rejects.toMatchObject({ code: 'LEDGER_LOCKED' });
  await fixture.service.close();
  const other = await createTestChannel();
  await expect(
    openOrderingService({ dir: fixture.dir, genesisBlock: other.genesisBlock, signer: fixture.channel.orderer }),
  ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('a disk that fails stops the orderer, which says so', async () => {
  let full = false;
  const fixture = await start(
    { batchSize: { maxMessageCount: 1 } },
    {
      at: (point) => {
        if (full && point === 'before-block-sync') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    },
  );
  full = true;
  await fixture.service.broadcast(message(fixture));
  for await (const block of fixture.service.blocks(2n)) expect(block).toBeUndefined();
  expect((await fixture.service.broadcast(message(fixture))).status).toBe(SERVICE_UNAVAILABLE);
});

describe('configuration blocks', () => {
  test('have a block of their own, apply at once, and are named by the blocks after them', async () => {
    const fixture = await start();
    await fixture.service.broadcast(message(fixture));
    const block = await fixture.service.updateConfig(changeBatchSize({ maxMessageCount: 1 }), fixture.admins);
    expect(block.getHeader()?.getNumber()).toBe(2);
    expect(fixture.service.channelConfig).toMatchObject({ sequence: 1, batchSize: { maxMessageCount: 1 } });
    await fixture.service.broadcast(message(fixture));
    const [, , , last] = await take(fixture.service, 0n, 4);
    const slot = last?.getMetadata()?.getMetadataList_asU8()[1] ?? new Uint8Array();
    expect(
      common.LastConfig.deserializeBinary(common.Metadata.deserializeBinary(slot).getValue_asU8()).getIndex(),
    ).toBe(2);
    await fixture.service.close();
    fixture.service = await openService(fixture);
    expect(fixture.service.channelConfig.batchSize.maxMessageCount).toBe(1);
  });

  test('that would be refused change nothing', async () => {
    const fixture = await start();
    const same = fixture.service.updateConfig(() => undefined, fixture.admins);
    await expect(same).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'the configuration is already like that',
    });
    const { org1, org2 } = fixture.channel;
    const change = changeBatchSize({ maxMessageCount: 7 });
    for (const signers of [[], [org1.admin, org2.admin], [org1.client]]) {
      await expect(fixture.service.updateConfig(change, signers)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    await expect(
      fixture.service.updateConfig(changeBatchSize({ maxMessageCount: 0 }), fixture.admins),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(fixture.service.height).toBe(1n);
    expect(fixture.service.channelConfig.sequence).toBe(0);
  });

  test('let another organisation in: its clients are served, its endorsement counts', async () => {
    const fixture = await start({ batchSize: { maxMessageCount: 1 } });
    const org3 = await createTestOrganisation('Org3MSP', 'org3.example.com');
    const byOrg3 = message(fixture, { creator: org3.client });
    expect((await fixture.service.broadcast(byOrg3)).status).toBe(FORBIDDEN);
    await fixture.service.updateConfig(addOrganisation(definitionOf(org3.ca)), fixture.admins);
    expect((await fixture.service.broadcast(byOrg3)).status).toBe(SUCCESS);
    const config = fixture.service.channelConfig;
    const endorsement = config.policy('/Channel/Application/Endorsement');
    const peers = [fixture.channel.org1, fixture.channel.org2, org3].map(({ peer }) =>
      config.msps.deserialize(peer.serialized),
    );
    expect(endorsement.evaluate(peers.slice(0, 1))).toBe(false);
    expect(endorsement.evaluate(peers.slice(1))).toBe(true);
    await expect(
      fixture.service.updateConfig(addOrganisation(definitionOf(org3.ca)), fixture.admins),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(
      fixture.service.updateConfig(replaceMsp('Org9MSP', definitionOf(org3.ca).mspConfig), fixture.admins),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('revoke a client: orderer and peers refuse it from then on; others go on', async () => {
    const fixture = await start({ batchSize: { maxMessageCount: 1 } });
    const { org1, genesisBlock } = fixture.channel;
    const ledger = await openPeerLedger({ dir: await temporaryFolder(), genesisBlock });
    const staying = await issueIdentity(org1.ca, 'staying', 'client');
    org1.ca.revoke(org1.client.issued.certificatePem);
    const crlPem = await org1.ca.crlPem();
    // Accepted before the change, but validated after it.
    const late = message(fixture);
    await fixture.service.updateConfig(replaceMsp('Org1MSP', definitionOf(org1.ca, crlPem).mspConfig), fixture.admins);
    expect((await fixture.service.broadcast(late)).status).toBe(FORBIDDEN);
    expect((await fixture.service.broadcast(message(fixture, { creator: staying }))).status).toBe(SUCCESS);
    for (const block of await take(fixture.service, 1n, 2)) await ledger.commit(block);
    expect(ledger.channelConfig.sequence).toBe(1);
    const newest = await ledger.getBlock(1n);
    expect(newest === undefined ? [] : codesOf(newest)).toEqual([0]);
    expect(() => ledger.channelConfig.msps.deserialize(org1.client.serialized)).toThrow('revoked');
    await ledger.close();
  });
});

function envelopeOf(payload: Uint8Array): common.Envelope {
  const envelope = new common.Envelope();
  envelope.setPayload(payload);
  return envelope;
}

async function expired({ channel }: Fixture) {
  const issued = await channel.org1.ca.issue({
    enrolmentId: 'late',
    role: 'client',
    notBefore: new Date(Date.now() - 7_200_000),
    notAfter: new Date(Date.now() - 3_600_000),
  });
  return createSigningIdentity(issued);
}
