import { createBodyCipher } from '@waymark/ledger-chain';
import { cidOfDagCbor, WaymarkError } from '@waymark/protocol';
import type { OwnLedger } from '../../src/pins/own-ledger.ts';
import type { KeptUnit } from '../../src/pins/pin-store.ts';
import { bodyCheck, offeredCheck } from '../../src/pins/root-check.ts';
import { createUnitKeeper } from '../../src/pins/unit-keeper.ts';

const header = Uint8Array.of(7);
const bodyOf = (msp: string) =>
  createBodyCipher({ indexRoot: new Uint8Array(32), ledger: `${msp}/c` }).encodeBody({
    ledger: `${msp}/c`,
    content: { kind: 'empty' },
    salt: '00'.repeat(32),
  });
const body = bodyOf('NorthMSP');
const root = body.blocks[0]?.bytes ?? new Uint8Array(0);
const unit = (own: boolean): KeptUnit => ({
  id: 1,
  msp: 'NorthMSP',
  cid: body.cid.toString(),
  own,
  place: { kind: 'block', height: 5, hash: cidOfDagCbor(header).toString() },
});

/** What a keeper of units did, one word after the other. */
function keeperWith(parts: { readonly pinned: boolean; readonly publish?: OwnLedger['publish'] }) {
  const done: string[] = [];
  const units = createUnitKeeper({
    channel: 'c',
    replica: { evidence: () => undefined },
    store: { header: () => header },
    content: {
      isPinned: () => Promise.resolve(parts.pinned),
      async putMany(blocks) {
        for await (const { bytes } of blocks) done.push(`header ${String(bytes[0])}`);
        return { blocks: 1, added: 1, sizeBytes: 1 };
      },
    },
    keeper: {
      keep(_cid, from, check) {
        check(root);
        done.push(`kept from ${from}`);
        return Promise.resolve();
      },
    },
    ownLedger: () => ({
      headers: () => undefined,
      async publish(first, last) {
        await parts.publish?.(first, last);
        done.push(`published ${String(first)}`);
      },
    }),
  });
  return { units, done };
}

const outcome = async (
  own: boolean,
  isDoubted: boolean,
  parts: Parameters<typeof keeperWith>[0],
): Promise<string[]> => {
  const { units, done } = keeperWith(parts);
  await units.keep(unit(own), { isDoubted });
  return done;
};
const away = (): Promise<void> => Promise.reject(new WaymarkError('unavailable', 'an envelope is not here'));

test("S5: another organisation's block is kept with its header beside it", async () => {
  expect(await outcome(false, false, { pinned: true })).toEqual(['header 7', 'kept from NorthMSP']);
});

test('an own block comes from the own chain, from the others when that does not have it whole, and is read when it is in doubt', async () => {
  expect(await outcome(true, false, { pinned: true })).toEqual(['header 7']);
  expect(await outcome(true, false, { pinned: false })).toEqual(['header 7', 'published 5']);
  expect(await outcome(true, false, { pinned: false, publish: away })).toEqual(['header 7', 'kept from NorthMSP']);
  expect(await outcome(true, true, { pinned: true })).toEqual(['header 7', 'published 5', 'kept from NorthMSP']);
});

test('a batch waits for its evidence to be in the index', async () => {
  const { units } = keeperWith({ pinned: false });
  const batch: KeptUnit = { ...unit(false), place: { kind: 'batch', evidenceId: 'NorthMSP/depot/1' } };
  await expect(units.keep(batch, { isDoubted: false })).rejects.toMatchObject({ code: 'unavailable' });
});

test('a body is kept for the organisation whose ledger it names only, and before it is anchored only when the channel has that ledger', () => {
  const member = (mspId: string) => ({ mspId, verifier: {} }) as Parameters<typeof offeredCheck>[1];
  const offered = (mspId: string, hasLedger: boolean) => () => {
    offeredCheck(body.cid.toString(), member(mspId), 'c', hasLedger)(root);
  };
  expect(() => bodyCheck('NorthMSP', 'c')(root)).not.toThrow();
  expect(() => bodyCheck('NorthMSP', 'd')(root)).toThrow(
    expect.objectContaining({ code: 'recipient-mismatch' }) as Error,
  );
  expect(() => bodyCheck('NorthMSP', 'c')(header)).toThrow(expect.objectContaining({ code: 'data-abnormal' }) as Error);
  expect(offered('NorthMSP', true)).not.toThrow();
  expect(offered('SouthMSP', true)).toThrow(expect.objectContaining({ code: 'recipient-mismatch' }) as Error);
  // Without a ledger it would have to be a batch.
  expect(offered('NorthMSP', false)).toThrow(WaymarkError);
});
