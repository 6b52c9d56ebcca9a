import { createOrganisationCa } from '@waymark/devnet/ca';
import { cidOfRaw, WaymarkError } from '@waymark/protocol';
import type { Message } from '@waymark/rsl';
import { openBidi } from '@waymark/transport';
import { encodeEnvelope, type Envelope } from '../../src/peers/codec/envelope.ts';
import { defaultPeersLimits, type StoredBlock } from '../../src/index.ts';
import { connectTo, openExchange } from '../../src/peers/member-service.ts';
import { createTestFirm, greeting, type Heard, layCable, ledger, type TestFirm, type TestMember } from './fixture.ts';
import { append, entryAt, fetchMessage, hashAt } from './messages.ts';

let firm: TestFirm;
beforeEach(async () => {
  firm = await createTestFirm();
});
afterEach(() => firm.close());

const isConnectedTo = (peer: string) => (heard: Heard) => heard.type === 'connected' && heard.peer === peer;
const isMessage = (heard: Heard) => heard.type === 'message';
const connectedTo = (member: TestMember, peer: string) => member.untilCount(1, isConnectedTo(peer));
const heights = ({ heard }: TestMember, from: string): number[] =>
  heard.flatMap((each) =>
    each.type === 'message' && each.message.type === 'fetch' && each.message.from === from ? [each.message.height] : [],
  );

describe('three members', () => {
  test('messages arrive in order at the member they are for, and hellos at each connection', async () => {
    const [a, b, c] = [await firm.open('a'), await firm.open('b'), await firm.open('c')];
    await Promise.all([connectedTo(a, 'b'), connectedTo(a, 'c'), connectedTo(b, 'a'), connectedTo(c, 'a')]);
    expect(a.peers.connected()).toEqual(['b', 'c']);
    for (let height = 1; height <= 200; height += 1) {
      a.peers.send(fetchMessage('a', height % 2 === 0 ? 'b' : 'c', height));
      c.peers.send(fetchMessage('c', 'a', height));
    }
    await Promise.all([a.untilCount(200, isMessage), b.untilCount(100, isMessage), c.untilCount(100, isMessage)]);
    expect(heights(a, 'c')).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(heights(b, 'a')).toEqual(Array.from({ length: 100 }, (_, index) => 2 * index + 2));
    expect(heights(c, 'a')).toEqual(Array.from({ length: 100 }, (_, index) => 2 * index + 1));
    expect(b.heard).toContainEqual({ type: 'hello', peer: 'a', greeting: greeting('a to b') });
    expect(c.heard).toContainEqual({ type: 'hello', peer: 'a', greeting: greeting('a to c') });
  });

  test('who announces says hello again to everybody', async () => {
    const [a, b] = [await firm.open('a'), await firm.open('b')];
    await connectedTo(a, 'b');
    a.peers.announce();
    await b.untilCount(2, ({ type }) => type === 'hello');
  });

  test('a member that is restarted is connected to again, and says hello again', async () => {
    const [a, b] = [await firm.open('a'), await firm.open('b')];
    await Promise.all([connectedTo(a, 'b'), connectedTo(b, 'a')]);
    await b.stop();
    await a.until(({ type }) => (type === 'disconnected' ? true : undefined));
    a.peers.send(fetchMessage('a', 'b', 1));
    expect(a.peers.stats()[0]).toMatchObject({ isConnected: false, dropped: { 'not-connected': 1 } });
    const again = await firm.open('b');
    await a.untilCount(2, isConnectedTo('b'));
    a.peers.send(fetchMessage('a', 'b', 2));
    await again.untilCount(1, isMessage);
    expect(heights(again, 'a')).toEqual([2]);
    await a.untilCount(2, ({ type }) => type === 'hello');
  });

  test('who is no member any more is let go, and not let in', async () => {
    const [a, b] = [await firm.open('a'), await firm.open('b')];
    await Promise.all([connectedTo(a, 'b'), connectedTo(b, 'a')]);
    firm.addresses.delete('b');
    a.peers.reload();
    expect(a.peers.connected()).toEqual([]);
    expect(a.peers.stats()).toEqual([]);
    await firm.open('c');
    await a.until((heard) => (isConnectedTo('c')(heard) ? true : undefined));
  });
});

describe('who may say what', () => {
  test("a certificate of another firm's CA is not let in", async () => {
    const a = await firm.open('a');
    const other = await createOrganisationCa({ mspId: 'FirmMSP', domain: 'firm.example.com' });
    await expect(speakTo(firm, 'a', [], await firm.identityOf('b', other))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(a.heard).toEqual([]);
  });

  test('a node of the firm that is no member is refused', async () => {
    const a = await firm.open('a');
    const hello: Envelope = { kind: 'hello', ledger, member: 'clerk', greeting: greeting('clerk') };
    await expect(speakTo(firm, 'a', [hello], await firm.identityOf('clerk'))).rejects.toMatchObject({
      code: 'role-not-permitted',
    });
    expect(a.heard).toMatchObject([{ type: 'refused', peer: null }]);
  });

  const message = (parts: Partial<Message> = {}): Envelope => ({
    kind: 'message',
    message: { ...fetchMessage('b', 'a', 1), ...parts } as Message,
  });
  const hello = (parts: { ledger?: string; member?: string } = {}): Envelope => ({
    kind: 'hello',
    ledger,
    member: 'b',
    greeting: greeting('b'),
    ...parts,
  });
  test.each<[string, readonly (Envelope | Uint8Array)[], string]>([
    ['a member that says hello for another', [hello({ member: 'c' })], 'role-not-permitted'],
    ['a member of another ledger', [hello({ ledger: 'FirmMSP/other' })], 'recipient-mismatch'],
    ['a member that speaks for another', [hello(), message({ from: 'c' })], 'role-not-permitted'],
    ['a message for another member', [hello(), message({ to: 'c' })], 'recipient-mismatch'],
    ['a message before the hello', [message()], 'input-invalid'],
    ['a welcome', [hello(), { kind: 'welcome', ledger, member: 'b' }], 'input-invalid'],
    ['bytes that are no envelope', [hello(), Uint8Array.of(255, 255)], 'input-invalid'],
    ['an envelope that is too large', [hello(), new Uint8Array(17 * 1024 * 1024)], 'limit-exceeded'],
  ])('%s is refused, and nothing of it is heard', async (_what, said, code) => {
    firm.addresses.set('b', { endpoint: 'localhost:1', tlsRootPem: firm.ca.tlsRootCertPem });
    const a = await firm.open('a');
    await expect(speakTo(firm, 'a', said, await firm.identityOf('b'))).rejects.toMatchObject({ code });
    expect(a.heard.filter(isMessage)).toEqual([]);
  });

  test('a stream is ended when its member loses the right to it', async () => {
    let recheck: (() => void) | undefined;
    const a = await firm.open('a', {
      serve: async (check, work) => {
        check();
        const ended = Promise.withResolvers<never>();
        recheck = () => ended.reject(new WaymarkError('certificate-revoked', 'revoked'));
        return Promise.race([work(), ended.promise]);
      },
    });
    const b = await firm.open('b');
    await connectedTo(b, 'a');
    recheck?.();
    const { error } = await b.until((heard) => (heard.type === 'disconnected' ? heard : undefined));
    expect(error).toMatchObject({ code: 'certificate-revoked' });
    expect(a.heard).toContainEqual(expect.objectContaining({ type: 'refused', peer: 'b' }));
  });
});

describe('blocks for a member that lacks them', () => {
  const blockAt = (height: number): StoredBlock => ({
    height,
    hash: hashAt(height),
    seal: Uint8Array.of(height),
    candidateSignature: 'AAAA',
    blocks: [1, 2, 3, 4, 5].map((index) => {
      const bytes = new Uint8Array(1024 * 1024).fill(index);
      return { cid: cidOfRaw(bytes), bytes };
    }),
  });
  const from = (blocks: readonly StoredBlock[]) =>
    async function* (first: number, last: number): AsyncGenerator<StoredBlock> {
      for (const block of blocks) if (block.height >= first && block.height <= last) yield Promise.resolve(block);
    };
  const heightsRead = async (member: TestMember, first: number, last: number): Promise<number[]> => {
    const read: number[] = [];
    for await (const block of member.peers.readBlocks('b', first, last)) {
      const stored = blockAt(block.height);
      expect({ ...block, blocks: [] }).toEqual({ ...stored, blocks: [] });
      // Bytes by their CIDs: comparing megabytes one by one takes a while.
      expect(block.blocks.map(({ cid }) => cid.toString())).toEqual(stored.blocks.map(({ cid }) => cid.toString()));
      for (const { cid, bytes } of block.blocks) expect(cidOfRaw(bytes).toString()).toBe(cid.toString());
      read.push(block.height);
    }
    return read;
  };

  test('they come from the highest down, as they are stored, whatever their size', async () => {
    const a = await firm.open('a');
    await firm.open('b', { readBlocks: from([4, 3, 2, 1].map(blockAt)) });
    expect(await heightsRead(a, 2, 4)).toEqual([4, 3, 2]);
    expect(await heightsRead(a, 4, 4)).toEqual([4]);
  });

  test('others than those that were asked for are refused', async () => {
    const a = await firm.open('a', { limits: { maxBlockSizeBytes: 6 * 1024 * 1024 } });
    let blocks = [3, 1].map(blockAt);
    await firm.open('b', { readBlocks: () => from(blocks)(1, 9) });
    await expect(heightsRead(a, 1, 3)).rejects.toMatchObject({ code: 'input-invalid' });
    await expect(heightsRead(a, 1, 4)).rejects.toMatchObject({ code: 'input-invalid' });
    const { blocks: pieces, ...rest } = blockAt(3);
    blocks = [{ ...rest, blocks: [...pieces, ...pieces] }];
    await expect(heightsRead(a, 1, 3)).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  test('a range that is none is refused, and so is who is no member', async () => {
    const a = await firm.open('a');
    await firm.open('b');
    await expect(heightsRead(a, 3, 2)).rejects.toMatchObject({ code: 'input-invalid' });
    const clerk = await firm.open('clerk');
    firm.addresses.delete('clerk');
    await expect(heightsRead(clerk, 1, 2)).rejects.toMatchObject({ code: 'role-not-permitted' });
    await expect(heightsRead(a, 1, 2)).resolves.toEqual([]);
  });
});

describe('who does not keep up', () => {
  test('a member that takes nothing holds its sender back: the queue is bounded, what is dropped is counted, votes are kept', async () => {
    const gate = Promise.withResolvers<unknown>();
    const limits = { maxQueuedBytes: 256 * 1024, maxQueuedMessages: 50, maxUnsentBytes: 64 * 1024 };
    const a = await firm.open('a', { limits });
    const b = await firm.open('b', {
      onMessage: async () => {
        await gate.promise;
      },
    });
    await connectedTo(a, 'b');
    a.peers.send({ ...voteRequest, term: 1 });
    for (let term = 2; term <= 5_000; term += 1) {
      a.peers.send(term === 2_500 ? { ...voteRequest, term } : large(term));
      // What the other side takes, it takes between turns.
      if (term % 100 === 0) await new Promise(setImmediate);
    }
    const [{ queuedBytes, queuedMessages, dropped, sentMessages }] = a.peers.stats() as [
      ReturnType<typeof a.peers.stats>[0],
    ];
    expect(queuedBytes).toBeLessThanOrEqual(limits.maxQueuedBytes);
    expect(queuedMessages).toBeLessThanOrEqual(limits.maxQueuedMessages);
    expect(dropped['queue-full']).toBeGreaterThan(1_000);
    expect(dropped['queue-full'] + queuedMessages + sentMessages).toBe(5_000);
    gate.resolve(undefined);
    await b.until((heard) => (heard.type === 'message' && heard.message.term === 5_000 ? true : undefined));
    const terms = b.heard.flatMap((heard) => (heard.type === 'message' ? [heard.message.term] : []));
    expect(terms).toContain(2_500);
    expect(terms).toEqual([...terms].sort((x, y) => x - y));
  });

  test('a message that is too large is not sent, and what comes after it is', async () => {
    const a = await firm.open('a', { limits: { maxEnvelopeSizeBytes: 4_096 } });
    const b = await firm.open('b');
    await connectedTo(a, 'b');
    a.peers.send(large(1));
    a.peers.send(fetchMessage('a', 'b', 2));
    await b.untilCount(1, isMessage);
    expect(heights(b, 'a')).toEqual([2]);
    expect(a.heard).toContainEqual({ type: 'dropped', peer: 'b', reason: 'too-large', messages: 1 });
  });

  test('a member that is alive no more, without having gone, is noticed', async () => {
    const b = await firm.open('b');
    const cable = await layCable(Number(firm.addresses.get('b')?.endpoint.split(':')[1]));
    try {
      firm.addresses.set('b', { endpoint: `localhost:${cable.port}`, tlsRootPem: firm.ca.tlsRootCertPem });
      const a = await firm.open('a', { limits: { keepaliveMs: 100, keepaliveTimeoutMs: 100 } });
      await connectedTo(a, 'b');
      cable.cut();
      await a.until((heard) => (heard.type === 'disconnected' ? true : undefined));
      expect(a.peers.connected()).toEqual([]);
    } finally {
      await b.stop();
      await cable.close();
    }
  });

  const voteRequest: Message = {
    type: 'vote-request',
    from: 'a',
    to: 'b',
    term: 1,
    pre: true,
    epoch: 1,
    logEnd: { sealed: { height: 0, term: 0, hash: '' }, candidate: null },
    handOver: null,
  };
  const entry = entryAt(1, { attachmentBytes: 8_000 });
  const large = (term: number): Message => append([entry], { term });
});

/** Says these things to a member, as anybody could; rejects with what the member answers. */
async function speakTo(
  { addresses }: TestFirm,
  id: string,
  said: readonly (Envelope | Uint8Array)[],
  identity: Parameters<typeof connectTo>[1],
): Promise<void> {
  const address = addresses.get(id);
  if (address === undefined) throw new Error('nobody is there');
  const client = connectTo(address, identity, defaultPeersLimits);
  try {
    const stream = openBidi(openExchange(client));
    for (const each of said)
      await stream.write(each instanceof Uint8Array ? each : encodeEnvelope(each)).catch(() => undefined);
    const answers = stream.responses[Symbol.asyncIterator]();
    while ((await answers.next()).done !== true);
  } finally {
    client.close();
  }
}
