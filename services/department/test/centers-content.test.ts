import { cidOfRaw, WaymarkError } from '@waymark/protocol';
import { centersContent } from '../src/query/centers-content.ts';

const block = Uint8Array.of(1, 2, 3);
const cid = cidOfRaw(block);

interface TestGateway {
  asked: number;
  closed: boolean;
  fault: WaymarkError | undefined;
}

function gateways(...faults: (WaymarkError | undefined)[]): {
  all: TestGateway[];
  content: ReturnType<typeof centersContent>;
} {
  const all = faults.map((fault): TestGateway => ({ asked: 0, closed: false, fault }));
  const answer = <Answer>(gateway: TestGateway, value: Answer): Promise<Answer> => {
    gateway.asked += 1;
    return gateway.fault === undefined ? Promise.resolve(value) : Promise.reject(gateway.fault);
  };
  const content = centersContent(
    all.map((gateway) => ({
      get: () => answer(gateway, block),
      has: () => answer(gateway, true),
      async *getMany() {
        yield { cid, bytes: await answer(gateway, block) };
      },
      close: () => {
        gateway.closed = true;
        return Promise.resolve();
      },
    })),
  );
  return { all, content };
}

const away = new WaymarkError('unavailable', 'away');

test('a center that is away is passed over, and the one that answered is asked first from then on', async () => {
  const { all, content } = gateways(away, undefined);
  expect(await content.get(cid)).toEqual(block);
  expect(await content.has(cid)).toBe(true);
  for await (const { bytes } of content.getMany([cid])) expect(bytes).toEqual(block);
  expect(all.map(({ asked }) => asked)).toEqual([1, 3]);
  await content.close();
  expect(all.every(({ closed }) => closed)).toBe(true);
});

test('what one center finds altered is not hidden by another; when none answers that is the answer', async () => {
  const { all, content } = gateways(new WaymarkError('data-abnormal', 'altered'), undefined);
  await expect(content.get(cid)).rejects.toMatchObject({ code: 'data-abnormal' });
  expect(all[1]?.asked).toBe(0);
  await expect(gateways(away, away).content.get(cid)).rejects.toMatchObject({ code: 'unavailable' });
});
