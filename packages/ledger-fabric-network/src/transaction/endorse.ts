import { peer as messages } from '@hyperledger/fabric-protos';
import type { EndorsedTransaction, LedgerDeadlines, Slots, SubmitCall } from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import type { Commit, Endorsement, Endorser, SendProposalRequest } from 'fabric-common';
import type { Link } from '../connection/link.ts';
import type { CommitWatch } from '../events/commit-watch.ts';
import { flatten, fromLibraryFailure, isRefusal, proposalFailure, type PeerResponse } from '../failure.ts';
import { order } from './order.ts';
import { proposalRequest } from './proposal.ts';

/** What making a transaction needs. */
export interface EndorseParts {
  readonly link: Link;
  readonly watch: CommitWatch;
  readonly chaincode: string;
  readonly deadlines: LedgerDeadlines;
  readonly slots: Slots;
}

/**
 * Has peers endorse: those that discovery chooses by the policy, or one of each organisation that the profile names.
 *
 * @throws WaymarkError the chaincode's code; `transaction-invalid` (ENDORSEMENT_MISMATCH) when they do not agree;
 *   `unavailable`
 */
export async function endorse(parts: EndorseParts, call: SubmitCall): Promise<EndorsedTransaction> {
  const { link, watch, deadlines, slots } = parts;
  const { endorsingOrganizations, signal } = call.options;
  const context = link.context();
  const txId = context.transactionId;
  const endorsement = link.channel.newEndorsement(parts.chaincode);
  let result: Uint8Array;
  let commit: Commit;
  try {
    const payload = endorsement.build(context, proposalRequest(call.contract, call.fn, call.args, call.options));
    endorsement.sign(await link.sign(payload));
    result = await slots.run(() => collect(parts, endorsement, endorsingOrganizations), signal);
    commit = endorsement.newCommit();
    commit.sign(await link.sign(commit.build(context)));
  } catch (error) {
    const failure = fromLibraryFailure(error, { txId });
    if (failure.code === 'unavailable') link.discovery?.expire();
    throw failure;
  }
  return {
    txId,
    result,
    async order() {
      // Before it is handed in, so that its block cannot pass unseen.
      await watch.expect(txId);
      await slots.run(() => order(link, commit, txId, deadlines.submitMs));
    },
    async status(waitMs) {
      const status = await watch.wait(txId, waitMs);
      // The policy may have changed since the endorsers were chosen.
      if (status?.validationCode === 'ENDORSEMENT_POLICY_FAILURE') link.discovery?.expire();
      return status;
    },
  };
}

/** Sends the proposal; gives what the function returned when all who answered agree. */
async function collect(
  { link, deadlines }: EndorseParts,
  endorsement: Endorsement,
  organisations: readonly string[] | undefined,
): Promise<Uint8Array> {
  const txId = endorsement.getTransactionId();
  const request = await addressees(link, organisations);
  const sent = await endorsement.send({ ...request, requestTimeout: deadlines.endorseMs });
  const { errors, responses } = flatten(sent);
  const [first] = sent.responses;
  // A peer that is away is left out where the profile names the peers: the policy decides whether the others are enough.
  const incomplete = sent.errors.length > 0 && (request.handler !== undefined || organisations !== undefined);
  if (responses.some(isRefusal)) throw proposalFailure(errors, responses, { txId });
  if (errors.some(({ message }) => /do not match/.test(message)) || !agree(sent.responses)) {
    throw proposalFailure([new Error('ProposalResponsePayloads do not match')], responses, { txId });
  }
  if (first === undefined || incomplete) throw proposalFailure(errors, responses, { txId });
  return resultOf(first);
}

async function addressees(link: Link, organisations: readonly string[] | undefined): Promise<SendProposalRequest> {
  if (link.discovery !== undefined) {
    return {
      handler: await link.discovery.handler(),
      ...(organisations === undefined ? {} : { requiredOrgs: [...organisations] }),
    };
  }
  const mspIds = organisations ?? [...new Set(link.endorsers().map(({ mspid }) => mspid))];
  const targets = await Promise.all(mspIds.map((mspId) => firstConnected(link, mspId)));
  const missing = mspIds.filter((_, index) => targets[index] === undefined);
  if (missing.length === mspIds.length || (organisations !== undefined && missing.length > 0)) {
    throw new WaymarkError('unavailable', 'no endorsing peer answers', { details: { organisations: missing } });
  }
  return { targets: targets.filter((target) => target !== undefined) };
}

async function firstConnected(link: Link, mspId: string): Promise<Endorser | undefined> {
  for (const candidate of link.endorsers()) {
    if (candidate.mspid === mspId && (await candidate.checkConnection())) return candidate;
  }
  return undefined;
}

/** The library compares writes only, and only with discovery; the signature covers result and event as well. */
function agree(responses: readonly PeerResponse[]): boolean {
  const [first, ...others] = responses;
  return first === undefined || others.every(({ payload }) => Buffer.compare(payload, first.payload) === 0);
}

/** The result that the endorsement signs, not the copy beside it. */
function resultOf({ payload }: PeerResponse): Uint8Array {
  const extension = messages.ProposalResponsePayload.deserializeBinary(payload).getExtension_asU8();
  return messages.ChaincodeAction.deserializeBinary(extension).getResponse()?.getPayload_asU8() ?? new Uint8Array();
}
