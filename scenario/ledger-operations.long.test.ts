import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTopology, type RunningService } from '@waymark/network';
import { administratorProfile, waymark } from './support/ledger/command-line.ts';
import { tellMembers } from './support/ledger/telling-members.ts';
import { runConsortium, type RunningConsortium, shippedTopology } from './support/running-consortium.ts';

const repository = join(import.meta.dirname, '..');
const samples = join(repository, 'examples', 'samples');
const newcomer = 'annex';
const maxDurationMs = 180_000;

let running: RunningConsortium;
/** Profiles by whose they are. */
let profiles: { readonly reader: string; readonly outlet: string; readonly admin: string };

function service(node: string): RunningService {
  const [firm] = running.firms;
  const found = running.consortium.services.find((one) => one.organisation.mspId === firm.mspId && one.node === node);
  if (found === undefined) throw new Error(`no service ${node}`);
  return found;
}
const at = (node: string): readonly string[] => ['--api', service(node).apiUrl];
const files = (node: string) => running.consortium.layout.node(running.firms[0].organisation, node);

beforeAll(async () => {
  const shipped = await readTopology(shippedTopology);
  const topology = {
    ...shipped,
    organisations: shipped.organisations.map((organisation, index) => ({
      ...organisation,
      ...(index === 0 ? { outlets: [...organisation.outlets, { name: newcomer, peer: false }] } : {}),
      privateLedger: index === 0 ? ({ members: 3, profile: 'lying', colluding: 0 } as const) : ('none' as const),
    })),
  };
  running = await runConsortium({ topology });
  const [firm] = running.firms;
  profiles = {
    reader: files('reader').profile,
    outlet: files(firm.outletName).profile,
    admin: await administratorProfile(running, firm),
  };
}, 120_000);

afterAll(() => running.end(), 60_000);

test(
  'a private ledger is looked at, checked, handed over, backed up, restored and given another member by the command line (D2, D12)',
  async () => {
    const { reader, outlet, admin } = profiles;
    const [{ outletName, mspId }] = running.firms;
    const submitted = await waymark(reader, 'submit', join(samples, 'parcel-scans.ndjson'));
    expect(submitted.code).toBe(0);

    for (const member of ['center', 'standby', outletName]) {
      const { code, result } = await waymark(reader, 'ledger', 'status', ...at(member));
      expect({ code, result }).toMatchObject({
        code: 0,
        result: { ledger: `${mspId}/waymark`, member, center: 'center', term: 1, epoch: 1, alerts: 0, learners: [] },
      });
      const { code: valid, result: report } = await waymark(reader, 'ledger', 'verify', ...at(member));
      expect(valid).toBe(0);
      expect(Object.keys(report)).toEqual(['ledger', 'height', 'blocks', 'valid', 'problems']);
      expect(report).toMatchObject({ ledger: `${mspId}/waymark`, valid: true, problems: [] });
      expect(Number(report['height'])).toBeGreaterThan(1);
    }

    const { result: listed } = await waymark(reader, 'ledger', 'blocks', '--from', '1', '--limit', '200');
    const blocks = listed['blocks'] as { height: number; hash: string; accepted: number; anchorTxId: string | null }[];
    expect(blocks.map(({ height }) => height)).toEqual(blocks.map((_, index) => index + 1));
    const holding = blocks.find(({ accepted }) => accepted > 0);
    expect(holding?.anchorTxId).toMatch(/^[0-9a-f]{64}$/);
    const shown = await waymark(reader, 'ledger', 'show', String(holding?.height));
    expect(shown.result).toMatchObject({
      hash: holding?.hash,
      kind: 'records',
      submissions: [{ department: outletName }],
    });
    expect((await waymark(reader, 'ledger', 'show', holding?.hash ?? '')).result).toEqual(shown.result);
    expect(await waymark(reader, 'ledger', 'show', '999999')).toMatchObject({ code: 5, result: { code: 'refused' } });

    // Who may do what follows from certificates.
    for (const profile of [reader, outlet])
      expect(await waymark(profile, 'ledger', 'hand-over', 'standby', ...at('center'))).toMatchObject({
        code: 5,
        result: { code: 'role-not-permitted' },
      });
    expect(await waymark(outlet, 'ledger', 'backup', 'one', ...at('center'))).toMatchObject({ code: 5 });
    expect(await waymark(admin, 'ledger', 'hand-over', outletName, ...at('center'))).toMatchObject({ code: 3 });
    expect(await waymark(admin, 'ledger', 'hand-over', 'standby', ...at('standby'))).toMatchObject({ code: 6 });
    expect(await waymark(admin, 'ledger', 'hand-over', 'standby', ...at('center'))).toMatchObject({
      code: 0,
      result: { center: 'standby', term: 2, changed: true },
    });

    const backup = await waymark(admin, 'ledger', 'backup', 'one', ...at('standby'));
    expect(backup.code).toBe(0);
    expect(await waymark(admin, 'ledger', 'backup', 'one', ...at('standby'))).toMatchObject({ code: 8 });
    const backupFolder = String(backup.result['folder']);
    const config = ['--config', files('standby').configuration];
    expect(await waymark(admin, 'ledger', 'verify', ...config, '--folder', backupFolder)).toMatchObject({
      code: 0,
      result: { valid: true, height: backup.result['height'] },
    });
    expect(await waymark(admin, 'ledger', 'verify', ...config)).toMatchObject({
      code: 6,
      result: { code: 'unavailable' },
    });

    // A node comes in with what the backup holds; nothing of anybody's consensus.
    const { process: old } = service(newcomer);
    old.kill('SIGKILL');
    await old.exited;
    await tellMembers(running, running.firms[0], newcomer, ['center', 'standby', outletName]);
    const { data, configuration } = files(newcomer);
    const restore = ['ledger', 'restore', backupFolder, '--folder', data, '--config', configuration];
    expect(await waymark(admin, ...restore)).toMatchObject({ code: 0, result: { valid: true } });
    expect(await waymark(admin, ...restore)).toMatchObject({ code: 8 });
    expect(existsSync(join(data, 'ledger', 'log'))).toBe(false);
    await running.consortium.restart(old.name);
    const certificate = ['--certificate', files(newcomer).certificate];
    expect(await waymark(admin, 'ledger', 'add-member', newcomer, ...at('standby'))).toMatchObject({
      code: 5,
      result: { code: 'refused' },
    });
    const added = await waymark(admin, 'ledger', 'add-member', newcomer, ...at('standby'), ...certificate);
    expect(added).toMatchObject({ code: 0, result: { epoch: 3, learners: [] } });
    expect(added.result['members']).toEqual(['center', outletName, 'standby', newcomer].sort());

    // An outlet is no center; what was done before stays.
    const eligible = await waymark(admin, 'ledger', 'add-member', newcomer, '--eligible', ...at('standby'));
    expect(eligible).toMatchObject({ code: 5, result: { code: 'refused' } });

    expect((await waymark(reader, 'submit', join(samples, 'air-freight.csv'))).code).toBe(0);
    const grown = await waymark(reader, 'ledger', 'verify', ...at(newcomer));
    expect(grown).toMatchObject({ code: 0, result: { valid: true, problems: [] } });
    expect(Number(grown.result['height'])).toBeGreaterThan(Number(backup.result['height']));
    expect(existsSync(join(data, 'ledger', 'restored'))).toBe(false);

    expect(await waymark(admin, 'ledger', 'remove-member', newcomer, ...at('standby'))).toMatchObject({
      code: 0,
      result: { epoch: 4 },
    });

    // One bit on the disk of a member that does not run.
    const { process: removed } = service(newcomer);
    removed.kill('SIGKILL');
    await removed.exited;
    const own = ['ledger', 'verify', '--config', configuration];
    expect(await waymark(admin, ...own)).toMatchObject({ code: 0, result: { valid: true } });
    await flipBit(join(data, 'ledger', 'chain', 'blocks', 'segments'));
    const damaged = await waymark(admin, ...own);
    expect(damaged).toMatchObject({ code: 7, result: { valid: false } });
    expect(damaged.result['problems']).not.toEqual([]);
    await flipBit(backupFolder, 'blocks.car');
    expect(await waymark(admin, ...own, '--folder', backupFolder)).toMatchObject({ code: 7, result: { valid: false } });
    const fresh = join(running.folder, 'fresh');
    const restoreFresh = (from: string) =>
      waymark(admin, 'ledger', 'restore', from, '--folder', fresh, '--config', configuration);
    expect(await restoreFresh(backupFolder)).toMatchObject({ code: 7, result: { code: 'data-abnormal' } });
    expect(existsSync(join(fresh, 'ledger', 'chain'))).toBe(false);
    // The bit turned back, the same folder takes it.
    await flipBit(backupFolder, 'blocks.car');
    expect(await restoreFresh(backupFolder)).toMatchObject({ code: 0, result: { valid: true } });
    await writeFile(join(fresh, 'ledger', 'chain', 'index.db'), 'no database'.repeat(1_000));
    expect(await waymark(admin, ...own, '--folder', fresh)).toMatchObject({ code: 7, result: { valid: false } });
  },
  maxDurationMs,
);

/** In the middle of the largest file. */
async function flipBit(folder: string, ...names: readonly string[]): Promise<void> {
  const all = names.length > 0 ? names : await readdir(folder);
  const sized = await Promise.all(
    all.map(async (name) => ({ path: join(folder, name), sizeBytes: (await stat(join(folder, name))).size })),
  );
  const [largest] = sized.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  if (largest === undefined) throw new Error('no file');
  const bytes = await readFile(largest.path);
  const place = Math.floor(largest.sizeBytes / 2);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await writeFile(largest.path, bytes);
}
