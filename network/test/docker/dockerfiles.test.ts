import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeVersion } from '../../src/docker/versions.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const read = (...path: string[]): Promise<string> => readFile(join(repository, ...path), 'utf8');

describe.each(['service.Dockerfile', 'chaincode.Dockerfile'])('%s', (name) => {
  const instructions = async (): Promise<string[]> =>
    (await read('network', 'docker', name))
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  test('builds on one exact version of Node', async () => {
    const bases = (await instructions()).filter((line) => line.startsWith('FROM '));
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base.split(' ')[1]).toBe(`node:${nodeVersion}-bookworm-slim`);
  });

  test('installs what the lockfile says, without development dependencies and scripts, in a layer of its own', async () => {
    const lines = await instructions();
    const [install, ...others] = lines.filter((line) => /\bnpm (ci|install|i)\b/.test(line));
    expect(others).toEqual([]);
    expect(install).toMatch(/^RUN npm ci --omit=dev .*--ignore-scripts/);
    const stage = lines.slice(0, lines.indexOf(install ?? '')).findLastIndex((line) => line.startsWith('FROM '));
    const copied = lines.slice(stage, lines.indexOf(install ?? '')).filter((line) => line.startsWith('COPY '));
    expect(copied).toEqual(['COPY --from=manifests /source ./']);
  });

  test('runs as a user without rights, is asked for its health, and takes nothing secret when it is built', async () => {
    const lines = await instructions();
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 10001:10001']);
    expect(lines.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    expect(lines.filter((line) => /^(ARG|ADD|VOLUME) /.test(line))).toEqual([]);
    expect(lines.join('\n')).not.toMatch(/secret|password|token|\.pem|\.key/i);
  });

  test('copies what is there', async () => {
    const sources = (await instructions())
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from=') && !line.startsWith('COPY . '))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources.length).toBeGreaterThan(0);
    // The bundle is built before an image is.
    for (const source of sources)
      expect([source, source === 'chaincode/lib' || existsSync(join(repository, source))]).toEqual([source, true]);
  });
});

test('nothing comes into the build of an image that is not named: no data folder, key or history', async () => {
  const lines = (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  expect(lines.filter((line) => line.startsWith('!'))).toEqual([
    '!package.json',
    '!package-lock.json',
    '!.npmrc',
    '!LICENSE',
    '!chaincode',
    '!packages',
    '!services',
    '!network',
    '!examples',
  ]);
  expect(lines).toEqual(expect.arrayContaining(['**/node_modules', '**/.waymark', '**/*.pem', '**/*.key']));
});
