import { ledgerCompliance } from '@waymark/testing/ledger-compliance';
import { startDevnetNetwork } from './devnet-network.ts';
import { ledgersOf, type TestNetwork } from './network.ts';

describe('on devnet', () => {
  let network: TestNetwork;

  beforeAll(async () => {
    network = await startDevnetNetwork();
  }, 60_000);
  afterAll(() => network.stop());

  ledgerCompliance('fabric-network, with discovery', () => Promise.resolve(ledgersOf(network, { asLocalhost: false })));
  ledgerCompliance('fabric-network, with a static profile', () => Promise.resolve(ledgersOf(network, undefined)));
});
