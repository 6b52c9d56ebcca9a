import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { signTransportKey, WaymarkError } from '@waymark/protocol';
import {
  CenterService,
  type GrpcServer,
  serveBidi,
  serverCredentials,
  serveUnary,
  startGrpcServer,
  type TlsIdentity,
} from '@waymark/transport';
import { certificateVerifier, generateEncryptionKeyPair, signingIdentityFromPem } from '@waymark/vault';
import { type CenterLinks, type CenterPlace, connectCenters } from '../src/upload/centers.ts';

let ca: OrganisationCa;
let folder: string;
let tlsRootFile: string;
let outlet: TlsIdentity;
let servers: TestCenter[];
let links: CenterLinks | undefined;

/** A center that says of itself only whether it is in office. */
interface TestCenter {
  readonly name: string;
  readonly server: GrpcServer;
  /** What it answers: nothing while it is in office. */
  refusal: WaymarkError | undefined;
  asked: number;
}

beforeAll(async () => {
  ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  folder = mkdtempSync(join(tmpdir(), 'centers-'));
  tlsRootFile = join(folder, 'tls-root.pem');
  writeFileSync(tlsRootFile, ca.tlsRootCertPem);
  const issued = await ca.issue({ enrolmentId: 'depot', role: 'client' });
  outlet = { certificateChainPem: issued.certificatePem, privateKeyPem: issued.privateKeyPem };
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  servers = await Promise.all(['center', 'center-2', 'center-3'].map(startCenter));
});
afterEach(async () => {
  links?.close();
  await Promise.all(servers.map(({ server }) => server.stop(200)));
});

async function startCenter(name: string): Promise<TestCenter> {
  const tls = await ca.issueTls({ commonName: `${name}.north.example` });
  const identity = signingIdentityFromPem(await ca.issue({ enrolmentId: name, role: 'client' }));
  const pair = generateEncryptionKeyPair('P-256');
  const announcement = signTransportKey(identity, {
    channel: 'waymark',
    msp: 'NorthMSP',
    kid: pair.kid,
    publicKey: pair.publicKey.keyObject,
    notBeforeMs: Date.now() - 1_000,
    notAfterMs: Date.now() + 3_600_000,
  });
  const answer = <Answer>(value: Answer): Promise<Answer> => {
    center.asked += 1;
    return center.refusal === undefined ? Promise.resolve(value) : Promise.reject(center.refusal);
  };
  const server = await startGrpcServer({
    host: '127.0.0.1',
    port: 0,
    credentials: serverCredentials({ certificateChainPem: tls.certificatePem, privateKeyPem: tls.privateKeyPem }, [
      ca.rootCertPem,
    ]),
    addServices: (grpc) =>
      grpc.addService(CenterService, {
        getTransportKey: serveUnary(() => answer({ statement: Buffer.from(announcement) })),
        getPosition: serveUnary(() => answer({ seq: 0, batchHash: new Uint8Array(32) })),
        upload: serveBidi(() => Promise.resolve()),
        answerQueries: serveBidi(() => Promise.resolve()),
      }),
  });
  const center: TestCenter = { name, server, refusal: undefined, asked: 0 };
  return center;
}

function connect(named: boolean): CenterLinks {
  links = connectCenters({
    endpoints: servers.map(({ server, name }): CenterPlace => {
      const endpoint = `localhost:${String(server.port)}`;
      return { endpoint, tlsRootFile, ...(named ? { enrolmentId: name } : {}) };
    }),
    identity: outlet,
    channel: 'waymark',
    msp: 'NorthMSP',
    verifier: certificateVerifier({ rootsPem: [ca.rootCertPem] }),
    checkCenter: (enrolmentId) => {
      if (!enrolmentId.startsWith('center')) throw new WaymarkError('role-not-permitted', 'not a center');
    },
    nowMs: () => Date.now(),
  });
  return links;
}

function away(center?: string): WaymarkError {
  return new WaymarkError('unavailable', 'not in office', { details: center === undefined ? {} : { center } });
}

/** Which centers are in office from now on, and whom the others name. */
function inOffice(office: string | undefined, name = office): void {
  for (const center of servers) {
    center.asked = 0;
    center.refusal = center.name === office ? undefined : away(name);
  }
}

const asked = (): readonly number[] => servers.map((center) => center.asked);

test('whom a center names is asked next, and the one found is asked first from then on', async () => {
  const centers = connect(true);
  inOffice('center-3');
  expect((await centers.inOffice()).enrolmentId).toBe('center-3');
  expect(asked()).toEqual([1, 0, 1]);
  expect((await centers.inOffice()).enrolmentId).toBe('center-3');
  expect(asked()).toEqual([1, 0, 2]);
});

test('without names they are asked in turn; who was in office once is known by name', async () => {
  const centers = connect(false);
  inOffice('center-3');
  expect((await centers.inOffice()).enrolmentId).toBe('center-3');
  expect(asked()).toEqual([1, 1, 1]);
  inOffice('center-2');
  expect((await centers.inOffice()).enrolmentId).toBe('center-2');
  inOffice('center-3');
  expect((await centers.inOffice()).enrolmentId).toBe('center-3');
  expect(asked()).toEqual([0, 1, 1]);
});

test('one that is gone is passed over, and what it left behind is told that it is left', async () => {
  const centers = connect(true);
  inOffice('center');
  const first = await centers.inOffice();
  expect(await first.position()).toEqual({ seq: 0, batchHash: Buffer.alloc(32) });
  await servers[0]?.server.stop(0);
  inOffice('center-2');
  expect(first.left.aborted).toBe(false);
  const second = await centers.inOffice();
  expect(second.enrolmentId).toBe('center-2');
  expect(first.left.aborted).toBe(true);
  expect(second.left.aborted).toBe(false);
  expect((await centers.inOffice()).left).toBe(second.left);
});

test('what a broken stream said of the office is taken over', async () => {
  const centers = connect(true);
  inOffice('center-2');
  centers.heard(away('center-2'));
  centers.heard(away('nobody that is known'));
  centers.heard(new Error('something else'));
  expect((await centers.inOffice()).enrolmentId).toBe('center-2');
  expect(asked()).toEqual([0, 1, 0]);
});

test('when none is in office each is asked once, and a fault of the outlet itself is what is told', async () => {
  const centers = connect(true);
  inOffice(undefined, 'center-2');
  await expect(centers.inOffice()).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked()).toEqual([1, 1, 1]);
  const [, , last] = servers;
  if (last !== undefined) last.refusal = new WaymarkError('certificate-revoked', 'you are revoked');
  await expect(centers.inOffice()).rejects.toMatchObject({ code: 'certificate-revoked' });
  await expect(centers.inOffice(AbortSignal.abort())).rejects.toMatchObject({ code: 'unavailable' });
});
