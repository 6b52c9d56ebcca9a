import { connectGateway, privateKeySigner, type Ledger } from '@waymark/fabric';
import { findProgram } from '@waymark/fabric-nodes';
import { ledgerCompliance, type LedgersUnderTest } from '@waymark/testing/ledger-compliance';
import { startNativeNetwork } from './native-network.ts';
import { ledgersOf, type TestNetwork, type TestOrganisation } from './network.ts';

const missing = ['peer', 'orderer'].filter((name) => findProgram(name) === undefined);
const describeNative =
  missing.length === 0
    ? describe
    : (name: string, body: () => void) => {
        describe.skip(`${name} (not on PATH: ${missing.join(', ')})`, body);
      };

/** Through the peers' gateway, for comparison. */
function gatewayLedgersOf({ channel, chaincode, organisations }: TestNetwork): LedgersUnderTest {
  const connect = ({ mspId, user, peers }: TestOrganisation): Ledger =>
    connectGateway({
      endpoint: peers[0]?.address ?? '',
      tlsRootPem: peers[0]?.tlsRootCertPem ?? '',
      identity: { mspId, certificatePem: user.certificatePem, sign: privateKeySigner(user.privateKeyPem) },
      channel,
      chaincode,
    });
  const [first, second] = organisations;
  if (first === undefined || second === undefined) throw new Error('two organisations expected');
  const ledger = connect(first);
  const other = connect(second);
  return {
    ledger,
    other,
    connect: () => connect(first),
    dispose: () => {
      ledger.close();
      other.close();
      return Promise.resolve();
    },
  };
}

describeNative('on real Fabric', () => {
  let network: TestNetwork & { readonly fabricVersion: string };

  beforeAll(async () => {
    network = await startNativeNetwork();
    await untilEndorsed(network);
  }, 180_000);
  afterAll(() => network.stop(), 30_000);

  ledgerCompliance('fabric-gateway', () => Promise.resolve(gatewayLedgersOf(network)));
  ledgerCompliance('fabric-network, with discovery', () => Promise.resolve(ledgersOf(network, { asLocalhost: false })));
  ledgerCompliance('fabric-network, with a static profile', () => Promise.resolve(ledgersOf(network, undefined)));
});

/** Until gossip has told the peers of each other and the chaincode's server is up. */
async function untilEndorsed(network: TestNetwork): Promise<void> {
  const ledgers = gatewayLedgersOf(network);
  const end = Date.now() + 90_000;
  for (;;) {
    try {
      await (await ledgers.ledger.submit('assets', 'raw', ['ready', 'x'])).commit();
      break;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  await ledgers.dispose();
}
