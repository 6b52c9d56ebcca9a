import type { ChannelOptions } from '@grpc/grpc-js';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import {
  CenterClient,
  CenterService,
  clientCredentials,
  clientOptions,
  serveBidi,
  serverCredentials,
  serveUnary,
  startGrpcServer,
  type BatchReceipt,
  type BidiHandler,
  type CallContext,
  type CenterServer,
  type ExternalAnswer,
  type ExternalQuery,
  type GrpcServer,
  type Position,
  type SealedBatch,
  type StreamLimits,
  type TlsIdentity,
} from '../src/index.ts';

/** What a test's center does; what is left out answers nothing. */
export interface CenterBehaviour {
  readonly upload?: BidiHandler<SealedBatch, BatchReceipt>;
  readonly answerQueries?: BidiHandler<ExternalAnswer, ExternalQuery>;
  readonly getPosition?: (context: CallContext) => Promise<Position>;
  readonly limits?: StreamLimits;
}

export interface TestCenter {
  readonly server: GrpcServer;
  readonly ca: OrganisationCa;
  /** A client that shows `identity`, or no certificate. */
  client(identity?: TlsIdentity, options?: ChannelOptions): CenterClient;
  close(): Promise<void>;
}

/** A center on a free port; clients are let in with enrolment certificates of `ca`. */
export async function startCenter(behaviour: CenterBehaviour): Promise<TestCenter> {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const tls = await ca.issueTls({ commonName: 'center.org1.example.com' });
  const empty = (): Promise<void> => Promise.resolve();
  const implementation: CenterServer = {
    getTransportKey: serveUnary(() => Promise.resolve({ statement: new Uint8Array() })),
    getPosition: serveUnary((_request, context) =>
      behaviour.getPosition === undefined
        ? Promise.resolve({ seq: 0, batchHash: new Uint8Array(32) })
        : behaviour.getPosition(context),
    ),
    upload: serveBidi(behaviour.upload ?? empty, behaviour.limits),
    answerQueries: serveBidi(behaviour.answerQueries ?? empty, behaviour.limits),
  };
  const server = await startGrpcServer({
    host: '127.0.0.1',
    port: 0,
    credentials: serverCredentials({ certificateChainPem: tls.certificatePem, privateKeyPem: tls.privateKeyPem }, [
      ca.rootCertPem,
    ]),
    addServices: (grpc) => grpc.addService(CenterService, implementation),
  });
  const clients: CenterClient[] = [];
  return {
    server,
    ca,
    client(identity, options = {}) {
      const client = new CenterClient(
        `127.0.0.1:${server.port}`,
        clientCredentials([ca.tlsRootCertPem], identity),
        // A subchannel of its own, so that one test's broken connection is not another's.
        {
          ...clientOptions(),
          'grpc.use_local_subchannel_pool': 1,
          'grpc.ssl_target_name_override': 'localhost',
          ...options,
        },
      );
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await server.stop(1_000);
    },
  };
}

/** An outlet's enrolment certificate and key. */
export async function outletIdentity(ca: OrganisationCa, enrolmentId = 'outlet-1'): Promise<TlsIdentity> {
  const issued = await ca.issue({ enrolmentId, role: 'client' });
  return { certificateChainPem: issued.certificatePem, privateKeyPem: issued.privateKeyPem };
}
