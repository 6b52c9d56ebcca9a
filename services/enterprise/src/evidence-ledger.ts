import { parseJsonStrict, WaymarkError } from '@waymark/protocol';
import type { Ledger } from '@waymark/fabric';
import type { EvidenceLedger } from './relay/relay.ts';

/** The relay's view on the channel: `evidence:record`, safe to repeat because evidence is write-once. */
export function createEvidenceLedger(ledger: Pick<Ledger, 'submit'>): EvidenceLedger {
  return {
    async record(batches) {
      // What the chaincode takes from the caller's certificate is not sent.
      const input = batches.map(({ v: _v, msp: _msp, node: _node, ...batch }) => batch);
      const submitted = await ledger.submit('evidence', 'record', [JSON.stringify(input)], { retryable: true });
      const { txId, blockNumber, result } = await submitted.commit();
      const answer = parseJsonStrict(result);
      if (typeof answer !== 'object' || answer === null || !('results' in answer)) {
        throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.');
      }
      return { txId, blockNumber };
    },
  };
}
