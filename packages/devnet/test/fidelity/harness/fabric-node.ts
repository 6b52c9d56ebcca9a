import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { common, google, orderer, peer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '../../../src/msp/index.ts';
import { buildSeek, buildSignedProposal } from '../../harness/proposals.ts';

const DEADLINE_MS = 15_000;
const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

/** What a call ended with: code 0 when it went well. */
export interface Answer {
  readonly code: number;
  readonly text: string;
  readonly responses: readonly Uint8Array[];
  /** Values of the messages in the error's details. */
  readonly details: readonly Uint8Array[];
}

export interface StreamOptions {
  readonly waitMs?: number;
  /** Says that there are no more requests. */
  readonly noMore?: boolean;
}

/** One endpoint, spoken to in bytes, so that requests may be as wrong as they like. */
export class FabricNode {
  readonly address: string;
  readonly #client: Client;

  /** `clientTls`: with a certificate of the client's own, PEM. */
  constructor(
    address: string,
    tls: { readonly tlsRootCertPem: string; readonly hostName: string },
    clientTls?: { readonly certificatePem: string; readonly privateKeyPem: string },
  ) {
    const { tlsRootCertPem, hostName } = tls;
    const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
    const ssl = credentials.createSsl(
      Buffer.from(tlsRootCertPem),
      bytes(clientTls?.privateKeyPem),
      bytes(clientTls?.certificatePem),
    );
    this.address = address;
    this.#client = new Client(address, ssl, {
      'grpc.ssl_target_name_override': hostName,
      'grpc.max_receive_message_length': -1,
    });
  }

  unary(path: string, request: Uint8Array, options: StreamOptions = {}): Promise<Answer> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        asIs,
        (bytes: Buffer) => bytes,
        request,
        { deadline: Date.now() + (options.waitMs ?? DEADLINE_MS) },
        (error, response) => resolve(answerOf(error, response === undefined ? [] : [response])),
      );
    });
  }

  /** One request, any number of answers. */
  serverStream(path: string, request: Uint8Array, options: StreamOptions = {}): Promise<Answer> {
    return new Promise((resolve) => {
      const call = this.#client.makeServerStreamRequest<Uint8Array, Buffer>(
        path,
        asIs,
        (bytes: Buffer) => bytes,
        request,
        { deadline: Date.now() + (options.waitMs ?? DEADLINE_MS) },
      );
      const responses: Buffer[] = [];
      call.on('data', (response: Buffer) => responses.push(response));
      call.on('error', (error: ServiceError) => resolve(answerOf(error, responses)));
      call.on('end', () => resolve(answerOf(null, responses)));
    });
  }

  /** Sends all requests and gathers answers to the end, or to `waitMs`: then the code is that of an expired deadline. */
  stream(path: string, requests: readonly Uint8Array[], options: StreamOptions = {}): Promise<Answer> {
    return new Promise((resolve) => {
      const call = this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(path, asIs, (bytes: Buffer) => bytes, {
        deadline: Date.now() + (options.waitMs ?? DEADLINE_MS),
      });
      const responses: Buffer[] = [];
      call.on('data', (response: Buffer) => responses.push(response));
      call.on('error', (error: ServiceError) => resolve(answerOf(error, responses)));
      call.on('end', () => resolve(answerOf(null, responses)));
      for (const request of requests) call.write(request);
      if (options.noMore === true) call.end();
    });
  }

  async propose(
    proposal: peer.SignedProposal | Uint8Array,
  ): Promise<{ answer: Answer; response?: peer.ProposalResponse }> {
    const bytes = proposal instanceof Uint8Array ? proposal : proposal.serializeBinary();
    const answer = await this.unary('/protos.Endorser/ProcessProposal', bytes);
    const [first] = answer.responses;
    return first === undefined ? { answer } : { answer, response: peer.ProposalResponse.deserializeBinary(first) };
  }

  async height(signer: SigningIdentity, channel: string): Promise<number> {
    const { response } = await this.propose(
      buildSignedProposal(signer, { channelId: '', chaincode: 'qscc', args: ['GetChainInfo', channel] }),
    );
    const payload = response?.getResponse()?.getPayload_asU8() ?? new Uint8Array();
    return common.BlockchainInfo.deserializeBinary(payload).getHeight();
  }

  /** All blocks of an orderer. */
  async blocks(signer: SigningIdentity, channel: string): Promise<common.Block[]> {
    const seek = buildSeek(signer, { channelId: channel, start: 'oldest', stop: 'newest' });
    const { responses } = await this.stream('/orderer.AtomicBroadcast/Deliver', [seek.serializeBinary()], {
      noMore: true,
    });
    return responses.flatMap((bytes) => orderer.DeliverResponse.deserializeBinary(bytes).getBlock() ?? []);
  }

  /** Hands envelopes to an orderer. */
  async broadcast(envelopes: readonly Uint8Array[]): Promise<orderer.BroadcastResponse[]> {
    const { responses } = await this.stream('/orderer.AtomicBroadcast/Broadcast', envelopes, { noMore: true });
    return responses.map((bytes) => orderer.BroadcastResponse.deserializeBinary(bytes));
  }

  close(): void {
    this.#client.close();
  }
}

function answerOf(error: ServiceError | null, responses: readonly Uint8Array[]): Answer {
  // Which side notices that time is up, and in what words, is a matter of chance.
  const isLate = error?.code === status.DEADLINE_EXCEEDED || error?.code === status.CANCELLED;
  if (isLate) return { code: status.DEADLINE_EXCEEDED, text: '', responses, details: [] };
  const details = (error?.metadata.get('grpc-status-details-bin') ?? []).flatMap((bytes) =>
    google.rpc.Status.deserializeBinary(Buffer.from(bytes))
      .getDetailsList()
      .map((any) => any.getValue_asU8()),
  );
  return { code: error?.code ?? status.OK, text: error?.details ?? '', responses, details };
}
