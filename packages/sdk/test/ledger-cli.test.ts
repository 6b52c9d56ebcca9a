import { createServer, type Server } from 'node:https';
import { runCli } from '../src/cli/program.ts';
import { startTestOutlet, type TestOutlet } from './test-outlet.ts';

const id = '5b6bb2f6-6a0e-4f0c-9a4c-2f0e2b8f5f10';
const hash = 'bafyreidmcijod4erwdw27rb5cpbhsapm6qythkkkpqw2dno626y6oyo624';
const row = {
  height: 2,
  hash,
  epoch: 1,
  term: 1,
  center: 'center',
  timestamp: '2026-01-02T03:04:05.000Z',
  accepted: 3,
  rejected: 1,
  anchorTxId: null,
};

let outlet: TestOutlet;
let server: Server;
let asked: string[];
let answers: Map<string, unknown[]>;

beforeEach(async () => {
  outlet = await startTestOutlet();
  asked = [];
  answers = new Map();
  const { certificatePem: cert, privateKeyPem: key, clientCaPem: ca } = outlet.tls;
  server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const call = `${request.method ?? ''} ${request.url ?? ''}`;
      asked.push(`${call} ${Buffer.concat(pieces).toString('utf8')}`.trim());
      const waiting = answers.get(call) ?? [];
      const body = waiting.length > 1 ? waiting.shift() : waiting[0];
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? { code: 'unsupported', detail: 'there is nothing at this address' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await outlet.writeProfile({ api: { url: `https://localhost:${String(port)}`, tlsRootFile: 'tls-root.pem' } });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await outlet.close();
});

async function run(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { WAYMARK_PROFILE: outlet.profileFile },
  });
  return { exitCode, stdout, stderr };
}

const report = (problems: object[]) => ({
  ledger: 'Org1MSP/waymark',
  height: 9,
  blocks: 9,
  valid: problems.length === 0,
  problems,
  anchored: 9,
});
const task = (state: string, more: object = {}) => ({ id, kind: 'verify', state, startedAt: row.timestamp, ...more });

test('verify waits for the member, prints the agreed members and ends with 0 when all is well', async () => {
  answers.set('POST /v1/ledger/tasks', [task('running')]);
  answers.set(`GET /v1/ledger/tasks/${id}`, [task('running'), task('done', { result: report([]) })]);
  const { exitCode, stdout } = await run('ledger', 'verify', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ ledger: 'Org1MSP/waymark', height: 9, blocks: 9, valid: true, problems: [] });
  expect(asked[0]).toBe('POST /v1/ledger/tasks {"kind":"verify"}');
});

test('verify ends with 7 when something is wrong, and says what', async () => {
  const problem = { height: 4, code: 'anchor-mismatch', message: 'The channel holds another block.' };
  answers.set('POST /v1/ledger/tasks', [task('done', { result: report([problem]) })]);
  const { exitCode, stdout } = await run('ledger', 'verify');
  expect(exitCode).toBe(7);
  expect(stdout).toMatch(/1 problems\nblock 4 +anchor-mismatch +The channel holds another block\./);
});

test('what failed at the member ends the command with its code', async () => {
  answers.set('POST /v1/ledger/tasks', [task('failed', { problem: { code: 'unavailable', message: 'no peer' } })]);
  expect(await run('ledger', 'verify')).toMatchObject({ exitCode: 6, stderr: 'waymark: no peer (unavailable)\n' });
});

test('blocks are asked for as said, and printed as a table', async () => {
  answers.set('GET /v1/ledger/blocks?from=2&limit=1', [{ height: 9, blocks: [row] }]);
  const { exitCode, stdout } = await run('ledger', 'blocks', '--from', '2', '--limit', '1');
  expect(exitCode).toBe(0);
  expect(stdout.split('\n')[1]?.split(/ +/)).toEqual(['2', hash, '1', 'center', row.timestamp, '3', '1', '-']);
});

test('a rejected record is shown with its reason in words', async () => {
  const rejected = [{ index: 1, recordOid: 'ab'.repeat(32), reason: 'time-too-old', text: 'It is too old.' }];
  answers.set('GET /v1/ledger/blocks/2', [
    {
      ...row,
      ledger: 'Org1MSP/waymark',
      prev: '',
      root: 'aa',
      body: hash,
      kind: 'records',
      anchor: null,
      submissions: [{ department: 'depot', seq: 1, hash: 'cc', records: 4, rejected }],
      configuration: null,
      acks: [{ member: 'depot', time: row.timestamp }],
    },
  ]);
  const { exitCode, stdout } = await run('ledger', 'show', '2');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/rejected (ab){32} +time-too-old +It is too old\./);
  expect(stdout).toMatch(/submission depot 1 +4 records/);
});

test('a service without private ledger is named as that', async () => {
  const stderr = 'waymark: The service is no member of a private ledger. (unsupported)\n';
  expect(await run('ledger', 'status')).toMatchObject({ exitCode: 3, stderr });
});

test.each(
  [
    ['verify', '--folder', 'somewhere'],
    ['verify', '--without-channel'],
    ['blocks', '--limit', '0'],
    ['blocks', '--limit', '201'],
    ['blocks', '--from', 'first'],
    ['show'],
    ['hand-over'],
    ['hand-over', 'standby', '--timeout', '-1'],
    ['add-member'],
    ['restore', 'backup', '--folder', 'data'],
    ['backup'],
  ].map((args) => ({ args })),
)('ledger $args is no command line', async ({ args }) => {
  const { exitCode, stdout } = await run('ledger', ...args);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(asked).toEqual([]);
});
