import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateVerifier, parseCertificatesPem } from '@waymark/vault';
import { type FabricCaPeer, findFabricCa, startFabricCa } from '@waymark/testing/fabric-ca-peer';

const bin = join(import.meta.dirname, '../bin/waymark.js');
const program = findFabricCa();
const describeWithCa: (name: string, body: () => void) => void =
  program === undefined ? (name, body) => describe.skip(`${name} (not on PATH: fabric-ca-server)`, body) : describe;

describeWithCa('waymark identity against a running fabric-ca-server', () => {
  let folder: string;
  let server: FabricCaPeer;
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-identity-cli-'));
    server = await startFabricCa(program ?? '', { folder: at('server') });
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the command as an operator does; its result is the last line. */
  async function waymark(args: readonly string[], input = ''): Promise<Record<string, unknown>> {
    const child = spawn(process.execPath, [bin, 'identity', ...args, '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    });
    child.stdin.end(input);
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(stdout).not.toContain(server.admin.secret);
    return { exitCode, ...(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as object) };
  }

  test('an outlet from registration to revocation', async () => {
    const ca = ['--ca', server.url, '--ca-root', server.tlsRootFile];
    const as = [...ca, '--as', at('admin')];
    const enrolled = await waymark(
      ['enrol', ...ca, '--id', server.admin.enrolmentId, '--secret-file', '-', '--out', at('admin')],
      `${server.admin.secret}\n`,
    );
    expect(enrolled).toMatchObject({ exitCode: 0, folder: at('admin') });

    const secretOut = at('depot-secret');
    const attribute = ['--attribute', 'waymark.outlet=true'];
    expect(
      await waymark([
        'register',
        ...as,
        '--id',
        'depot',
        ...attribute,
        '--max-enrolments',
        '2',
        '--secret-out',
        secretOut,
      ]),
    ).toMatchObject({ exitCode: 0, secretFile: secretOut });
    expect(statSync(secretOut).mode & 0o777).toBe(0o600);

    const who = ['--id', 'depot', '--secret-file', secretOut];
    const first = await waymark(['enrol', ...ca, ...who, '--msp-id', 'NorthMSP', '--out', at('depot')]);
    expect(first).toMatchObject({ exitCode: 0, role: 'client', attributes: { 'waymark.outlet': 'true' } });
    expect(existsSync(join(at('depot'), 'msp', 'keystore', 'priv_sk'))).toBe(true);
    expect(await waymark(['show', at('depot')])).toMatchObject({ digest: first['digest'] });
    const host = ['--tls', '--host', 'depot.example', '127.0.0.1'];
    const tls = await waymark(['enrol', ...ca, ...who, ...host, '--out', at('depot-tls')]);
    expect(tls).toMatchObject({ exitCode: 0, hosts: ['depot.example', '127.0.0.1'] });

    const renewed = await waymark(['renew', ...ca, '--identity', at('depot'), '--out', at('depot-2')]);
    expect(renewed).toMatchObject({ exitCode: 0, enrolmentId: 'depot' });
    expect(renewed['digest']).not.toBe(first['digest']);
    const again = ['renew', ...ca, '--identity', at('depot-2'), '--tls', at('depot-tls'), '--same-key'];
    expect(await waymark([...again, '--out', at('depot-tls-2')])).toMatchObject({
      exitCode: 0,
      hosts: ['depot.example', '127.0.0.1'],
    });
    const key = (place: string): string => readFileSync(join(at(place), 'private-key.pem'), 'utf8');
    expect(key('depot-tls-2')).toBe(key('depot-tls'));
    expect(await waymark([...again, '--out', at('depot-tls-2')])).toMatchObject({ exitCode: 8, code: 'conflict' });

    const crl = at('north.crl');
    expect(
      await waymark(['revoke', ...as, '--certificate', at('depot'), '--reason', 'superseded', '--crl-out', crl]),
    ).toMatchObject({ exitCode: 0, revoked: [{ serialNumber: first['serialNumber'] }] });
    expect(await waymark(['crl', ...as, '--out', crl])).toMatchObject({ exitCode: 0, count: 1 });
    const verifier = certificateVerifier({
      rootsPem: [readFileSync(server.rootFile, 'utf8')],
      crlsPem: [readFileSync(crl, 'utf8')],
    });
    const codeOf = (place: string): string => {
      const [certificate] = parseCertificatesPem(readFileSync(join(at(place), 'certificate.pem'), 'utf8'));
      try {
        verifier.verify(certificate?.der ?? new Uint8Array(), { atMs: Date.now() });
        return 'good';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(['depot', 'depot-2'].map(codeOf)).toEqual(['certificate-revoked', 'good']);
  }, 60_000);
});
