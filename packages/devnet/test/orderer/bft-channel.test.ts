import { createOrganisationCa } from '../../src/ca/index.ts';
import { buildGenesisBlock } from '../../src/config/index.ts';
import { buildMspConfig } from '../../src/msp/index.ts';
import { openOrderingService } from '../../src/orderer/index.ts';
import { createTestChannel } from '../support/test-channel.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

test('a BFT channel is refused: devnet has one orderer', async () => {
  const mspId = 'OrdererMSP';
  const [ca, { orderer }] = await Promise.all([
    createOrganisationCa({ mspId, domain: 'orderer.example.com' }),
    createTestChannel(),
  ]);
  const [identity, tls] = await Promise.all([
    ca.issue({ enrolmentId: 'orderer0', role: 'orderer' }),
    ca.issueTls({ commonName: 'orderer0' }),
  ]);
  const definition = {
    mspId,
    mspConfig: buildMspConfig({ mspId, rootCertsPem: [ca.rootCertPem], tlsRootCertsPem: [ca.tlsRootCertPem] }),
  };
  const place = { host: 'localhost', port: 7050 };
  const genesisBlock = buildGenesisBlock({
    channelId: 'bft',
    applicationOrganisations: [definition],
    ordererOrganisations: [{ ...definition, endpoints: [place] }],
    consensus: {
      type: 'bft',
      consenters: [
        {
          ...place,
          mspId,
          identityPem: identity.certificatePem,
          clientTlsCertPem: tls.certificatePem,
          serverTlsCertPem: tls.certificatePem,
        },
      ],
    },
    batchSize: { maxMessageCount: 10, absoluteMaxBytes: 2 ** 20, preferredMaxBytes: 2 ** 19 },
    batchTimeoutMs: 100,
    timestampMs: 0,
  });
  await expect(
    openOrderingService({ dir: await temporaryFolder(), genesisBlock, signer: orderer }),
  ).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
