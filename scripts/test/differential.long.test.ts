import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareSides } from '../differential/differential.ts';
import { startDevnetSide } from '../differential/networks.ts';
import { ORG1, ORG2 } from '../differential/program.ts';
import type { Side } from '../differential/side.ts';

const TRANSACTIONS = 60;
const SEED = 20_261_121;

/** Two devnets stand in for devnet and Fabric, so that the comparison itself is known to work where Fabric is not. */
describe('the comparison of two networks', () => {
  let dir = '';
  const sides: Side[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'differential-'));
    for (const name of ['left', 'right']) sides.push(await startDevnetSide(join(dir, name)));
  }, 60_000);

  afterEach(async () => {
    for (const side of sides.splice(0)) await side.stop();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  const compare = async (change: (side: Side) => Side) => {
    const [left, right] = sides;
    if (left === undefined || right === undefined) throw new Error('two networks expected');
    return compareSides({ seed: SEED, transactions: TRANSACTIONS, print: () => undefined }, left, change(right));
  };

  test('two networks that do the same have no differences', async () => {
    const { differences, transactions } = await compare((side) => side);
    expect(differences).toEqual([]);
    expect(transactions).toBeGreaterThanOrEqual(TRANSACTIONS);
  }, 120_000);

  test('a network where calls come from somebody else is told apart', async () => {
    const swapped = (mspId: string): string => (mspId === ORG1 ? ORG2 : ORG1);
    const { differences } = await compare((side) => ({
      ...side,
      gateway: (gatewayMspId, clientMspId, client) => side.gateway(gatewayMspId, swapped(clientMspId), client),
    }));
    expect(differences.length).toBeGreaterThan(0);
  }, 120_000);
});
