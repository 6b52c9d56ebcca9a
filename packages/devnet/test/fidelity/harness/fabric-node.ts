import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '../../../src/msp/index.ts';
import { buildSignedProposal } from '../../harness/proposals.ts';

const DEADLINE_MS = 15_000;
const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

/** What a call ended with: code 0 when it went well. */
export interface Answer {
  readonly code: number;
  readonly text: string;
  readonly responses: readonly Uint8Array[];
}

/** One endpoint, spoken to in bytes, so that requests may be as wrong as they like. */
export class FabricNode {
  readonly address: string;
  readonly #client: Client;

  constructor(address: string, tlsRootCertPem: string, hostName: string) {
    this.address = address;
    this.#client = new Client(address, credentials.createSsl(Buffer.from(tlsRootCertPem)), {
      'grpc.ssl_target_name_override': hostName,
      'grpc.max_receive_message_length': -1,
    });
  }

  unary(path: string, request: Uint8Array): Promise<Answer> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        asIs,
        (bytes: Buffer) => bytes,
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error, response) => resolve(answerOf(error, response === undefined ? [] : [response])),
      );
    });
  }

  /** Sends all requests, then waits for `count` answers or the end; `half`: says that there are no more requests. */
  stream(path: string, requests: readonly Uint8Array[], count = Infinity, half = false): Promise<Answer> {
    return new Promise((resolve) => {
      const call = this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(path, asIs, (bytes: Buffer) => bytes, {
        deadline: Date.now() + DEADLINE_MS,
      });
      const responses: Buffer[] = [];
      call.on('data', (response: Buffer) => {
        responses.push(response);
        if (responses.length < count) return;
        resolve(answerOf(null, responses));
        call.cancel();
      });
      call.on('error', (error: ServiceError) => resolve(answerOf(error, responses)));
      call.on('end', () => resolve(answerOf(null, responses)));
      for (const request of requests) call.write(request);
      if (half) call.end();
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

  close(): void {
    this.#client.close();
  }
}

function answerOf(error: ServiceError | null, responses: readonly Uint8Array[]): Answer {
  return { code: error?.code ?? 0, text: error?.details ?? '', responses };
}
