import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  callControl,
  type ControlPlace,
  type Layout,
  type NetworkFolder,
  type NetworkStatus,
  serviceName,
} from '@waymark/network';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { connect, type RecordInput, type Waymark } from '@waymark/sdk';

/** What a drill runs on. */
export interface DrillRequest {
  readonly place: ControlPlace;
  readonly layout: Layout;
  readonly folder: NetworkFolder;
  /** Undefined: which there are. */
  readonly name: string | undefined;
  readonly json: boolean;
}

/** What a drill has shown. */
interface DrillOutcome {
  /** What was broken. */
  readonly broken: string;
  /** How that was noticed. */
  readonly noticed: string;
  /** How everything is well again. */
  readonly healed: string;
}

interface Site extends DrillRequest {
  readonly firm: NetworkFolder['topology']['organisations'][number];
  readonly say: (text: string) => void;
  readonly reader: () => Waymark;
  readonly status: () => Promise<NetworkStatus>;
}

const healedWithinMs = 60_000;
const pollMs = 200;

/** A way to break something on purpose. */
interface Drill {
  readonly about: string;
  run(site: Site): Promise<DrillOutcome>;
}

const drills: Readonly<Record<string, Drill>> = {
  tamper: {
    about: 'a byte of a stored envelope is altered behind the store',
    run: async (site) => {
      const record = newRecord('tamper');
      await submit(site, record);
      const reader = site.reader();
      const found = await until('the record is found', () => reader.trace({ eventId: record.eventId }));
      const cid = found.records[0]?.cid ?? '';
      await tamper(site, cid);
      const noticed = await codeOf(() => site.reader().trace({ eventId: record.eventId }));
      if (noticed !== 'data-abnormal') throw new WaymarkError('internal', `altered data was answered with ${noticed}`);
      await until('the store is repaired', () => site.reader().trace({ eventId: record.eventId }));
      // A standby that nobody asked would find its copy altered in its next round.
      await tamper(site, cid, '--heal');
      return {
        broken: `block ${cid}`,
        noticed: `the asker gets ${noticed}`,
        healed: 'another member gave the right bytes',
      };
    },
  },
  'kill-center': {
    about: "a firm's center is killed while its outlet goes on taking records",
    run: async (site) => {
      const ledger = ledgerIn(await site.status(), site);
      if (ledger !== undefined) return killOffice(site, ledger);
      const name = serviceName(site.firm, 'center');
      const { anchored, state } = await whileAway(site, name, async () => {
        const submitted = submit(site, newRecord('kill-center'));
        submitted.catch(() => undefined);
        const status = await site.status();
        const services = status.organisations.flatMap((organisation) => organisation.services);
        return { anchored: submitted, state: services.find((service) => service.name === name)?.state };
      });
      if (state !== 'away') throw new WaymarkError('internal', `status shows the center as ${state ?? 'nothing'}`);
      await anchored;
      return {
        broken: name,
        noticed: 'status shows it as away; the outlet keeps what it is given',
        healed: 'what had waited is anchored',
      };
    },
  },
  'stop-orderer': {
    about: 'the orderer that leads is stopped',
    run: async (site) => {
      const before = await site.status();
      const name = before.leader ?? (site.folder.runtime === 'embedded' ? 'devnet' : '');
      if (name === '') throw new WaymarkError('unavailable', 'no orderer leads at the moment');
      const record = newRecord('stop-orderer');
      if (before.toleratedFaults > 0) {
        const { leader } = await whileAway(site, name, async () => {
          await submit(site, record, 'accepted');
          await untilAnchored(site, record, 'another orderer leads and the record is anchored');
          return site.status();
        });
        return {
          broken: name,
          noticed: `${leader ?? 'another one'} leads`,
          healed: 'anchored while it was away; it is back',
        };
      }
      const seen = await whileAway(site, name, async () => {
        await submit(site, record, 'accepted');
        return trustOf(site, record);
      });
      if (seen === 'anchored') throw new WaymarkError('internal', 'a record was anchored while nobody orders');
      await untilAnchored(site, record, 'the record is anchored');
      return { broken: name, noticed: `nobody orders: records wait (${seen})`, healed: 'what had waited is anchored' };
    },
  },
  'cut-peer': {
    about: "an outlet's peer is cut off while the channel goes on",
    run: async (site) => {
      const { firm, folder } = site;
      if (folder.runtime === 'embedded') throw new WaymarkError('unsupported', 'devnet runs all peers in one process');
      const outlet = firm.outlets.find(({ peer }) => peer);
      if (outlet === undefined) throw new WaymarkError('unsupported', `${firm.name} has one peer only`);
      const name = `${outlet.name}.${firm.domain}`;
      const height = (status: NetworkStatus): number | null | undefined =>
        status.organisations.find(({ mspId }) => mspId === firm.mspId)?.peers.find((peer) => peer.name === outlet.name)
          ?.height;
      const seen = await whileAway(site, name, async () => {
        await submit(site, newRecord('cut-peer'));
        return height(await site.status());
      });
      if (seen !== null) throw new WaymarkError('internal', 'status shows the peer as well');
      await until('the peer has caught up', async () => {
        const status = await site.status();
        const highest = Math.max(...status.organisations.flatMap(({ peers }) => peers.map((peer) => peer.height ?? 0)));
        if (height(status) !== highest) throw new WaymarkError('unavailable', 'it is behind');
      });
      return { broken: name, noticed: 'status shows that it does not answer', healed: 'it has caught up' };
    },
  },
};

type Ledger = NetworkStatus['ledgers'][number];

function ledgerIn({ ledgers }: NetworkStatus, { firm }: Site): Ledger | undefined {
  return ledgers.find(({ mspId }) => mspId === firm.mspId);
}

/** Kills whoever is in office in the firm's private ledger: another one takes over and goes on. */
async function killOffice(site: Site, { center, term }: Ledger): Promise<DrillOutcome> {
  if (center === null) throw new WaymarkError('unavailable', 'nobody is in office at the moment');
  const name = serviceName(site.firm, center);
  const inOffice = await whileAway(site, name, async () => {
    await submit(site, newRecord('kill-center'));
    const status = await site.status();
    const state = status.organisations.flatMap(({ services }) => services).find((service) => service.name === name);
    if (state?.state !== 'away') throw new WaymarkError('internal', `status shows it as ${state?.state ?? 'nothing'}`);
    return ledgerIn(status, site);
  });
  if (inOffice?.center === center) throw new WaymarkError('internal', `${center} is away, and said to be in office`);
  await until(`${center} has every block`, async () => {
    const own = ledgerIn(await site.status(), site)?.members.find(({ id }) => id === center);
    if (own?.lag !== 0) throw new WaymarkError('unavailable', 'it is behind');
  });
  return {
    broken: name,
    noticed: `${inOffice?.center ?? 'another one'} is in office (term ${inOffice?.term ?? '?'} after ${term ?? '?'}), and a record is anchored meanwhile`,
    healed: 'it is back and has every block',
  };
}

/** Breaks something on purpose and shows it being noticed, and everything well again. Without a name: which drills there are. */
export async function drill(request: DrillRequest, say: (text: string) => void): Promise<number> {
  if (request.name === undefined) {
    for (const [name, { about }] of Object.entries(drills)) process.stdout.write(`${name.padEnd(14)} ${about}\n`);
    return 0;
  }
  const chosen = drills[request.name];
  const [firm] = request.folder.topology.organisations;
  if (chosen === undefined || firm === undefined) {
    throw new WaymarkError(
      'input-invalid',
      `there is no drill ${request.name}; there are ${Object.keys(drills).join(', ')}`,
    );
  }
  const readers: Waymark[] = [];
  const site: Site = {
    ...request,
    firm,
    say,
    reader: () => {
      const reader = connect(request.layout.node(firm, 'reader').profile);
      readers.push(reader);
      return reader;
    },
    status: async () => (await callControl(request.place, 'status', undefined)) as NetworkStatus,
  };
  try {
    const { broken, noticed, healed } = await chosen.run(site);
    process.stdout.write(
      request.json
        ? `${JSON.stringify({ drill: request.name, broken, noticed, healed })}\n`
        : `broken   ${broken}\nnoticed  ${noticed}\nhealed   ${healed}\n`,
    );
    return 0;
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

function newRecord(name: string): RecordInput {
  const eventId = `drill-${name}-${Date.now()}`;
  return {
    eventId,
    consignment: `drill-${name}`,
    schema: 'urn:waymark:drill',
    collectionTime: new Date().toISOString(),
    payload: { drill: name },
  };
}

async function submit(
  { say, reader }: Site,
  record: RecordInput,
  state: 'accepted' | 'anchored' = 'anchored',
): Promise<void> {
  for await (const result of reader().submit([record], { until: state })) if ('error' in result) throw result.error;
  say(`a record is ${state}`);
}

/** Does something while a process is away, and brings it back whatever comes of it. */
async function whileAway<T>(site: Site, name: string, act: () => Promise<T>): Promise<T> {
  await control(site, 'halt', name);
  try {
    return await act();
  } finally {
    await control(site, 'resume', name);
  }
}

async function control({ place, say }: Site, action: 'halt' | 'resume', name: string): Promise<void> {
  await callControl(place, action, { name });
  say(action === 'halt' ? `${name} is down` : `${name} is back`);
}

async function tamper({ layout, firm }: Site, cid: string, ...more: readonly string[]): Promise<void> {
  const script = join(import.meta.dirname, '..', 'tamper.ts');
  await promisify(execFile)(process.execPath, [
    script,
    '--data',
    layout.root,
    '--cid',
    cid,
    '--firm',
    firm.domain,
    ...more,
  ]);
}

/** How a record stands for who asks: anchored, confirmed by the firm's own, or an error's code. */
async function trustOf({ reader }: Site, { eventId }: RecordInput): Promise<string> {
  try {
    return (await reader().trace({ eventId })).trust;
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

/** A record that waits is confirmed at most. */
async function untilAnchored(site: Site, record: RecordInput, what: string): Promise<void> {
  await until(what, async () => {
    const trust = await trustOf(site, record);
    if (trust !== 'anchored') throw new WaymarkError('unavailable', `it is ${trust}`);
  });
}

async function codeOf(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask();
    return 'an answer';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

/** Asks until there is an answer. */
async function until<T>(what: string, ask: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + healedWithinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isWaymarkError(error) || Date.now() > deadlineMs) {
        throw new WaymarkError('unavailable', `it was waited in vain until ${what}`, { cause: error });
      }
      await delay(pollMs);
    }
  }
}
