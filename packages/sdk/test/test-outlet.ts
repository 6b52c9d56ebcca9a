import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa } from '@waymark/devnet/ca';
import {
  type BidiHandler,
  type GrpcServer,
  OutletService,
  type RecordMessage,
  type RecordReceipt,
  serveBidi,
  serverCredentials,
  startGrpcServer,
  type SubmitRequest,
  type SubmitResponse,
} from '@waymark/transport';
import { stringify } from 'yaml';
import type { ProfileDocument, RecordInput } from '../src/index.ts';

/** A folder with a certificate, a key, the roots and a profile; and an outlet that does as the test says. */
export interface TestOutlet {
  readonly folder: string;
  readonly profileFile: string;
  /** Called for each stream; replace it at will. */
  handler: BidiHandler<SubmitRequest, SubmitResponse>;
  writeProfile(changes?: object): Promise<void>;
  /** PEMs for a server of the same organisation. */
  readonly tls: { readonly certificatePem: string; readonly privateKeyPem: string; readonly clientCaPem: string };
  close(): Promise<void>;
}

export async function startTestOutlet(): Promise<TestOutlet> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-sdk-'));
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const identity = await ca.issue({ enrolmentId: 'reader', role: 'client' });
  const tls = await ca.issueTls({ commonName: 'localhost' });
  await writeFile(join(folder, 'certificate.pem'), identity.certificatePem);
  await writeFile(join(folder, 'key.pem'), identity.privateKeyPem);
  await chmod(join(folder, 'key.pem'), 0o600);
  await writeFile(join(folder, 'root.pem'), ca.rootCertPem);
  await writeFile(join(folder, 'tls-root.pem'), ca.tlsRootCertPem);
  const profileFile = join(folder, 'profile.yaml');
  const outlet = {
    folder,
    profileFile,
    handler: answering(() => 'anchored'),
    tls: { certificatePem: tls.certificatePem, privateKeyPem: tls.privateKeyPem, clientCaPem: ca.rootCertPem },
    async writeProfile(changes: object = {}) {
      const profile: ProfileDocument = {
        mspId: 'Org1MSP',
        channel: 'waymark',
        identity: { certificateFile: 'certificate.pem', privateKeyFile: 'key.pem' },
        organisations: { Org1MSP: { rootFiles: ['root.pem'] } },
        outlet: { endpoint: `localhost:${server.port}`, tlsRootFile: 'tls-root.pem' },
        encryptionKeyFile: 'reader-key.json',
      };
      await writeFile(profileFile, stringify({ ...profile, ...changes }));
    },
    async close() {
      await server.stop(500);
      await rm(folder, { recursive: true, force: true });
    },
  };
  const server: GrpcServer = await startGrpcServer({
    host: '127.0.0.1',
    port: 0,
    credentials: serverCredentials({ certificateChainPem: tls.certificatePem, privateKeyPem: tls.privateKeyPem }, [
      ca.rootCertPem,
    ]),
    addServices: (grpc) =>
      grpc.addService(OutletService, {
        submit: serveBidi<SubmitRequest, SubmitResponse>((...call) => outlet.handler(...call)),
      }),
  });
  await outlet.writeProfile();
  return outlet;
}

export function receiptFor({ ref }: Pick<RecordMessage, 'ref'>, state: string, repeated = false): RecordReceipt {
  const recordOid = ref.toString(16).padStart(64, '0');
  const batchHash = '0'.repeat(64);
  return { ref, recordOid, evidenceId: 'Org1MSP/outlet/1', leafIndex: ref, state, batchHash, txId: '', repeated };
}

/** Answers every record with the state that `stateOf` gives, or a failure code. */
export function answering(
  stateOf: (record: RecordMessage) => string,
  onRecord: (record: RecordMessage) => void = () => undefined,
): BidiHandler<SubmitRequest, SubmitResponse> {
  return async (requests, responses) => {
    for await (const { records } of requests) {
      const response: SubmitResponse = { receipts: [], failures: [] };
      for (const record of records) {
        onRecord(record);
        const state = stateOf(record);
        if (['accepted', 'confirmed', 'anchored'].includes(state)) response.receipts.push(receiptFor(record, state));
        else if (state !== '') {
          response.failures.push({ ref: record.ref, failure: { code: state, message: `failed: ${state}` } });
        }
      }
      await responses.write(response);
    }
  };
}

export function testRecord(index: number, payload: RecordInput['payload'] = { index }): RecordInput {
  return {
    eventId: `event-${index}`,
    consignment: 'consignment-1',
    schema: 'test/v1',
    collectionTime: '2026-01-02T03:04:05.000Z',
    payload,
  };
}

export function* testRecords(count: number): Generator<RecordInput> {
  for (let index = 0; index < count; index += 1) yield testRecord(index);
}
