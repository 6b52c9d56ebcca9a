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

    const runPeerAs = (who: 'user' | 'admin', ...args: readonly string[]) => {
      const { gateway, ...identities } = network.devnet.organisation('Org1MSP');
      return runFabric('peer', args, {
        CORE_PEER_TLS_ENABLED: 'true',
        CORE_PEER_LOCALMSPID: 'Org1MSP',
        CORE_PEER_ADDRESS: gateway.address,
        CORE_PEER_TLS_ROOTCERT_FILE: gateway.tlsRootCertPath,
        CORE_PEER_MSPCONFIGPATH: identities[who].mspDir,
      });
    };
    const runPeer = (...args: readonly string[]) => runPeerAs('user', ...args);
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

    test('tells the height and hashes of the channel, and the channels of the peer', async () => {
      const info = await runPeer('channel', 'getinfo', '-c', CHANNEL);
      const { height } = JSON.parse(info.slice(info.indexOf('{'))) as { height: number };
      expect(BigInt(height)).toBe(network.devnet.heights()['peer0.org1.example.com']);
      expect(await runPeer('channel', 'list')).toContain(CHANNEL);
    });

    test('invokes without naming an orderer: the peer tells where it is', async () => {
      const { tlsRootCertPath } = network.devnet.orderer;
      const { gateway } = network.devnet.organisation('Org2MSP');
      const own = network.devnet.organisation('Org1MSP').gateway;
      const endorsers = [own, gateway].flatMap(({ address, tlsRootCertPath: path }) => [
        '--peerAddresses',
        address,
        '--tlsRootCertFiles',
        path,
      ]);
      const create = JSON.stringify({ Args: ['createAsset', 'p2', 'Ben', '6'] });
      const tls = ['--tls', '--cafile', tlsRootCertPath];
      await runPeer('chaincode', 'invoke', ...tls, ...chaincode, ...endorsers, '--waitForEvent', '-c', create);
    });

    test('reads the chaincode definitions, approvals and installed packages', async () => {
      const committed = await runPeer('lifecycle', 'chaincode', 'querycommitted', '-C', CHANNEL, '-O', 'json');
      expect(JSON.parse(committed)).toMatchObject({
        chaincode_definitions: [{ name: CHAINCODE, sequence: 1, version: '1.0' }],
      });
      const one = ['lifecycle', 'chaincode', 'querycommitted', '-C', CHANNEL, '-n', CHAINCODE];
      expect(await runPeer(...one)).toContain('Approvals: [Org1MSP: true, Org2MSP: true]');
      await expect(runPeer(...one.slice(0, -1), 'nothing')).rejects.toThrow(
        'query failed with status: 404 - namespace nothing is not defined',
      );
      const installed = await runPeerAs('admin', 'lifecycle', 'chaincode', 'queryinstalled');
      expect(installed).toContain(`Package ID: ${network.chaincode.packageId}, Label: assets_1.0`);
      const approved = ['lifecycle', 'chaincode', 'queryapproved', '-C', CHANNEL, '-n', CHAINCODE];
      expect(await runPeerAs('admin', ...approved)).toContain('sequence: 1, version: 1.0');
      await expect(runPeer('lifecycle', 'chaincode', 'queryinstalled')).rejects.toThrow(
        'The identity is not an admin under this MSP [Org1MSP]',
      );
    });

    test('what is not supported is refused by name', async () => {
      const join = ['channel', 'join', '-b', network.dataDir + '/genesis.block'];
      await expect(runPeerAs('admin', ...join)).rejects.toThrow(/ledger \[[a-z]+\] already exists with state \[ACTIVE\]/);
    });
  },
);
