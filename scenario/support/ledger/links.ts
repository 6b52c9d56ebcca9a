import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { parse, stringify } from 'yaml';
import type { LedgerConsortium } from './ledger-firm.ts';

/**
 * How a link is: `open`; `deaf`: what the member that dialled says does not arrive, and the connection stands; `cut`: connections break and none comes about.
 */
export type LinkState = 'open' | 'deaf' | 'cut';

/** Every member's way to every other one, through a proxy of its own: what one says to another goes over the link from the first to the second only. */
export interface Links {
  set(from: string, to: string, state: LinkState): void;
  /** Both links of a member with each other one. */
  isolate(member: string, state: LinkState): void;
  /** How many links have a connection. */
  connected(): number;
  close(): Promise<void>;
}

interface MembersFile {
  readonly members: readonly { readonly id: string; readonly endpoint: string }[];
}

/** Puts proxies between the members while they run: each reads its file of members again. `close` puts the direct ways back. */
export async function placeLinks({ members, firm, running }: LedgerConsortium): Promise<Links> {
  const links = new Map<string, Link>();
  const before = new Map<string, string>();
  const fileOf = (member: string): string => running.consortium.layout.node(firm.organisation, member).ledger.members;
  for (const from of members) {
    const text = await readFile(fileOf(from), 'utf8');
    before.set(fileOf(from), text);
    const file = parse(text) as MembersFile;
    const listed = await Promise.all(
      file.members.map(async (entry) => {
        if (entry.id === from) return entry;
        const link = await openLink(entry.endpoint);
        links.set(`${from}>${entry.id}`, link);
        return { ...entry, endpoint: link.endpoint };
      }),
    );
    await writeFile(fileOf(from), stringify({ ...file, members: listed }));
  }
  const set = (from: string, to: string, state: LinkState): void => {
    const link = links.get(`${from}>${to}`);
    if (link === undefined) throw new Error(`no link from ${from} to ${to}`);
    link.set(state);
  };
  return {
    set,
    isolate(member, state) {
      for (const other of members.filter((name) => name !== member)) {
        set(member, other, state);
        set(other, member, state);
      }
    },
    connected: () => [...links.values()].filter((link) => link.isConnected()).length,
    async close() {
      for (const [file, text] of before) await writeFile(file, text);
      for (const link of links.values()) await link.close();
    },
  };
}

interface Link {
  readonly endpoint: string;
  set(state: LinkState): void;
  isConnected(): boolean;
  close(): Promise<void>;
}

async function openLink(target: string): Promise<Link> {
  const [host = '', port = ''] = target.split(':');
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  let state: LinkState = 'open';
  const server: Server = createServer({ allowHalfOpen: false }, (near) => {
    near.on('error', () => undefined);
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(Number(port), host);
    far.on('error', () => undefined);
    const pair = { near, far };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on('close', end);
    far.on('close', end);
    near.on('data', (bytes) => void far.write(bytes));
    far.on('data', (bytes) => void near.write(bytes));
    if (state === 'deaf') near.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a link has no port');
  return {
    endpoint: `127.0.0.1:${String(address.port)}`,
    set(next) {
      state = next;
      for (const { near, far } of [...pairs]) {
        if (next === 'cut') {
          near.destroy();
          far.destroy();
        } else if (next === 'deaf') near.pause();
        else near.resume();
      }
    },
    isConnected: () => pairs.size > 0,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const { near } of pairs) near.destroy();
      await closed;
    },
  };
}
