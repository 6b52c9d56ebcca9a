import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Consortium, containersOf, ledgerMembers, type RunningService } from '@waymark/network';
import { isWaymarkError } from '@waymark/protocol';
import {
  connect,
  type RecordInput,
  type SubmitReceipt,
  type TraceAnswer,
  type TraceQuery,
  type Waymark,
} from '@waymark/sdk';
import type { Ledger } from '@waymark/fabric';
import { parse, stringify } from 'yaml';
import { findContainerBlock, flipBitInContainer } from '../../scripts/tamper/container-block.ts';
import { findStoredBlock, flipStoredBit } from '../../scripts/tamper/stored-block.ts';
import { type Firm, firmOf, type RunningConsortium } from '../support/running-consortium.ts';
import { connectLedger } from '../support/trusted-reading.ts';
import { enrol, type EnrolledNode, type NodeKind } from './enrolment.ts';
import type { Judged, Need, Rule } from './model.ts';
import { type NodeNames, nodeNames } from './node-names.ts';
import { firstInOffice, keepsLedger } from './private-ledgers.ts';
import { until } from './waiting.ts';

export { until } from './waiting.ts';

/** What a scenario may use, whatever the consortium runs on. */
export interface System extends Judged {
  readonly running: RunningConsortium;
  readonly consortium: Consortium;
  readonly firms: readonly Firm[];
  /** Two of the firms, for scenarios that need one and a stranger. The center of the first may open what its outlets seal. */
  readonly first: Firm;
  readonly second: Firm;
  /** Names of the running nodes by kind, as they are now. */
  readonly names: NodeNames;
  /** Part of every id of this run, so that no scenario meets another's records. */
  readonly runId: string;
  /** The firm's own people, connected by the SDK; closed when the run ends. */
  as(firm: Firm, node: string): Waymark;
  /** As somebody who has nothing in memory yet. */
  afresh(firm: Firm, node: string): Waymark;
  /** The channel as a node of the firm, or as its admin. */
  ledger(firm: Firm, node: string): Promise<Ledger>;
  /** An identity of the firm's CA, registered under a name of its own; its key lies nowhere. */
  enrol(firm: Firm, enrolmentId: string, kind: NodeKind): Promise<EnrolledNode>;
  /** New records that belong together. */
  records(label: string, count: number): RecordInput[];
  /** Submits through the firm's outlet until anchored; receipts in the order of the records. */
  submit(firm: Firm, records: readonly RecordInput[]): Promise<SubmitReceipt[]>;
  /** Asks by trusted query until the outlet's index, which follows the channel, knows the record. */
  traceOnceIndexed(reader: Waymark, query: TraceQuery): Promise<TraceAnswer>;
  /** Kills a process (SIGKILL) and waits until it is gone. */
  kill(...names: string[]): Promise<void>;
  restart(...names: string[]): Promise<void>;
  /** Flips a bit of a block as the firm stores it. */
  alter(firm: Firm, cid: string): Promise<void>;
  /** Changes sections of a service's configuration and starts it anew; what it gives puts the old ones back. */
  configure(firm: Firm, service: 'center' | 'outlet', sections: Sections): Promise<() => Promise<void>>;
  /** Stops a service in good order, takes its replica away and starts it again. */
  removeReplica(firm: Firm, service: 'center' | 'outlet'): Promise<void>;
  /** A page of a service's port for operators. */
  operations(firm: Firm, service: 'center' | 'outlet', page: string): Promise<{ status: number; text: string }>;
  /** A gauge of a service's metrics. */
  gauge(firm: Firm, service: 'center' | 'outlet', name: string): Promise<number>;
}

/** Sections of a configuration with what changes in them. */
export type Sections = Readonly<Record<string, Readonly<Record<string, number | boolean | readonly string[]>>>>;

/** A rule about the whole system. */
export type Scenario = Rule<System>;

/** How a run is made. */
export interface SystemOptions {
  readonly awayMs: number;
}

/** Builds what scenarios use on a running consortium. `close` ends connections, not the consortium. */
export function createSystem(
  running: RunningConsortium,
  { awayMs }: SystemOptions,
): { system: System; close(): Promise<void> } {
  const { consortium, firms } = running;
  const runId = randomBytes(4).toString('hex');
  const connected = new Map<string, Waymark>();
  const fresh: Waymark[] = [];
  const ledgers = new Map<string, Ledger>();
  const expected = consortium.processes().map(({ name }) => name);
  const profileOf = (firm: Firm, node: string): string => consortium.layout.node(firm.organisation, node).profile;

  const as: System['as'] = (firm, node) => {
    const name = `${firm.mspId} ${node}`;
    const known = connected.get(name) ?? connect(profileOf(firm, node));
    connected.set(name, known);
    return known;
  };
  const ledger: System['ledger'] = async (firm, node) => {
    const name = `${firm.mspId} ${node}`;
    const known =
      ledgers.get(name) ?? connectLedger(firm, node === 'admin' ? await firm.admin() : await firm.identity(node));
    ledgers.set(name, known);
    return known;
  };
  const restart: System['restart'] = async (...restarted) => {
    await Promise.all(restarted.map((name) => consortium.restart(name)));
  };

  const serviceOf = (firm: Firm, service: 'center' | 'outlet') => ({
    name: system.names[service === 'center' ? 'centers' : 'outlets'].get(firm.mspId) ?? '',
    folder: consortium.layout.node(firm.organisation, service === 'center' ? 'center' : firm.outletName),
  });
  const stop = async (name: string): Promise<void> => {
    const process = consortium.processes().find((item) => item.name === name);
    assert.ok(process !== undefined, `there is a process ${name}`);
    await process.stop();
  };

  const system: System = {
    running,
    consortium,
    firms,
    first: firms.find(({ organisation }) => organisation.centerIsRecipient) ?? firms[0],
    second: firms.find(({ organisation }) => !organisation.centerIsRecipient) ?? firms[1],
    get names() {
      return nodeNames(consortium);
    },
    runId,
    awayMs,
    as,
    afresh: (firm, node) => {
      const connection = connect(profileOf(firm, node));
      fresh.push(connection);
      return connection;
    },
    ledger,
    enrol: async (firm, enrolmentId, kind) =>
      enrol(consortium, firm, await ledger(firm, 'admin'), { enrolmentId: `${enrolmentId}-${runId}`, kind }),
    records: (label, count) =>
      Array.from({ length: count }, (_, index): RecordInput => {
        const id = `${label}-${runId}-${String(index)}`;
        return {
          eventId: `urn:acceptance:${id}`,
          consignment: `${label}-${runId}`,
          schema: 'urn:waymark:acceptance',
          collectionTime: '2026-03-01T12:00:00.000Z',
          businessIds: [{ type: 'order', value: id }],
          payload: { step: 'loaded', place: `dock ${String(index)}`, id },
        };
      }),
    async submit(firm, records) {
      const receipts: SubmitReceipt[] = [];
      for await (const result of as(firm, 'reader').submit(records)) {
        if ('error' in result) throw result.error;
        receipts[result.index] = result.receipt;
      }
      return receipts;
    },
    traceOnceIndexed: (reader, query) =>
      until('the record to be in the index', async () => {
        try {
          return await reader.trace(query);
        } catch (error) {
          if (isWaymarkError(error, 'refused') || isWaymarkError(error, 'unavailable')) return undefined;
          throw error;
        }
      }),
    async kill(...killed) {
      for (const name of killed) {
        const process = consortium.processes().find((item) => item.name === name);
        assert.ok(process !== undefined, `there is a process ${name}`);
        process.kill('SIGKILL');
        await process.exited;
      }
    },
    restart,
    async alter({ organisation }, cid) {
      const { layout } = consortium;
      const containers = await containersOf(layout);
      if (containers !== undefined) {
        const stored = await findContainerBlock(containers, cid, organisation.domain);
        assert.ok(stored !== undefined, 'the firm stores the block');
        await flipBitInContainer(containers, stored);
        return;
      }
      // Its embedded store lies with its center, its kubo beside all others.
      for (const folder of [layout.node(organisation, 'center').data, join(layout.content, organisation.domain)]) {
        const stored = existsSync(folder) ? await findStoredBlock(folder, cid) : undefined;
        if (stored === undefined) continue;
        await flipStoredBit(stored);
        return;
      }
      assert.fail('the firm stores the block');
    },
    async configure(firm, service, sections) {
      const { name, folder } = serviceOf(firm, service);
      const before = await readFile(folder.configuration, 'utf8');
      const write = async (text: string): Promise<void> => {
        await stop(name);
        await writeFile(folder.configuration, text);
        await consortium.restart(name);
        // Meanwhile another one may have taken over.
        if (keepsLedger(system, firm)) await firstInOffice(system, firm);
      };
      const old = parse(before) as Partial<Sections>;
      const changed = Object.entries(sections).map(([key, values]) => [key, { ...old[key], ...values }] as const);
      await write(stringify({ ...old, ...Object.fromEntries(changed) }));
      return () => write(before);
    },
    async removeReplica(firm, service) {
      const { name, folder } = serviceOf(firm, service);
      await stop(name);
      const { data } = folder;
      const files = (await readdir(data)).filter((file) => file.startsWith('replica.db'));
      assert.ok(files.length > 0, 'there is a replica to take away');
      for (const file of files) await rm(join(data, file));
      await consortium.restart(name);
    },
    async operations(firm, kind, page) {
      const service = consortium.services.find((item) => item.organisation.mspId === firm.mspId && item.kind === kind);
      assert.ok(service !== undefined, `${firm.mspId} has a ${kind}`);
      const answer = await fetch(`${service.operationsUrl}/${page}`);
      return { status: answer.status, text: await answer.text() };
    },
    async gauge(firm, service, name) {
      const { text } = await system.operations(firm, service, 'metrics');
      const value = new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1];
      assert.ok(value !== undefined, `there is a gauge ${name}`);
      return Number(value);
    },
    missing: (need) => missing(need, running, system.names),
    async checkWell() {
      assert.deepEqual(await endedOf(consortium), [], 'everything runs that is to run');
      const now = consortium.processes().map(({ name }) => name);
      // An upgraded chaincode runs under another name, and an organisation may have come.
      const gone = expected.filter((name) => !name.startsWith('chaincode-') && !now.includes(name));
      assert.deepEqual(gone, [], 'nothing was taken away');
      // Each scenario finds the first center in office, whom clients ask.
      for (const organisation of consortium.topology.organisations) {
        const firm =
          firms.find(({ mspId }) => mspId === organisation.mspId) ?? (await firmOf(consortium, organisation));
        if (keepsLedger(system, firm)) await firstInOffice(system, firm);
      }
      await until('every service to be ready, and every outlet to be connected to its center', async () => {
        const { services, topology } = consortium;
        const ready = await Promise.all(services.map(isReady));
        const connected = await Promise.all(topology.organisations.map(({ mspId }) => hasOutlets(services, mspId)));
        return [...ready, ...connected].every(Boolean) ? true : undefined;
      });
    },
    async recover() {
      // What others stand on comes first, as the consortium lists it.
      for (const name of await endedOf(consortium)) await consortium.restart(name);
    },
  };
  return {
    system,
    async close() {
      for (const opened of ledgers.values()) opened.close();
      await Promise.all([...connected.values(), ...fresh].map((connection) => connection.close()));
    },
  };
}

const answerTimeoutMs = 5_000;

/** Asserts that something is refused with this code, and gives the refusal. */
export async function refused(work: Promise<unknown>, ...codes: string[]): Promise<Error> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Error, `it is refused with ${codes.join(' or ')}`);
  const code = isWaymarkError(outcome) ? outcome.code : outcome.message;
  assert.ok(codes.includes(code), `it is refused with ${codes.join(' or ')}, not ${code}: ${outcome.message}`);
  return outcome;
}

function askOperations({ operationsUrl }: RunningService, page: string): Promise<Response | undefined> {
  return fetch(`${operationsUrl}/${page}`, { signal: AbortSignal.timeout(answerTimeoutMs) }).catch(() => undefined);
}

async function isReady(service: RunningService): Promise<boolean> {
  return (await askOperations(service, 'healthz/ready'))?.status === 200;
}

/** Whether outlets are connected to the organisation's first center. */
async function hasOutlets(services: readonly RunningService[], mspId: string): Promise<boolean> {
  const center = services.find(({ organisation, kind }) => organisation.mspId === mspId && kind === 'center');
  const metrics = center && (await (await askOperations(center, 'metrics'))?.text());
  return /^waymark_outlets_connected(?:{[^}]*})? [1-9]/m.test(metrics ?? '');
}

async function endedOf(consortium: Consortium): Promise<string[]> {
  const ended: string[] = [];
  for (const { name, exited } of consortium.processes()) {
    const gone = await Promise.race([exited.then(() => true), delay(0, false)]);
    if (gone) ended.push(name);
  }
  return ended;
}

function missing(need: Need, { consortium, firms }: RunningConsortium, names: NodeNames): string | undefined {
  const { topology } = consortium;
  const ledgers = topology.organisations.filter((one) => ledgerMembers(topology, one).length > 0).length;
  switch (need) {
    case 'separate-nodes':
      return names.orderers.length > 0 ? undefined : 'peers and orderer of devnet are one process';
    case 'two-peers':
      return firms.every(({ mspId }) => consortium.channel.peers.filter((peer) => peer.mspId === mspId).length > 1)
        ? undefined
        : 'the topology has an organisation with one peer';
    case 'raft':
      return consortium.topology.ordering.type === 'raft' ? undefined : 'the topology orders by BFT';
    case 'spare-orderer':
      return names.orderers.length > 2 ? undefined : 'ordering goes on without one orderer from three orderers on';
    case 'kubo':
      return consortium.content.nodes.length > 0 ? undefined : 'content stores are embedded in the centers';
    case 'service-folders':
      return consortium.runtime === 'docker' ? "the services' folders lie in their containers" : undefined;
    case 'evidence':
      return ledgers > 0 ? 'batches go into private ledgers, not to the channel' : undefined;
    case 'private-ledgers':
      return ledgers > 1 ? undefined : 'no two firms keep private ledgers: --ledgers';
  }
}
