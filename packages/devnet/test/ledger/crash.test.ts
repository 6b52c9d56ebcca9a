import { crashPoints, expectNothingLost } from '../support/crash-runs.ts';
import { removeTemporaryFolders } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

const KILLS = 24;

test(`killed at ${KILLS} points of writing, orderer and peers lose nothing that was acknowledged`, async () => {
  expect(await expectNothingLost(crashPoints(KILLS))).toBeGreaterThan(50);
}, 120_000);
