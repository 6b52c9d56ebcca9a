import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, untilListening } from '@waymark/network';
import { connectGrpc, type GrpcConnection } from '../../devnet/grpc-connection.ts';
import {
  PutRequest,
  RangeRequest,
  RangeResponse,
  StatusRequest,
  StatusResponse,
  TxnRequest,
  TxnResponse,
} from '../generated/etcd.ts';
import { identityOf, type IdentityFiles } from '../identities.ts';
import { recordValues } from '../record-values.ts';
import type { LedgerSide } from '../side.ts';
import { type EtcdMember, type EtcdMemberPlan, startEtcdMember } from './member.ts';
import type { EtcdProgram } from './program.ts';

export const etcdNames = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
export const etcdClient = 'etcd-client';

export interface EtcdSideOptions {
  readonly program: EtcdProgram;
  /** Of the side's own. */
  readonly folder: string;
  readonly identities: ReadonlyMap<string, IdentityFiles>;
  readonly recordBytes: number;
  readonly maxBatch: number;
  readonly signal: AbortSignal;
}

const electionTimeoutMs = 30_000;
const storedTimeoutMs = 30_000;
const pollMs = 50;
/** As long as a record's oid. */
const keyBytes = 32;
const [everyKey, beyondEveryKey] = [Uint8Array.of(0), Uint8Array.of(0)];

/** Three members of etcd, and a client of its leader over one HTTP/2 connection. */
export async function startEtcdSide(options: EtcdSideOptions): Promise<LedgerSide> {
  const { program, folder, identities, maxBatch, signal } = options;
  const ports = await freePorts(etcdNames.length * 2);
  const plans = etcdNames.map((name, index): EtcdMemberPlan => ({
    name,
    clientPort: ports[index * 2] ?? 0,
    peerPort: ports[index * 2 + 1] ?? 0,
    identity: identityOf(identities, name),
  }));
  const members: EtcdMember[] = [];
  const connections: GrpcConnection[] = [];
  let isClosing = false;
  const close = async (): Promise<void> => {
    isClosing = true;
    for (const connection of connections) connection.close();
    await Promise.all(members.map((member) => member.stop()));
  };
  try {
    for (const plan of plans) members.push(await startEtcdMember(program.path, folder, plan, plans, maxBatch));
    const failed = Promise.race(
      members.map(async (member): Promise<never> => {
        await member.exited;
        if (isClosing) return new Promise<never>(() => undefined);
        throw new Error(`${member.name} ended: ${await member.lastWords()}`);
      }),
    );
    failed.catch(() => undefined);
    const client = identityOf(identities, etcdClient);
    const identity = {
      certificatePem: await readFile(client.tlsCertificateFile, 'utf8'),
      privateKeyPem: await readFile(client.tlsPrivateKeyFile, 'utf8'),
    };
    const rootPem = await readFile(client.tlsRootFile, 'utf8');
    for (const { clientPort } of plans) {
      await Promise.race([untilListening(clientPort, () => signal.throwIfAborted()), failed]);
      connections.push(await connectGrpc(`127.0.0.1:${clientPort}`, rootPem, identity));
    }
    const leader = await Promise.race([leaderOf(connections, signal), failed]);
    const values = recordValues(options.recordBytes);
    return {
      name: `etcd ${program.version}`,
      processes: members.map(({ name, pid }) => ({ name, pid })),
      put: (count) => (count === 1 ? putOne(leader, values()) : putMany(leader, count, values)),
      stored: (expected) => Promise.race([storedOn(connections, expected), failed]),
      failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function putOne(leader: GrpcConnection, value: Uint8Array): Promise<void> {
  const key = randomFillSync(new Uint8Array(keyBytes));
  await leader.call('/etcdserverpb.KV/Put', PutRequest.encode({ key, value }).finish());
}

async function putMany(leader: GrpcConnection, count: number, values: () => Uint8Array): Promise<void> {
  const keys = randomFillSync(new Uint8Array(keyBytes * count));
  const success = Array.from({ length: count }, (_none, index) => ({
    requestPut: { key: keys.subarray(index * keyBytes, (index + 1) * keyBytes), value: values() },
  }));
  const answer = await leader.call('/etcdserverpb.KV/Txn', TxnRequest.encode({ success }).finish());
  if (!TxnResponse.decode(answer).succeeded) throw new Error('etcd did not take a transaction');
}

/** The connection to the leader, once there is one: a write to another member would take one more step. */
async function leaderOf(connections: readonly GrpcConnection[], signal: AbortSignal): Promise<GrpcConnection> {
  const deadline = Date.now() + electionTimeoutMs;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    for (const connection of connections) {
      const bytes = await connection
        .call('/etcdserverpb.Maintenance/Status', StatusRequest.encode({}).finish())
        .catch(() => undefined);
      if (bytes === undefined) continue;
      const { header, leader } = StatusResponse.decode(bytes);
      if (leader !== 0 && header?.memberId === leader) return connection;
    }
    await delay(pollMs);
  }
  throw new Error('etcd elected no leader');
}

/** What each member holds of itself, without asking the leader. */
async function storedOn(connections: readonly GrpcConnection[], expected: number): Promise<readonly number[]> {
  const request = RangeRequest.encode({
    key: everyKey,
    rangeEnd: beyondEveryKey,
    serializable: true,
    countOnly: true,
  }).finish();
  const deadline = Date.now() + storedTimeoutMs;
  for (;;) {
    const counts = await Promise.all(
      connections.map(
        async (connection) => RangeResponse.decode(await connection.call('/etcdserverpb.KV/Range', request)).count,
      ),
    );
    if (counts.filter((count) => count >= expected).length > connections.length / 2) return counts;
    if (Date.now() > deadline) throw new Error(`etcd's members hold ${counts.join(', ')} of ${expected} records`);
    await delay(pollMs);
  }
}
