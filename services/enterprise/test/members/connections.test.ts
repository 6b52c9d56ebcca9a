import { WaymarkError } from '@waymark/protocol';
import { createConnections } from '../../src/members/connections.ts';
import type { MemberClient } from '../../src/members/member-client.ts';
import type { Member, MemberCenter } from '../../src/members/members-file.ts';
import type { Members } from '../../src/members/members.ts';

const identity = { certificatePem: '', privateKeyPem: '' };
const place = (name: string) => ({ apiUrl: `https://${name}.example`, tlsRootPem: 'root' });
const center: MemberCenter = { ...place('center'), standbys: [place('standby')] };
const awayError = (): WaymarkError => new WaymarkError('unavailable', 'away');

let away: Set<string>;
let asked: string[];
let closed: string[];
let nowMs: number;
let listeners: (() => void)[];
let current: Pick<Member, 'mspId' | 'center'>[];

beforeEach(() => {
  [away, asked, closed, nowMs, listeners] = [new Set(), [], [], 0, []];
  current = [{ mspId: 'SouthMSP', center }];
});

function build() {
  const members = { current: () => current, onChange: (listener: () => void) => void listeners.push(listener) };
  return createConnections({
    members: members as unknown as Members,
    identity,
    nowMs: () => nowMs,
    connect: ({ apiUrl }) => ({ apiUrl, close: () => void closed.push(apiUrl) }) as unknown as MemberClient,
  });
}

function ask(client: MemberClient): Promise<string> {
  const { apiUrl } = client as unknown as { readonly apiUrl: string };
  asked.push(apiUrl);
  return away.has(apiUrl) ? Promise.reject(awayError()) : Promise.resolve(apiUrl);
}

test('when the center of another organisation does not answer, its standby is asked, and first from then on', async () => {
  const connections = build();
  away.add('https://center.example');
  expect(await connections.use('SouthMSP', ask)).toBe('https://standby.example');
  expect(await connections.use('SouthMSP', ask)).toBe('https://standby.example');
  expect(asked).toEqual(['https://center.example', 'https://standby.example', 'https://standby.example']);
  expect(connections.waitMs('SouthMSP')).toBe(0);
});

test('what the center itself holds is not asked of its standby', async () => {
  const connections = build();
  away.add('https://center.example');
  await expect(connections.use('SouthMSP', ask, { onlyCenter: true })).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual(['https://center.example']);
  // Nor is the standby let alone for it.
  expect(await connections.use('SouthMSP', ask)).toBe('https://standby.example');
});

test('an organisation none of whose centers answers is let alone for a while', async () => {
  const connections = build();
  away.add('https://center.example').add('https://standby.example');
  await expect(connections.use('SouthMSP', ask)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(connections.use('SouthMSP', ask)).rejects.toMatchObject({ details: { reason: 'away' } });
  expect(asked).toHaveLength(2);
  nowMs += connections.waitMs('SouthMSP');
  away.clear();
  expect(await connections.use('SouthMSP', ask)).toBe('https://center.example');
});

test('who refuses has answered, and is asked first from then on', async () => {
  const connections = build();
  away.add('https://center.example');
  const refuse = (client: MemberClient) => ask(client).then(() => Promise.reject(new WaymarkError('refused', 'no')));
  await expect(connections.use('SouthMSP', refuse)).rejects.toMatchObject({ code: 'refused' });
  asked.length = 0;
  await connections.use('SouthMSP', ask);
  expect(asked).toEqual(['https://standby.example']);
});

test('a refusal is no reason to ask another', async () => {
  const connections = build();
  const refuse = (client: MemberClient) => ask(client).then(() => Promise.reject(new WaymarkError('refused', 'no')));
  await expect(connections.use('SouthMSP', refuse)).rejects.toMatchObject({ code: 'refused' });
  expect(asked).toEqual(['https://center.example']);
});

test('another standby in the members file is another connection', () => {
  build();
  current = [{ mspId: 'SouthMSP', center: { ...center, standbys: [place('other')] } }];
  for (const listener of listeners) listener();
  expect(closed).toEqual(['https://center.example', 'https://standby.example']);
  for (const listener of listeners) listener();
  expect(closed).toHaveLength(2);
});
