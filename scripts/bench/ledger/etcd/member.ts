import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityFiles } from '../identities.ts';
import { electionTicks, tickMs } from '../rsl/plan.ts';

/** One member of the cluster, and where it is reached. */
export interface EtcdMemberPlan {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly identity: IdentityFiles;
}

export interface EtcdMember {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** The end of its log, for a message. */
  lastWords(): Promise<string>;
  stop(): Promise<void>;
}

const stopTimeoutMs = 10_000;
const lastWordsCharacters = 500;
/** As the private ledger's members have it: no round is spoilt by an election because the machine is busy. */
const heartbeatMs = tickMs;
const electionMs = tickMs * electionTicks;
/** Above what any measurement writes: a full backend takes no more puts. */
const quotaBytes = 8 * 1024 ** 3;
const maxRequestBytes = 16 * 1024 ** 2;

/**
 * Starts a member: TLS with client certificates on both its ports, everything else as etcd has it by default; so a write is answered when a
 * majority has synced it.
 */
export async function startEtcdMember(
  program: string,
  folder: string,
  plan: EtcdMemberPlan,
  cluster: readonly EtcdMemberPlan[],
  maxBatch: number,
): Promise<EtcdMember> {
  const { name, identity } = plan;
  const clientUrl = `https://127.0.0.1:${plan.clientPort}`;
  const peerUrl = (member: EtcdMemberPlan): string => `https://127.0.0.1:${member.peerPort}`;
  const own = join(folder, name);
  await mkdir(own, { recursive: true, mode: 0o700 });
  const options = {
    name,
    'data-dir': join(own, 'data'),
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl(plan),
    'initial-advertise-peer-urls': peerUrl(plan),
    'initial-cluster': cluster.map((member) => `${member.name}=${peerUrl(member)}`).join(','),
    'initial-cluster-token': 'bench',
    'initial-cluster-state': 'new',
    'cert-file': identity.tlsCertificateFile,
    'key-file': identity.tlsPrivateKeyFile,
    'trusted-ca-file': identity.tlsRootFile,
    'client-cert-auth': 'true',
    'peer-cert-file': identity.tlsCertificateFile,
    'peer-key-file': identity.tlsPrivateKeyFile,
    'peer-trusted-ca-file': identity.tlsRootFile,
    'peer-client-cert-auth': 'true',
    'heartbeat-interval': String(heartbeatMs),
    'election-timeout': String(electionMs),
    'max-txn-ops': String(Math.max(128, maxBatch)),
    'max-request-bytes': String(maxRequestBytes),
    'quota-backend-bytes': String(quotaBytes),
    logger: 'zap',
    'log-level': 'error',
    'log-outputs': 'stderr',
  };
  const logPath = join(folder, `${name}.log`);
  const log = await open(logPath, 'a', 0o600);
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(
    program,
    Object.entries(options).map(([option, value]) => `--${option}=${value}`),
    { env: { PATH, HOME }, stdio: ['ignore', log.fd, log.fd] },
  );
  await log.close();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  if (child.pid === undefined) throw new Error(`${name} cannot be started`);
  return {
    name,
    pid: child.pid,
    exited,
    lastWords: async () => (await readFile(logPath, 'utf8').catch(() => '')).trim().slice(-lastWordsCharacters),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
