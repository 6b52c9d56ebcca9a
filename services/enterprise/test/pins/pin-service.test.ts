import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cidOfDagCbor, WaymarkError } from '@waymark/protocol';
import type { Member } from '../../src/members/members-file.ts';
import type { Keeper } from '../../src/pins/keeper.ts';
import { createPinService, type PinService } from '../../src/pins/pin-service.ts';
import { openPinStore } from '../../src/pins/open-pin-store.ts';
import type { PinStore } from '../../src/pins/pin-store.ts';

let folder: string;
let store: PinStore;
let service: PinService;
let keep: Keeper['keep'];
let signed: number;

const cids = [1, 2, 3].map((seed) => cidOfDagCbor(Uint8Array.of(seed)).toString());
const [first = '', second = '', third = ''] = cids;
const member = { mspId: 'SouthMSP', caFiles: [], verifier: {} } as unknown as Member;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pin-service-'));
  store = openPinStore(join(folder, 'pins.db'));
  keep = () => Promise.resolve();
  signed = 0;
  service = createPinService({
    channel: 'c',
    hasLedger: () => false,
    units: { checkOf: () => undefined },
    store,
    keeper: {
      keep: (...args) => keep(...args),
      isHeld: (cid) => Promise.resolve(cid === first),
    },
    receipts: {
      sign: () => {
        signed += 1;
        return { msp: 'NorthMSP', node: 'center', pinnedAtMs: 1, receipt: Buffer.from(`receipt ${String(signed)}`) };
      },
      verify: () => {
        throw new Error('nobody gives receipts here');
      },
    },
    members: { member: (mspId: string) => (mspId === 'SouthMSP' ? member : undefined) } as never,
    maxOffersPerMember: 2,
    nowMs: () => 1,
  });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const codes = async (...asked: string[]) => (await service.pin('SouthMSP', asked)).map(({ code }) => code ?? 'kept');

test('a repeated request gets the same receipt', async () => {
  const [one] = await service.pin('SouthMSP', [first, first]);
  const [two] = await service.pin('SouthMSP', [first]);
  expect(two).toEqual(one);
  expect(signed).toBe(1);
});

test('an organisation has no more kept than its share before the channel has it; one refused batch hinders no other', async () => {
  expect(await codes(first, second)).toEqual(['kept', 'kept']);
  expect(await codes(third, first)).toEqual(['limit-exceeded', 'kept']);
  store.anchor([
    { position: 1, evidenceId: 'SouthMSP/depot/1', msp: 'SouthMSP', cid: first, own: false, pinned: true },
  ]);
  expect(await codes(third)).toEqual(['kept']);
});

test('no receipt is given for what could not be pinned', async () => {
  keep = (cid) => (cid === second ? Promise.reject(new WaymarkError('data-abnormal', 'no')) : Promise.resolve());
  expect(await codes(first, second)).toEqual(['kept', 'data-abnormal']);
  keep = () => Promise.reject(new Error('a fault'));
  expect(await codes(first)).toEqual(['internal']);
});

test('who is no member has nothing kept; what is not known is not there', async () => {
  expect(await service.pin('WestMSP', [first])).toEqual([{ cid: first, code: 'role-not-permitted' }]);
  expect(await service.check([first, second])).toEqual([
    { cid: first, held: true },
    { cid: second, held: false },
  ]);
  expect(() => service.facts(first)).toThrow('not yours to see');
});
