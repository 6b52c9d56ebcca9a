import { ledgerCompliance } from '@waymark/testing/ledger-compliance';
import { startDevnetNetwork } from './devnet-network.ts';
import { ledgersOf } from './network.ts';

ledgerCompliance('fabric-network on devnet, with a static profile', async () =>
  ledgersOf(await startDevnetNetwork(), undefined),
);
