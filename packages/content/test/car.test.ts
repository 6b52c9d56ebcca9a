import { CarReader, CarWriter } from '@ipld/car';
import * as dagCbor from '@ipld/dag-cbor';
import { readCar, writeCar } from '@waymark/content';
import {
  collect,
  expectCode,
  linkingBlock,
  refusedCids,
  sampleBlock,
  sampleBlocks,
} from '@waymark/testing/content-compliance';
import { CID } from 'multiformats/cid';

const blocks = [sampleBlock('empty', 0), ...sampleBlocks('car', 20, 300), sampleBlock('large', 2 * 1024 * 1024)];
const root = linkingBlock(blocks.map((block) => block.cid));

async function* pieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield await Promise.resolve(bytes.subarray(at, at + sizeBytes));
}

async function carBytes(): Promise<Buffer> {
  return Buffer.concat(await collect(writeCar([root.cid], [root, ...blocks])));
}

/** A section as declared, whatever its truth. */
function section(...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const header = section(dagCbor.encode({ roots: [], version: 1 }));

async function readAll(bytes: Uint8Array, limits?: Parameters<typeof readCar>[1]): Promise<unknown> {
  const car = await readCar(pieces(bytes, 1000), limits);
  return await collect(car.blocks);
}

test('what writeCar writes, the plain library reads, and the other way round', async () => {
  const plain = await CarReader.fromBytes(await carBytes());
  expect((await collect(plain.blocks())).map((block) => block.cid.toString())).toEqual(
    [root, ...blocks].map((block) => block.cid.toString()),
  );
  const { writer, out } = CarWriter.create([root.cid]);
  const written = collect(out);
  for (const block of [root, ...blocks]) await writer.put(block);
  await writer.close();
  expect(Buffer.compare(Buffer.concat(await written), await carBytes())).toBe(0);
});

test.each([1, 7, 1024, 10_000_000])('a CAR in pieces of %i bytes is read the same', async (sizeBytes) => {
  const bytes = await carBytes();
  const car = await readCar(pieces(sizeBytes < 100 ? bytes.subarray(0, 8000) : bytes, sizeBytes));
  expect(car.roots.map(String)).toEqual([root.cid.toString()]);
  const got = [];
  const read = async (): Promise<void> => {
    for await (const block of car.blocks) got.push(block);
  };
  if (sizeBytes < 100) await expectCode(read(), 'input-invalid');
  else await read();
  expect(got.length).toBeGreaterThan(10);
});

test.each<[string, Uint8Array]>([
  ['nothing', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(100)],
  [
    'text',
    Buffer.from('this is not a CAR at all, but it is long enough to be taken for one, with some more text behind it'),
  ],
  ['a header that is no dag-cbor', section(Buffer.from('ffffff', 'hex'))],
  ['a header that is no map', section(dagCbor.encode(1))],
  ['a header without roots', section(dagCbor.encode({ version: 1 }))],
  ['roots that are no CIDs', section(dagCbor.encode({ roots: ['x'], version: 1 }))],
  ['another version', section(dagCbor.encode({ roots: [], version: 3 }))],
  ['an empty section', Buffer.concat([header, Buffer.from([0])])],
  ['a section that is no CID', Buffer.concat([header, section(Buffer.from('ffffffff', 'hex'))])],
  ['a length that is not minimal', Buffer.concat([header, Buffer.from([0x80, 0x00])])],
  ['half a length', Buffer.concat([header, Buffer.from([0x80])])],
  [
    'half a section',
    Buffer.concat([header, section(sampleBlock('half').cid.bytes, sampleBlock('half').bytes).subarray(0, 500)]),
  ],
  ...refusedCids.map(([what, cid]): [string, Uint8Array] => [
    what,
    Buffer.concat([header, section(cid.bytes, Buffer.from([1]))]),
  ]),
])('%s is input-invalid', (_what, bytes) => expectCode(readAll(bytes), 'input-invalid'));

test('CAR version 2 is unsupported, by name', () =>
  expectCode(readAll(section(dagCbor.encode({ version: 2 }))), 'unsupported'));

test('a block that does not hash to its CID is data-abnormal', () => {
  const { cid } = sampleBlock('named');
  return expectCode(readAll(Buffer.concat([header, section(cid.bytes, sampleBlock('other').bytes)])), 'data-abnormal');
});

describe('CAR bombs', () => {
  const { cid } = sampleBlock('bomb');

  test.each<[string, Uint8Array]>([
    ['a header of 4 GiB', Buffer.concat([varint(4 * 1024 ** 3), Buffer.alloc(1000)])],
    ['a header over 64 KiB', section(dagCbor.encode({ roots: [], version: 1, filler: 'x'.repeat(70_000) }))],
    ['a section of 2 GiB', Buffer.concat([header, varint(2 * 1024 ** 3), cid.bytes])],
    ['a section of 16 GiB', Buffer.concat([header, varint(16 * 1024 ** 3), cid.bytes])],
    ['a section one byte over 2 MiB', Buffer.concat([header, section(cid.bytes, Buffer.alloc(2 * 1024 * 1024 + 1))])],
  ])('%s is limit-exceeded before memory is taken for it', async (_what, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    await expectCode(readAll(bytes), 'limit-exceeded');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('a length of more than 35 bits is no length', () =>
    expectCode(readAll(Buffer.concat([header, Buffer.from('ffffffffffffffff7f', 'hex')])), 'input-invalid'));

  test('blocks and bytes are counted over the whole stream', async () => {
    const bytes = await carBytes();
    await expectCode(readAll(bytes, { maxBlocks: 10 }), 'limit-exceeded');
    await expectCode(readAll(bytes, { maxSizeBytes: 5000 }), 'limit-exceeded');
  });

  test('the source is closed when a read is given up', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(await carBytes(), 100);
      } finally {
        closed = true;
      }
    }
    const car = await readCar(source());
    for await (const block of car.blocks) {
      expect(CID.asCID(block.cid)).not.toBeNull();
      break;
    }
    expect(closed).toBe(true);
  });
});
