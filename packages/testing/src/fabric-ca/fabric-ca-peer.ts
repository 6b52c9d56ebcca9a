import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { freePort } from '../consortium/chaincode-process.ts';
import { until } from '../consortium/until.ts';

const startTimeoutMs = 30_000;

/** A real Fabric CA server of its own on loopback, over TLS, with a database in its folder. */
export interface FabricCaPeer {
  readonly url: string;
  /** CA of its TLS certificate. */
  readonly tlsRootFile: string;
  readonly tlsRootPem: string;
  /** Certificate of the CA itself. */
  readonly rootFile: string;
  /** Who may do everything, and the file (mode 0600) with its secret. */
  readonly admin: { readonly enrolmentId: string; readonly secret: string; readonly secretFile: string };
  stop(): Promise<void>;
}

/** The `fabric-ca-server` program on PATH, if there is one. */
export function findFabricCa(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'fabric-ca-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Starts a Fabric CA server.
 * @param ca with this certificate and key (the folder in which `OrganisationCa.save` stored them); default: its own, made anew
 */
export async function startFabricCa(
  program: string,
  options: { readonly folder: string; readonly ca?: { readonly folder: string; readonly domain: string } },
): Promise<FabricCaPeer> {
  const { folder, ca } = options;
  const tlsCa = await createOrganisationCa({ mspId: 'TlsMSP', domain: 'fabric-ca.example' });
  const files = await writeTls(folder, tlsCa);
  const port = await freePort();
  const admin = { enrolmentId: 'admin', secret: 'a secret for tests only', secretFile: join(folder, 'admin-secret') };
  await writeFile(admin.secretFile, `${admin.secret}\n`, { mode: 0o600 });
  const own = { certificate: join(folder, 'ca-cert.pem'), key: undefined };
  const given =
    ca === undefined
      ? own
      : { certificate: join(ca.folder, 'ca', `ca.${ca.domain}-cert.pem`), key: join(ca.folder, 'ca', 'priv_sk') };
  const flags = {
    home: folder,
    boot: `${admin.enrolmentId}:${admin.secret}`,
    address: '127.0.0.1',
    port: String(port),
    'tls.certfile': files.certificate,
    'tls.keyfile': files.key,
    'ca.certfile': given.certificate,
    ...(given.key === undefined ? {} : { 'ca.keyfile': given.key }),
  };
  const args = ['start', '--tls.enabled', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
  const logFile = join(folder, 'fabric-ca-server.log');
  const output = openSync(logFile, 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', output, output],
    env: { PATH: process.env['PATH'], FABRIC_CA_SERVER_OPERATIONS_LISTENADDRESS: '127.0.0.1:0' },
  });
  const exited = once(child, 'exit');
  await Promise.race([
    until(() => listens(port), startTimeoutMs),
    exited.then(() =>
      Promise.reject(new Error(`fabric-ca-server ended: ${readFileSync(logFile, 'utf8').slice(-2_000)}`)),
    ),
  ]);
  return {
    url: `https://127.0.0.1:${String(port)}`,
    tlsRootFile: files.root,
    tlsRootPem: tlsCa.tlsRootCertPem,
    rootFile: given.certificate,
    admin,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function writeTls(folder: string, tlsCa: OrganisationCa) {
  await mkdir(folder, { recursive: true });
  const tls = await tlsCa.issueTls({ commonName: 'fabric-ca.example' });
  const files = {
    certificate: join(folder, 'server-tls.pem'),
    key: join(folder, 'server-tls.key'),
    root: join(folder, 'server-tls-root.pem'),
  };
  await writeFile(files.certificate, tls.certificatePem);
  await writeFile(files.key, tls.privateKeyPem, { mode: 0o600 });
  await writeFile(files.root, tlsCa.tlsRootCertPem);
  return files;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
