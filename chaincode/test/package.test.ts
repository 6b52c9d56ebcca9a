import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { gzipStored, tar } from '../build/archive.ts';
import { deriveShrinkwrap, type LockFile } from '../build/shrinkwrap.ts';
import { computePackageId, packService } from '../../scripts/build-chaincode.ts';

const run = promisify(execFile);

describe('the service package', () => {
  const connection = { address: 'waymark.example:9999' };

  test('is the same for everybody: its id can be computed beforehand', () => {
    const packed = packService('waymark_0.1.0', connection);
    expect(packed.packageId).toBe(`waymark_0.1.0:${createHash('sha256').update(packed.bytes).digest('hex')}`);
    expect(packed.packageId).toBe(computePackageId('waymark_0.1.0', packed.bytes));
    expect(packed.packageId).toBe('waymark_0.1.0:15ac7541a07cc65b6d0816fa33cca697e4a90116e3765fa3eb406141b73eedfb');
  });

  test('unpacks with tar to metadata.json and code.tar.gz with connection.json', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waymark-package-'));
    try {
      const { bytes } = packService('waymark_0.1.0', {
        ...connection,
        tls: { rootCertificate: 'PEM', client: { certificate: 'C', key: 'K' } },
      });
      await extract(bytes, folder);
      expect(JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8'))).toEqual({
        type: 'ccaas',
        label: 'waymark_0.1.0',
      });
      await extract(readFileSync(join(folder, 'code.tar.gz')), folder);
      expect(JSON.parse(readFileSync(join(folder, 'connection.json'), 'utf8'))).toEqual({
        address: 'waymark.example:9999',
        dial_timeout: '10s',
        tls_required: true,
        root_cert: 'PEM',
        client_auth_required: true,
        client_cert: 'C',
        client_key: 'K',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(['', '-x', 'a b', 'a/b', 'a:b'])('%j is not a label', (label) => {
    expect(() => packService(label, connection)).toThrow(RangeError);
  });

  test.each([0, 1, 511, 512, 513, 65_535, 65_536, 200_000])('%i bytes survive tar and gzip', async (sizeBytes) => {
    const contents = Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7) % 251);
    const archive = tar([{ name: 'file', contents }]);
    expect(archive.length % 512).toBe(0);
    expect(new Uint8Array(gunzipSync(gzipStored(archive)))).toEqual(new Uint8Array(archive));
    const folder = mkdtempSync(join(tmpdir(), 'waymark-archive-'));
    try {
      await extract(gzipStored(archive), folder);
      expect(new Uint8Array(readFileSync(join(folder, 'file')))).toEqual(contents);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function extract(bytes: Uint8Array, folder: string): Promise<void> {
  const child = run('tar', ['-xzf', '-', '-C', folder]);
  child.child.stdin?.end(bytes);
  await child;
}

describe('the shrinkwrap', () => {
  const root = { name: 'x', version: '1.0.0', license: 'Apache-2.0', engines: {}, dependencies: { a: '1.0.0' } };

  test('holds what production dependencies reach, by the version each of them finds', () => {
    const lock: LockFile = {
      packages: {
        '': { dependencies: { z: '9.0.0' } },
        ws: { dependencies: { a: '1.0.0' } },
        'node_modules/a': {
          version: '1.0.0',
          integrity: 'sha512-a',
          resolved: 'https://registry.example/a',
          dev: true,
          dependencies: { b: '^2.0.0' },
          optionalDependencies: { none: '1' },
        },
        'node_modules/a/node_modules/b': { version: '2.0.0', dependencies: { c: '1' } },
        'node_modules/b': { version: '1.0.0' },
        'node_modules/c': { version: '1.0.0', dependencies: { b: '1' } },
        'node_modules/z': { version: '9.0.0' },
      },
    };
    expect(deriveShrinkwrap(lock, 'ws', root)).toEqual({
      name: 'x',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': root,
        'node_modules/a': {
          version: '1.0.0',
          integrity: 'sha512-a',
          dependencies: { b: '^2.0.0' },
          optionalDependencies: { none: '1' },
        },
        'node_modules/a/node_modules/b': { version: '2.0.0', dependencies: { c: '1' } },
        'node_modules/b': { version: '1.0.0' },
        'node_modules/c': { version: '1.0.0', dependencies: { b: '1' } },
      },
    });
  });

  test('a version that only the workspace has moves up, unless the place is taken', () => {
    const own = {
      'ws/node_modules/a': { version: '1.0.0', dependencies: { b: '1' } },
      'node_modules/b': { version: '1.0.0' },
    };
    expect(Object.keys((deriveShrinkwrap({ packages: own }, 'ws', root) as LockFile).packages)).toEqual([
      '',
      'node_modules/b',
      'node_modules/a',
    ]);
    const clash = {
      ...own,
      'node_modules/b': { version: '1.0.0', dependencies: { a: '2' } },
      'node_modules/a': { version: '2.0.0' },
    };
    expect(() => deriveShrinkwrap({ packages: clash }, 'ws', root)).toThrow('two versions want to be node_modules/a');
  });

  test('a dependency that the lock file does not hold is an error', () => {
    expect(() => deriveShrinkwrap({ packages: {} }, 'ws', root)).toThrow('does not hold a');
  });
});
