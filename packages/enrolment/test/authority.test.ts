import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { certificateAuthority, type CertificateAuthority } from '../src/index.ts';

/** Stands in for Fabric CA where the real one never does what is tested: a server that says anything. */
interface FakeAuthority {
  readonly url: string;
  answer: (request: IncomingMessage, body: string) => { readonly status?: number; readonly body: string } | undefined;
  readonly server: Server;
}

let fake: FakeAuthority;
let ca: OrganisationCa;

beforeAll(async () => {
  ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = fake.answer(request, Buffer.concat(chunks).toString());
      if (answer === undefined) return;
      response.statusCode = answer.status ?? 200;
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  fake = { url: `http://127.0.0.1:${String(port)}`, answer: () => undefined, server };
});

afterAll(() => {
  fake.server.closeAllConnections();
  fake.server.close();
});

const authority = (timeoutMs = 5_000): CertificateAuthority =>
  certificateAuthority({ url: fake.url, plainHttp: true, timeoutMs });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const good = (result: unknown) => ({ body: JSON.stringify({ success: true, result, errors: [], messages: [] }) });
const credentials = { enrolmentId: 'depot', secret: 'the secret' };

function issued(certificatePem: string, chainPem = ca.rootCertPem) {
  return good({ Cert: base64(certificatePem), ServerInfo: { CAName: 'ca', CAChain: base64(chainPem), Version: '1' } });
}

describe('an address of a certificate authority', () => {
  const tlsRootPem = '-----BEGIN CERTIFICATE-----\n';
  test.each([
    ['no TLS', { url: 'http://127.0.0.1:7054' }],
    ['no TLS across a network', { url: 'http://ca.example:7054', plainHttp: true }],
    ['TLS without the CA behind it', { url: 'https://ca.example:7054' }],
    ['a secret in it', { url: 'https://admin:secret@ca.example:7054', tlsRootPem }],
    ['a path', { url: 'https://ca.example:7054/api', tlsRootPem }],
    ['another protocol', { url: 'ftp://ca.example', tlsRootPem }],
    ['nothing of use', { url: 'ca.example', tlsRootPem }],
  ])('with %s is configuration-invalid', (_name, endpoint) => {
    expect(() => certificateAuthority(endpoint)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }) as Error,
    );
  });
});

describe('what the authority sends is not believed', () => {
  test('a certificate for another key, another name or of another CA is certificate-untrusted', async () => {
    const untrusted = { code: 'certificate-untrusted' };
    const { certificatePem } = await ca.issue({ enrolmentId: 'depot', role: 'client' });
    fake.answer = () => issued(certificatePem);
    await expect(authority().enrol(credentials)).rejects.toMatchObject(untrusted);
    const named = await ca.issue({ enrolmentId: 'yard', role: 'client' });
    fake.answer = () => issued(named.certificatePem);
    await expect(authority().enrol(credentials)).rejects.toMatchObject(untrusted);
    const other = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
    fake.answer = () => issued(certificatePem, other.rootCertPem);
    await expect(authority().enrol(credentials)).rejects.toMatchObject(untrusted);
    fake.answer = () => issued('', '');
    await expect(authority().enrol(credentials)).rejects.toMatchObject(untrusted);
  });

  test('a list that the authority did not sign is certificate-untrusted', async () => {
    const other = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
    const identity = await other.issue({ enrolmentId: 'depot', role: 'client' });
    other.revoke(identity.certificatePem);
    const list = (await other.crlPem()) ?? '';
    fake.answer = ({ url }) =>
      url?.endsWith('gencrl') === true
        ? good({ CRL: base64(list) })
        : good({ CAName: 'ca', CAChain: base64(ca.rootCertPem), Version: '1' });
    await expect(authority().revocationList(identity)).rejects.toMatchObject({ code: 'certificate-untrusted' });
  });

  test.each([
    ['nothing', ''],
    ['something else', '<html>'],
    ['another form', '{"success":true,"result":{}}'],
    ['no result', '{"success":true}'],
    ['a refusal without a reason', '{"success":false}'],
  ])('%s in answer to a call is an error with a code', async (_name, body) => {
    fake.answer = () => ({ body });
    await expect(authority().info()).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:unavailable|data-abnormal|certificate-untrusted)$/) as unknown,
    });
  });

  test('an answer without end is cut off, and one that never comes is unavailable', async () => {
    fake.answer = () => ({ body: 'x'.repeat(17 * 1024 * 1024) });
    await expect(authority().info()).rejects.toMatchObject({ code: 'limit-exceeded' });
    fake.answer = () => undefined;
    await expect(authority(100).info()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test.each([
  [20, 'refused'],
  [71, 'role-not-permitted'],
  [27, 'certificate-expired'],
  [28, 'certificate-revoked'],
  [74, 'conflict'],
  [73, 'limit-exceeded'],
  [80, 'input-invalid'],
  [46, 'unsupported'],
  [9_999, 'unavailable'],
])('code %i of Fabric CA is %s; its text, which may quote what was sent, is not passed on', async (caCode, code) => {
  const quoted = 'a text that quotes the secret';
  const body = JSON.stringify({
    success: false,
    result: '',
    errors: [{ code: caCode, message: quoted }],
    messages: [],
  });
  fake.answer = () => ({ status: 400, body });
  const failure: unknown = await authority()
    .enrol(credentials)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, details: { operation: 'enroll', caCode } });
  expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(quoted);
});

test('an authority that is not there is unavailable', async () => {
  const away = certificateAuthority({ url: 'http://127.0.0.1:1', plainHttp: true });
  await expect(away.info()).rejects.toMatchObject({ code: 'unavailable' });
});

test('a request is signed by the registrar, low-S, over method, path, body and certificate; no key is in it', async () => {
  const registrar = await ca.issue({ enrolmentId: 'registrar', role: 'client' });
  const seen: { token: string; body: string; url: string }[] = [];
  fake.answer = ({ headers, url }, body) => {
    seen.push({ token: headers.authorization ?? '', body, url: url ?? '' });
    return good({ secret: 'one time' });
  };
  // High and low s come by chance: sixteen requests have both.
  for (let index = 0; index < 16; index += 1) {
    expect(await authority().register(registrar, { enrolmentId: 'depot', role: 'client' })).toBe('one time');
  }
  for (const { token, body, url } of seen) {
    const [certificate = '', signature = ''] = token.split('.');
    const signed = `POST.${base64(url)}.${base64(body)}.${certificate}`;
    const pem = Buffer.from(certificate, 'base64').toString();
    const der = Buffer.from(signature, 'base64');
    expect(verify('sha256', Buffer.from(signed), createPublicKey(pem), der)).toBe(true);
    expect(isLowS(der)).toBe(true);
    expect(new X509Certificate(pem).fingerprint256).toBe(new X509Certificate(registrar.certificatePem).fingerprint256);
    expect(`${token}${body}`).not.toContain('PRIVATE');
  }
  expect(new Set(seen.map(({ token }) => createHash('sha256').update(token).digest('hex'))).size).toBe(16);
});

/** SEQUENCE { INTEGER r, INTEGER s }; the order of P-256 halves at 0x7fffffff80000000…. */
function isLowS(der: Buffer): boolean {
  const s = der.subarray(4 + (der[3] ?? 0) + 2);
  return BigInt(`0x${s.toString('hex')}`) <= 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;
}
