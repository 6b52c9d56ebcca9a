import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createWorldState, type ShimOutcome, type WorldState } from '@waymark/testing/shim-peer';
import { startChaincode, type RunningChaincode } from '../../../chaincode/test/harness/chaincode-process.ts';
import { createAuthority, type TestIdentity } from '../../../chaincode/test/harness/identities.ts';

const folder = join(import.meta.dirname, '..');
const cli = createRequire(import.meta.url).resolve('fabric-shim/cli.js');

describe('an unrelated contract, started by the standard command', () => {
  let chaincode: RunningChaincode;
  let caller: TestIdentity;
  let state: WorldState;

  beforeAll(async () => {
    caller = await (await createAuthority('StrangerMSP')).issue('someone');
    chaincode = await startChaincode({
      packageId: 'assets_1:00ff',
      folder,
      command: (address, packageId) => [cli, 'server', '--chaincode-address', address, '--chaincode-id', packageId],
    });
  });
  beforeEach(() => {
    state = createWorldState();
  });
  afterAll(() => chaincode.stop());

  const simulate = (name: string, ...args: readonly (string | Uint8Array)[]): Promise<ShimOutcome> =>
    chaincode.peer.invoke({ name, args, creator: caller }, state);
  const submit = async (name: string, ...args: readonly (string | Uint8Array)[]): Promise<unknown> => {
    const outcome = await simulate(name, ...args);
    expect(outcome.message).toBe('');
    expect(state.commit(outcome)).toBe('VALID');
    const text = Buffer.from(outcome.payload).toString();
    return text === '' ? undefined : JSON.parse(text);
  };

  test('it registers under its package id', () => {
    expect(chaincode.peer.packageId).toBe('assets_1:00ff');
  });

  test('an asset is created, read, changed, given away and deleted, and its history keeps it all', async () => {
    const asset = { id: 'a1', owner: 'Ann', value: 5 };
    expect(await submit('createAsset', 'a1', 'Ann', '5')).toEqual(asset);
    expect(await submit('readAsset', 'a1')).toEqual(asset);
    await submit('updateAsset', 'a1', '6');
    await submit('assets:transferAsset', 'a1', 'Bob');
    expect(await submit('assetsOf', 'Ann')).toEqual([]);
    expect(await submit('assetsOf', 'Bob')).toEqual(['a1']);
    await submit('deleteAsset', 'a1');
    expect((await simulate('readAsset', 'a1')).message).toBe('asset a1 does not exist');
    const history = (await submit('assetHistory', 'a1')) as { isDelete: boolean; asset: unknown }[];
    expect(history.map(({ isDelete }) => isDelete)).toEqual([true, false, false, false]);
    expect(history.at(-1)?.asset).toEqual(asset);
  });

  test('ranges come whole, over several messages, and by page', async () => {
    await submit('createMany', 'p', '250', 'Ann');
    expect(await submit('listAssets', 'p', 'q')).toHaveLength(250);
    expect(await submit('listAssets', 'p0010', 'p0020')).toHaveLength(10);
    const page = (await submit('listAssetsPaged', 'p', 'q', '120', '')) as { bookmark: string; count: number };
    expect(page).toMatchObject({ count: 120, bookmark: 'p0120' });
    const last = (await submit('listAssetsPaged', 'p', 'q', '200', page.bookmark)) as {
      bookmark: string;
      count: number;
    };
    expect(last).toMatchObject({ count: 130, bookmark: '' });
  });

  test('raw bytes are stored as they are', async () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
    expect(await submit('raw', 'k', bytes)).toBe(300);
    expect(state.get('k')?.value).toEqual(new Uint8Array(bytes));
    expect(Buffer.from((await simulate('readRaw', 'k')).payload).toString()).toBe(
      Buffer.from(bytes).toString('base64'),
    );
  });

  test('an event goes out with its payload, and without a write too', async () => {
    const outcome = await simulate('announce', 'Hello', 'world');
    expect(outcome.event?.name).toBe('Hello');
    expect(Buffer.from(outcome.event?.payload ?? []).toString()).toBe('world');
    expect(outcome.writes.size).toBe(0);
  });

  test('a failing function answers status 500 and its message', async () => {
    const outcome = await simulate('fail', 'on purpose');
    expect([outcome.status, outcome.message]).toEqual([500, 'on purpose']);
  });

  test('two transactions over one range: the later is a phantom conflict', async () => {
    const [first, second] = await Promise.all([
      simulate('countInto', 'a', 'z', 'n1'),
      simulate('countInto', 'a', 'z', 'n2'),
    ]);
    expect([state.commit(first), state.commit(second)]).toEqual(['VALID', 'PHANTOM_READ_CONFLICT']);
  });

  test('a transaction does not read its own write', async () => {
    expect(Buffer.from((await simulate('writeThenRead', 'w', 'new')).payload).toString()).toBe('');
  });
});
