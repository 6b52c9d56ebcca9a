import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { exitCodeMeanings } from '../src/cli/exit-codes.ts';
import { runCli } from '../src/cli/program.ts';
import { answering, startTestOutlet, type TestOutlet, testRecord } from './test-outlet.ts';

let outlet: TestOutlet;
let api: { server: Server; answer: { status: number; body: unknown }; asked: { path: string; body: unknown }[] };

beforeEach(async () => {
  outlet = await startTestOutlet();
  const asked: { path: string; body: unknown }[] = [];
  const server = createServer(
    {
      cert: outlet.tls.certificatePem,
      key: outlet.tls.privateKeyPem,
      ca: outlet.tls.clientCaPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        asked.push({
          path: `${request.method ?? ''} ${request.url ?? ''}`,
          body: text === '' ? null : JSON.parse(text),
        });
        response.writeHead(api.answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(api.answer.body));
      });
    },
  );
  api = { server, asked, answer: { status: 200, body: {} } };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await outlet.writeProfile({ api: { url: `https://localhost:${port}`, tlsRootFile: 'tls-root.pem' } });
});
afterEach(async () => {
  api.server.closeAllConnections();
  await new Promise((resolve) => api.server.close(resolve));
  await outlet.close();
});

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout. */
  readonly json: Readonly<Record<string, unknown>>;
}

async function run(...args: string[]): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { WAYMARK_PROFILE: outlet.profileFile },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const json = args.includes('--json') ? (JSON.parse(last) as Record<string, unknown>) : {};
  return { exitCode, stdout, stderr, json };
}

async function recordsFile(name: string, count: number): Promise<string> {
  const file = join(outlet.folder, name);
  const records = Array.from({ length: count }, (_, index) => ({ revision: 0, businessIds: [], ...testRecord(index) }));
  await writeFile(file, records.map((record) => JSON.stringify(record)).join('\n'));
  return file;
}

test('submit says how many records were anchored, in one line of JSON', async () => {
  const file = await recordsFile('good.ndjson', 25);
  const { exitCode, json, stdout } = await run('submit', file, '--json');
  expect(exitCode).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(json).toMatchObject({ state: 'anchored', records: 25, submitted: 25, repeated: 0, failed: 0 });
  expect(json['files']).toMatchObject([{ file, records: 25, submitted: 25 }]);
});

test('a bad file is refused whole with file, place and reason; the others are loaded; the exit code says so', async () => {
  const seen: string[] = [];
  outlet.handler = answering(
    () => 'anchored',
    ({ eventId }) => seen.push(eventId),
  );
  const good = await recordsFile('good.ndjson', 3);
  const bad = join(outlet.folder, 'bad.ndjson');
  await writeFile(bad, `${JSON.stringify({ ...testRecord(99), revision: 0, businessIds: [] })}\n{"eventId": 1}\n`);
  const { exitCode, json } = await run('submit', bad, good, '--json');
  expect(exitCode).toBe(3);
  expect(json).toMatchObject({ code: 'input-invalid', file: bad, submitted: 3 });
  expect(json['place']).toContain('line 2');
  expect(seen).toEqual(['event-0', 'event-1', 'event-2']);
});

test('a record that fails is counted with its file, and decides the exit code', async () => {
  outlet.handler = answering(({ eventId }) => (eventId === 'event-1' ? 'conflict' : 'anchored'));
  const file = await recordsFile('good.ndjson', 3);
  const { exitCode, json } = await run('submit', file, '--json');
  expect(exitCode).toBe(8);
  expect(json).toMatchObject({ code: 'conflict', file, submitted: 2, failed: 1 });
});

test('records that the audit rejects are counted by their reasons', async () => {
  outlet.handler = async (requests, responses) => {
    for await (const { records } of requests) {
      const failures = records.map(({ ref }) => ({
        ref,
        failure: { code: 'audit-rejected', message: 'the audit says no', reason: ref % 2 === 0 ? 'schema' : 'times' },
      }));
      await responses.write({ receipts: [], failures });
    }
  };
  const file = await recordsFile('rejected.ndjson', 5);
  const { exitCode, json } = await run('submit', file, '--until', 'confirmed', '--json');
  expect(exitCode).toBe(3);
  expect(json).toMatchObject({ code: 'audit-rejected', reason: 'times', failed: 5, rejected: { times: 3, schema: 2 } });
  const { stdout } = await run('submit', file);
  expect(stdout).toContain('rejected  3 records: times');
});

test('validate needs neither profile nor network', async () => {
  const file = await recordsFile('good.ndjson', 4);
  const { exitCode, json } = await run('validate', file, '--json', '--profile', '/nowhere');
  expect(exitCode).toBe(0);
  expect(json).toMatchObject({ records: 4, files: [{ file, format: 'records-json' }] });
});

test.each([
  [['trace'], 'files'],
  [['trace', '--id', 'sscc'], 'TYPE=VALUE'],
  [['trace', '--event', 'a', '--oid', 'b'], 'one of'],
  [['trace', '--sideways'], '--sideways'],
  [['trace', '--fast', '--trusted', '--event', 'a'], 'cannot be used'],
  [['submit'], 'file'],
  [['external', '--event', 'a'], '--asker'],
  [['allow', '--asker', 'x'], '--consignment'],
  [['fly'], 'fly'],
])('%j is a usage error: exit code 2, and a JSON line', async (args, word) => {
  const { exitCode, json } = await run(...args, '--json');
  expect(exitCode).toBe(2);
  expect(json).toMatchObject({ code: 'input-invalid' });
  expect(json['message']).toContain(word);
});

test('a profile that cannot be used is exit code 4 and names file and place', async () => {
  await outlet.writeProfile({ mspId: 5 });
  const { exitCode, json } = await run('status', '--json');
  expect(exitCode).toBe(4);
  expect(json).toMatchObject({ code: 'configuration-invalid', file: outlet.profileFile, place: 'mspId' });
});

test.each([
  ['data-abnormal', 502, 7],
  ['refused', 403, 5],
  ['unavailable', 503, 6],
  ['something-of-tomorrow', 500, 6],
])('the code of a problem document decides: %s', async (code, status, expected) => {
  await run('keygen');
  api.answer = { status, body: { code, detail: 'why' } };
  const { exitCode, json } = await run('trace', '--event', 'a', '--fast', '--json');
  expect(exitCode).toBe(expected);
  expect(json).toMatchObject({ code: code === 'something-of-tomorrow' ? 'unavailable' : code, message: 'why' });
});

test('a fast query is one request', async () => {
  api.answer = { status: 200, body: { trust: 'unverified', ownerKid: 'k', records: [] } };
  const keys = await run('keygen', '--json');
  expect(keys.exitCode).toBe(0);
  const { exitCode, json } = await run('trace', '--event', 'a', '--fast', '--json');
  expect(exitCode).toBe(5);
  expect(json).toMatchObject({ code: 'refused' });
  expect(api.asked).toMatchObject([{ path: 'POST /v1/fast-queries', body: { query: { type: 'event', value: 'a' } } }]);
});

test('an index that knows nothing gives no data but a refusal', async () => {
  api.answer = { status: 200, body: { results: [{ hits: [], more: false }] } };
  await outlet.writeProfile({
    api: { url: await profileUrl(), tlsRootFile: 'tls-root.pem' },
    gateway: { endpoint: 'localhost:1', tlsRootFile: 'tls-root.pem' },
  });
  const { exitCode, json } = await run('trace', '--id', 'order=A-1', '--json');
  expect(exitCode).toBe(5);
  expect(json).toMatchObject({ code: 'refused' });
});

test('an answer of another form than agreed is unavailable, not a crash', async () => {
  api.answer = { status: 200, body: { results: 'no' } };
  expect(await run('allow', '--json')).toMatchObject({ exitCode: 6, json: { code: 'unavailable' } });
});

test('keygen makes files for their owner only and never overwrites', async () => {
  const first = await run('keygen', '--json');
  const file = join(outlet.folder, 'reader-key.json');
  expect(first).toMatchObject({ exitCode: 0, json: { file } });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(first.stdout).not.toContain('"d"');
  const before = await readFile(file, 'utf8');
  expect(await run('keygen', '--json')).toMatchObject({ exitCode: 8, json: { code: 'conflict', file } });
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('an asker signs a question without a profile; the client posts it as it is', async () => {
  const keys = join(outlet.folder, 'asker.json');
  const question = join(outlet.folder, 'question.json');
  await run('keygen', '--asker', keys, '--json');
  const request = ['external', 'request', '--asker', keys, '--event', 'a', '--channel', 'waymark', '--msp', 'Org1MSP'];
  expect((await run(...request, '--out', question, '--profile', '/nowhere', '--json')).exitCode).toBe(0);
  api.answer = { status: 200, body: { outlet: 'depot', answer: 'sealed' } };
  expect(await run('external', 'send', question, '--json')).toMatchObject({
    exitCode: 0,
    json: { outlet: 'depot', answer: 'sealed' },
  });
  const { request: jws } = JSON.parse(await readFile(question, 'utf8')) as { request: string };
  expect(api.asked).toEqual([{ path: 'POST /v1/external-queries', body: { request: jws } }]);
});

test('an answer that is not for the asker is data-abnormal or does not decrypt, never data', async () => {
  const keys = join(outlet.folder, 'asker.json');
  await run('keygen', '--asker', keys, '--json');
  api.answer = { status: 200, body: { outlet: 'depot', answer: 'a.b.c.d.e' } };
  const { exitCode, json } = await run('external', '--asker', keys, '--event', 'a', '--json');
  expect(exitCode).toBe(7);
  expect(json['content']).toBeUndefined();
});

test('allow takes key ids and key files', async () => {
  const keys = join(outlet.folder, 'asker.json');
  const { json } = await run('keygen', '--asker', keys, '--json');
  const kid = String(json['kid']);
  const other = 'A'.repeat(43);
  api.answer = { status: 200, body: { consignmentOid: '00'.repeat(16), seq: 1, askerKids: [kid, other] } };
  expect((await run('allow', '--consignment', 'C-1', '--asker', keys, other, '--json')).exitCode).toBe(0);
  expect(api.asked).toMatchObject([
    { path: 'PUT /v1/allow-list', body: { consignment: 'C-1', askerKids: [kid, other] } },
  ]);
});

test('a service whose certificate another CA issued is not talked to', async () => {
  await outlet.writeProfile({ api: { url: await profileUrl(), tlsRootFile: 'root.pem' } });
  expect(await run('status', '--json')).toMatchObject({ exitCode: 6, json: { code: 'unavailable' } });
  expect(api.asked).toEqual([]);
});

test('help and documentation list every exit code with its meaning', async () => {
  const { stdout, exitCode } = await run('--help');
  const documentation = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  expect(exitCode).toBe(0);
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
    expect(stdout).toContain(`${code}  ${meaning}`);
    expect(documentation).toMatch(new RegExp(`\\| ${code} +\\| ${meaning.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
  }
});

async function profileUrl(): Promise<string> {
  return /https:\/\/localhost:\d+/.exec(await readFile(outlet.profileFile, 'utf8'))?.[0] ?? '';
}
