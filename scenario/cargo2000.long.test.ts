import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Consortium, startConsortium } from '@waymark/network';
import { ensureChaincodeBuilt } from '../scripts/build-chaincode.ts';
import { waymark } from './support/ledger/command-line.ts';
import { evidenceTopology } from './support/running-consortium.ts';

const data = process.env['WAYMARK_DATA'];
const whole = data === undefined ? describe.skip : describe;
const reason = data === undefined ? ' (skipped: WAYMARK_DATA is not set)' : '';

whole(`the whole Cargo 2000 file by one command line (issue 3 point 9)${reason}`, () => {
  let folder: string;
  let consortium: Consortium;
  const file = join(data ?? '', 'cargo2000', 'c2k_data_comma.csv');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-cargo-'));
    consortium = await startConsortium({
      // What is measured here is the evidence of batches on the channel.
      topology: await evidenceTopology(),
      dataDir: folder,
      chaincodeFolder: await ensureChaincodeBuilt(),
    });
  }, 120_000);
  afterAll(async () => {
    await consortium.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  test('goes in with a bad file beside it: the bad one is refused with its place, the good one is loaded whole', async () => {
    const bad = join(folder, 'bad.csv');
    await writeFile(bad, 'nr,i1_legid\n0,1\n');
    const { code, result } = await waymark(consortium.layout.defaultProfile, 'submit', bad, file);
    expect(code).not.toBe(0);
    expect(result).toMatchObject({ file: bad, code: 'input-invalid', records: 56_082, failed: 0 });
  }, 600_000);

  test('every milestone comes back by trusted query, its digest equal to the one of the file read again', async () => {
    const { code, result } = await waymark(consortium.layout.defaultProfile, 'trace', file);
    expect({ code, ...result }).toMatchObject({ code: 0, asked: 56_082, matched: 56_082, trust: 'anchored' });
    console.info(`cargo2000: asked ${String(result['asked'])}, matched ${String(result['matched'])}`);
  }, 600_000);
});
