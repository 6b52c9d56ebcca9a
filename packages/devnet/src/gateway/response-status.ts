import { status } from '@grpc/grpc-js';
import type { peer } from '@hyperledger/fabric-protos';
import type { EndorserAnswer } from './gateway-context.ts';

export type ResponseStatus =
  | { readonly ok: true; readonly response: peer.ProposalResponse }
  | {
      readonly ok: false;
      readonly code: status;
      readonly message: string;
      /** Whether another peer might do better. */
      readonly retry: boolean;
    };

/** How the gateway takes an endorser's answer (Fabric: internal/pkg/gateway/apiutils.go, responseStatus). */
export function responseStatus(answer: EndorserAnswer): ResponseStatus {
  if ('error' in answer) {
    return answer.reachedEndorser
      ? { ok: false, code: status.FAILED_PRECONDITION, message: answer.error, retry: false }
      : { ok: false, code: status.UNAVAILABLE, message: answer.error, retry: true };
  }
  const { response } = answer;
  const code = response.getResponse()?.getStatus() ?? 0;
  const message = response.getResponse()?.getMessage() ?? '';
  if (code >= 200 && code < 400) return { ok: true, response };
  if (response.getPayload_asU8().length === 0 && code === 500) {
    return { ok: false, code: status.ABORTED, message, retry: true };
  }
  return { ok: false, code: status.UNKNOWN, message: `chaincode response ${code}, ${message}`, retry: false };
}
