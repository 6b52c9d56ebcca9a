import { ledgerCompliance } from '@waymark/testing/ledger-compliance';
import type { ClientIdentity } from '../../devnet/test/harness/client.ts';
import { CHAINCODE, CHANNEL, startTestNetwork } from '../../devnet/test/harness/network.ts';
import { connectGateway, privateKeySigner, type Ledger } from '../src/index.ts';

interface GatewayAddress {
  readonly address: string;
  readonly tlsRootCertPem: string;
}

function connect({ address, tlsRootCertPem }: GatewayAddress, identity: ClientIdentity): Ledger {
  const { mspId, certificatePem, privateKeyPem } = identity;
  return connectGateway({
    endpoint: address,
    tlsRootPem: tlsRootCertPem,
    identity: { mspId, certificatePem, sign: privateKeySigner(privateKeyPem) },
    channel: CHANNEL,
    chaincode: CHAINCODE,
  });
}

ledgerCompliance('fabric-gateway on devnet', async () => {
  const network = await startTestNetwork();
  const [first, second] = network.devnet.organisations;
  if (first === undefined || second === undefined) throw new Error('two organisations expected');
  const ledger = connect(first.gateway, first.user);
  const other = connect(second.gateway, second.user);
  return {
    ledger,
    other,
    connect: () => connect(first.gateway, first.user),
    async dispose() {
      ledger.close();
      other.close();
      await network.stop();
    },
  };
});
