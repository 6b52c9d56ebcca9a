import type { CallOptions, ContractArgument } from '@waymark/fabric';
import type { Endorser } from 'fabric-common';
import type { Link } from '../connection/link.ts';
import { flatten, fromLibraryFailure, isRefusal, proposalFailure } from '../failure.ts';
import { proposalRequest } from './proposal.ts';

/** Asks one peer. @throws WaymarkError as `Ledger.evaluate` */
export async function evaluateOn(
  link: Link,
  peer: Endorser,
  call: {
    readonly chaincode: string;
    readonly contract: string;
    readonly fn: string;
    readonly args: readonly ContractArgument[];
    readonly options: CallOptions;
    readonly timeoutMs: number;
  },
): Promise<Uint8Array> {
  const query = link.channel.newQuery(call.chaincode);
  try {
    await peer.checkConnection();
    const payload = query.build(link.context(), proposalRequest(call.contract, call.fn, call.args, call.options));
    query.sign(await link.sign(payload));
    const sent = await query.send({ targets: [peer], requestTimeout: call.timeoutMs });
    const { errors, responses } = flatten(sent);
    const [response] = responses;
    if (response === undefined || isRefusal(response)) throw proposalFailure(errors, responses);
    return response.response.payload;
  } catch (error) {
    throw fromLibraryFailure(error);
  }
}
