import { join } from 'node:path';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { fabricProgram, runFabric } from '../support/fabric-programs.ts';
import { fabricConfigDir } from '../support/native-fabric.ts';

const missing =
  fabricProgram('peer') === undefined || fabricProgram('configtxlator') === undefined
    ? "skipped: no 'peer' and 'configtxlator' of Fabric on the PATH"
    : fabricConfigDir() === undefined
      ? 'skipped: FABRIC_CFG_PATH does not name a folder with core.yaml'
      : undefined;

(missing === undefined ? describe : describe.skip)(
  `Fabric's own peer command${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let network: TestNetwork;
    beforeAll(async () => {
      network = await startTestNetwork();
    });
    afterAll(() => network.stop());

    const runPeer = (...args: readonly string[]) => {
      const { gateway, user } = network.devnet.organisation('Org1MSP');
      return runFabric('peer', args, {
        CORE_PEER_TLS_ENABLED: 'true',
        CORE_PEER_LOCALMSPID: 'Org1MSP',
        CORE_PEER_ADDRESS: gateway.address,
        CORE_PEER_TLS_ROOTCERT_FILE: gateway.tlsRootCertPath,
        CORE_PEER_MSPCONFIGPATH: user.mspDir,
      });
    };
    const chaincode = ['-C', CHANNEL, '-n', CHAINCODE];
    const ordering = () => {
      const { address, tlsRootCertPath } = network.devnet.orderer;
      return ['-o', address, '--tls', '--cafile', tlsRootCertPath];
    };

    test('invokes with endorsements of both organisations, waits for the commit, and queries', async () => {
      const endorsers = network.devnet.organisations.flatMap(({ gateway }) => [
        '--peerAddresses',
        gateway.address,
        '--tlsRootCertFiles',
        gateway.tlsRootCertPath,
      ]);
      const create = JSON.stringify({ Args: ['createAsset', 'p1', 'Ann', '5'] });
      await runPeer('chaincode', 'invoke', ...ordering(), ...chaincode, ...endorsers, '--waitForEvent', '-c', create);
      const read = JSON.stringify({ Args: ['readAsset', 'p1'] });
      const found = await runPeer('chaincode', 'query', ...chaincode, '-c', read);
      expect(JSON.parse(found)).toEqual({ id: 'p1', owner: 'Ann', value: 5 });
    });

    test('fetches blocks from orderer and peer, which configtxlator decodes', async () => {
      const file = (name: string) => join(network.dataDir, name);
      await runPeer('channel', 'fetch', '0', file('config.block'), '-c', CHANNEL, ...ordering());
      await runPeer('channel', 'fetch', 'newest', file('newest.block'), '-c', CHANNEL);
      for (const name of ['config', 'newest']) {
        await runFabric('configtxlator', [
          'proto_decode',
          '--type',
          'common.Block',
          '--input',
          file(`${name}.block`),
          '--output',
          file(`${name}.json`),
        ]);
      }
    });

    test('what is not supported is refused by name', async () => {
      await expect(runPeer('channel', 'getinfo', '-c', CHANNEL)).rejects.toThrow(/UNIMPLEMENTED.*qscc/);
    });
  },
);
