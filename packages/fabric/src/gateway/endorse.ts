import type { Contract, SubmittedTransaction as Ordered, Transaction } from '@hyperledger/fabric-gateway';
import { fromGatewayFailure } from '../errors/gateway-failure.ts';
import type { Slots } from '../flow/slots.ts';
import type { EndorsedTransaction, SubmitCall } from '../transaction/endorsed-transaction.ts';
import { askStatus } from './status.ts';

/** Has the gateway collect endorsements; the gateway orders it, and says later how it ended. */
export async function endorse(slots: Slots, contract: Contract, call: SubmitCall): Promise<EndorsedTransaction> {
  const { transient, endorsingOrganizations, signal } = call.options;
  const proposal = contract.newProposal(call.fn, {
    arguments: [...call.args],
    ...(transient === undefined ? {} : { transientData: { ...transient } }),
    ...(endorsingOrganizations === undefined ? {} : { endorsingOrganizations: [...endorsingOrganizations] }),
  });
  const txId = proposal.getTransactionId();
  let transaction: Transaction;
  try {
    transaction = await slots.run(() => proposal.endorse(), signal);
  } catch (error) {
    throw fromGatewayFailure(error, { txId });
  }
  let ordered: Ordered | undefined;
  return {
    txId,
    result: transaction.getResult(),
    async order() {
      try {
        ordered = await slots.run(() => transaction.submit());
      } catch (error) {
        throw fromGatewayFailure(error, { txId });
      }
    },
    status(waitMs) {
      return ordered === undefined ? Promise.resolve(undefined) : askStatus(ordered, slots, waitMs);
    },
  };
}
