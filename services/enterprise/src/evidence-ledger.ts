import { parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { chaincodeVerdict, type Ledger } from '@waymark/fabric';
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
      const { txId, blockNumber, result } = await submit([JSON.stringify(input)]).catch(rethrowVerdict);
      const answer = parseJsonStrict(result);
      if (typeof answer !== 'object' || answer === null || !('results' in answer)) {
        throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.');
      }
      return { txId, blockNumber };
    },
  };
}

function rethrowVerdict(error: unknown): never {
  throw chaincodeVerdict(error);
}
