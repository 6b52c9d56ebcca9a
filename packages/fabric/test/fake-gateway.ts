import { Metadata, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { common, gateway, google, peer } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { connectGateway, privateKeySigner, type GatewayOptions, type Ledger } from '../src/index.ts';
import { buildEnvelope } from './block-builder.ts';

/** A refusal as a gateway would send it. */
export class GatewayFault extends Error {
  readonly code: status;
  readonly details: readonly string[];

  constructor(code: status, message: string, details: readonly string[]) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** What a test's gateway does; a fault thrown here goes over the wire as Fabric would send it. */
export interface GatewayScript {
  readonly evaluate?: (request: gateway.EvaluateRequest) => string | Promise<string>;
  readonly endorse?: (txId: string) => void | Promise<void>;
  readonly submit?: (txId: string) => void | Promise<void>;
  /** A validation code and block, or a promise that never settles. */
  readonly commitStatus?: (txId: string) => { code: number; block: number } | Promise<{ code: number; block: number }>;
  /** Blocks from a number on; the stream stays open after them unless `end`. */
  readonly blocks?: (from: number) => { blocks: readonly common.Block[]; end?: boolean };
}

export function fault(code: status, message: string, details: readonly string[] = []): GatewayFault {
  return new GatewayFault(code, message, details);
}

export interface FakeGateway {
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** A gateway server that follows a script, and a ledger connected to it. */
export async function startFakeGateway(
  script: GatewayScript,
  options: Partial<GatewayOptions> = {},
): Promise<FakeGateway> {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const tls = await ca.issueTls({ commonName: 'peer0.org1.example.com' });
  const user = await ca.issue({ enrolmentId: 'center', role: 'client' });
  const server = new Server();
  server.addService(gateway.GatewayService, gatewayHandlers(script));
  server.addService(peer.DeliverService, deliverHandlers(script));
  const port = await new Promise<number>((resolve, reject) => {
    const keyPair = { private_key: Buffer.from(tls.privateKeyPem), cert_chain: Buffer.from(tls.certificatePem) };
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [keyPair]), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const ledger = connectGateway({
    endpoint: `127.0.0.1:${port}`,
    tlsServerName: 'localhost',
    tlsRootPem: tls.rootCertPem,
    identity: {
      mspId: 'Org1MSP',
      certificatePem: user.certificatePem,
      sign: privateKeySigner(user.privateKeyPem),
    },
    channel: 'waymark',
    chaincode: 'waymark',
    ...options,
  });
  return {
    ledger,
    close() {
      ledger.close();
      return new Promise((resolve) => {
        server.forceShutdown();
        resolve();
      });
    },
  };
}

type Unary = (
  call: { readonly request: unknown },
  callback: (error: ServiceError | null, response?: unknown) => void,
) => void;

function gatewayHandlers(script: GatewayScript): Record<string, Unary> {
  const unary =
    (answer: (request: unknown) => Promise<unknown>): Unary =>
    ({ request }, callback) => {
      answer(request).then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error as GatewayFault)),
      );
    };
  return {
    evaluate: unary(async (request) => {
      const result = (await script.evaluate?.(request as gateway.EvaluateRequest)) ?? '';
      const response = new peer.Response();
      response.setStatus(200);
      response.setPayload(Buffer.from(result));
      const message = new gateway.EvaluateResponse();
      message.setResult(response);
      return message;
    }),
    endorse: unary(async (request) => {
      const txId = (request as gateway.EndorseRequest).getTransactionId();
      await script.endorse?.(txId);
      const message = new gateway.EndorseResponse();
      message.setPreparedTransaction(common.Envelope.deserializeBinary(buildEnvelope({ txId })));
      return message;
    }),
    submit: unary(async (request) => {
      await script.submit?.((request as gateway.SubmitRequest).getTransactionId());
      return new gateway.SubmitResponse();
    }),
    commitStatus: unary(async (request) => {
      const inner = (request as gateway.SignedCommitStatusRequest).getRequest_asU8();
      const txId = gateway.CommitStatusRequest.deserializeBinary(inner).getTransactionId();
      const { code, block } = (await script.commitStatus?.(txId)) ?? { code: 0, block: 1 };
      const message = new gateway.CommitStatusResponse();
      message.setResult(code as peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap]);
      message.setBlockNumber(block);
      return message;
    }),
    chaincodeEvents: (_call, callback) => callback(serviceError(fault(status.UNIMPLEMENTED, 'not scripted'))),
  };
}

interface DeliverCall {
  on(event: 'data', listener: (request: common.Envelope) => void): void;
  write(response: peer.DeliverResponse): void;
  end(): void;
}

function deliverHandlers(script: GatewayScript): Record<string, (call: DeliverCall) => void> {
  const unscripted = (call: DeliverCall): void => call.end();
  return {
    deliver: (call) =>
      call.on('data', (request) => {
        const payload = common.Payload.deserializeBinary(request.getPayload_asU8());
        // SeekInfo: start.specified.number
        const from = Buffer.from(payload.getData_asU8()).subarray(0, 8);
        const { blocks = [], end = false } = script.blocks?.(seekNumber(from)) ?? {};
        for (const block of blocks) {
          const response = new peer.DeliverResponse();
          response.setBlock(block);
          call.write(response);
        }
        if (end) call.end();
      }),
    deliverFiltered: unscripted,
    deliverWithPrivateData: unscripted,
  };
}

/** SeekInfo { start: 1 { specified: 3 { number: 1 } } } begins 0a .. 1a .. 08 number; number 0 is left out. */
function seekNumber(bytes: Uint8Array): number {
  return bytes[4] === 0x08 ? (bytes[5] ?? 0) : 0;
}

function serviceError(error: GatewayFault): ServiceError {
  const metadata = new Metadata();
  const rpcStatus = new google.rpc.Status();
  rpcStatus.setCode(error.code);
  for (const text of error.details) {
    const detail = new gateway.ErrorDetail();
    detail.setAddress('peer0.org1.example.com:7051');
    detail.setMspId('Org1MSP');
    detail.setMessage(text);
    const any = rpcStatus.addDetails();
    any.setTypeUrl('type.googleapis.com/gateway.ErrorDetail');
    any.setValue(detail.serializeBinary());
  }
  metadata.set('grpc-status-details-bin', Buffer.from(rpcStatus.serializeBinary()));
  return Object.assign(new Error(error.message), { code: error.code, details: error.message, metadata });
}
