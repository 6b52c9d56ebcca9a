import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { addOrganisation, parseConfigBlock } from '../../src/config/index.ts';
import { computeUpdate } from '../../src/config/compute-update.ts';
import { sorted } from '../fidelity/harness/comparable.ts';
import { definitionOf } from '../support/test-channel.ts';
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

    test('lets another organisation in: configtxlator computes the update, two admins sign it, one sends it', async () => {
      const file = (name: string) => join(network.dataDir, name);
      await runPeerAs('admin', 'channel', 'fetch', 'config', file('current.block'), '-c', CHANNEL, ...ordering());
      const current = parseConfigBlock(common.Block.deserializeBinary(await readFile(file('current.block'))));
      const changed = current.config.clone();
      const org3 = await createOrganisationCa({ mspId: 'Org3MSP', domain: 'org3.example.com' });
      addOrganisation(definitionOf(org3))(changed);
      await writeFile(file('original.pb'), current.config.serializeBinary());
      await writeFile(file('updated.pb'), changed.serializeBinary());
      const files = ['--original', file('original.pb'), '--updated', file('updated.pb'), '--output', file('update.pb')];
      await runFabric('configtxlator', ['compute_update', '--channel_id', CHANNEL, ...files]);
      const update = common.ConfigUpdate.deserializeBinary(await readFile(file('update.pb')));
      const own = computeUpdate(
        CHANNEL,
        current.config.getChannelGroup() ?? new common.ConfigGroup(),
        changed.getChannelGroup() ?? new common.ConfigGroup(),
      );
      expect(sorted(own?.toObject())).toEqual(sorted(update.toObject()));
      await writeFile(file('update.tx'), unsignedUpdate(update).serializeBinary());
      await runPeerAs('admin', 'channel', 'update', '-f', file('update.tx'), '-c', CHANNEL, ...ordering()).then(
        () => expect('one admin').toBe('not enough'),
        (error: unknown) =>
          expect(String(error)).toMatch(/policy for \[Group\] {2}\/Channel\/Application not satisfied/),
      );
      const org2 = network.devnet.organisation('Org2MSP');
      await runFabric('peer', ['channel', 'signconfigtx', '-f', file('update.tx')], {
        CORE_PEER_LOCALMSPID: 'Org2MSP',
        CORE_PEER_MSPCONFIGPATH: org2.admin.mspDir,
      });
      await runPeerAs('admin', 'channel', 'update', '-f', file('update.tx'), '-c', CHANNEL, ...ordering());
      await runPeerAs('admin', 'channel', 'fetch', 'config', file('next.block'), '-c', CHANNEL, ...ordering());
      const decode = ['proto_decode', '--type', 'common.Block', '--input', file('next.block')];
      await runFabric('configtxlator', [...decode, '--output', file('next.json')]);
      const decoded = JSON.parse(await readFile(file('next.json'), 'utf8')) as {
        data: {
          data: { payload: { data: { config: { channel_group: { groups: unknown } }; last_update: unknown } } }[];
        };
      };
      const [envelope] = decoded.data.data;
      expect(envelope?.payload.data.config.channel_group.groups).toHaveProperty(['Application', 'groups', 'Org3MSP']);
      expect(envelope?.payload.data.last_update).toHaveProperty(['payload', 'data', 'config_update', 'write_set']);
    });

    test('what is not supported is refused by name', async () => {
      const join = ['channel', 'join', '-b', network.dataDir + '/genesis.block'];
      await expect(runPeerAs('admin', ...join)).rejects.toThrow(
        /ledger \[[a-z]+\] already exists with state \[ACTIVE\]/,
      );
    });
  },
);

/** What people make with jq and `configtxlator proto_encode`. */
function unsignedUpdate(update: common.ConfigUpdate): common.Envelope {
  const content = new common.ConfigUpdateEnvelope();
  content.setConfigUpdate(update.serializeBinary());
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.CONFIG_UPDATE);
  channelHeader.setChannelId(update.getChannelId());
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(content.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}
