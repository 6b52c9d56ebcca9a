import { crashPoints, expectNothingLost } from '../support/crash-runs.ts';
import { removeTemporaryFolders } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

/** Several networks side by side: chains stay short, and one works while another waits for its disk. */
const FOLDERS = 5;
const KILLS = 44;

test(`killed at ${FOLDERS * KILLS} points of writing, orderer and peers lose nothing that was acknowledged`, async () => {
  const acknowledged = await Promise.all(
    Array.from({ length: FOLDERS }, (_, folder) => expectNothingLost(crashPoints(KILLS, folder * KILLS))),
  );
  for (const count of acknowledged) expect(count).toBeGreaterThan(50);
}, 600_000);
