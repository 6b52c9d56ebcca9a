import { isWaymarkError, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import type { Ledger } from '@waymark/fabric';
import type { EvidenceLedger } from './relay/relay.ts';

/**
 * The relay's view on the channel: `evidence:record`, safe to repeat because evidence is write-once. Only what the chaincode itself
 * says about a batch is passed on as it is; a gateway, peer or queue that does not take the call is `unavailable`.
 */
export function createEvidenceLedger(ledger: Pick<Ledger, 'submit'>): EvidenceLedger {
  const submit = async (args: string[]) =>
    (await ledger.submit('evidence', 'record', args, { retryable: true })).commit();
  return {
    async record(batches) {
      // What the chaincode takes from the caller's certificate is not sent.
      const input = batches.map(({ v: _v, msp: _msp, node: _node, ...batch }) => batch);
      const { txId, blockNumber, result } = await submit([JSON.stringify(input)]).catch(asSaidByWhom);
      const answer = parseJsonStrict(result);
      if (typeof answer !== 'object' || answer === null || !('results' in answer)) {
        throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.');
      }
      return { txId, blockNumber };
    },
  };
}

/** Gateways give the status they answered with; our own queue has nobody behind it. Neither has judged the batches. */
function asSaidByWhom(error: unknown): never {
  const byChaincode = isWaymarkError(error) && error.cause !== undefined && !('grpcStatus' in error.details);
  if (byChaincode || isWaymarkError(error, 'transaction-invalid')) throw error;
  throw new WaymarkError('unavailable', 'The ledger did not take the transaction.', { cause: error });
}
