import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { stringify } from 'yaml';
import { dataHash } from '../../src/block/hashes.ts';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { parseConfig, parseConfigBlock } from '../../src/config/index.ts';
import { describeWithFabric, runFabric } from '../support/fabric-programs.ts';
import { createTestChannel, type TestChannel } from '../support/test-channel.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

let channel: TestChannel;
beforeAll(async () => {
  channel = await createTestChannel({ batchTimeoutMs: 250 });
});
afterAll(removeTemporaryFolders);

test('the genesis block has the five metadata slots, and an empty but present last configuration', () => {
  const slots = channel.genesisBlock.getMetadata()?.getMetadataList_asU8() ?? [];
  expect(slots.map((slot) => Buffer.from(slot).toString('hex'))).toEqual(['0a020a00', '', '', '', '']);
  const [envelope] = channel.genesisBlock.getData()?.getDataList_asU8() ?? [];
  expect(channel.genesisBlock.getHeader()?.getDataHash_asU8()).toEqual(dataHash([envelope ?? new Uint8Array()]));
});

test('the configuration says what was put into it', () => {
  const config = parseConfigBlock(channel.genesisBlock);
  expect(config.channelId).toBe('testchannel');
  expect(config.sequence).toBe(0);
  expect(config.batchTimeoutMs).toBe(250);
  expect(config.batchSize).toEqual({
    maxMessageCount: 500,
    absoluteMaxBytes: 10 * 1024 * 1024,
    preferredMaxBytes: 2 * 1024 * 1024,
  });
  expect([...config.msps.mspIds].sort()).toEqual(['OrdererMSP', 'Org1MSP', 'Org2MSP']);
  expect(config.applicationOrganisations.map(({ mspId, anchorPeers }) => ({ mspId, anchorPeers }))).toEqual([
    { mspId: 'Org1MSP', anchorPeers: [{ host: 'localhost', port: 7051 }] },
    { mspId: 'Org2MSP', anchorPeers: [] },
  ]);
  expect(config.ordererOrganisations.map(({ endpoints }) => endpoints)).toEqual([['localhost:7050']]);
});

test('the channel policies resolve by path, unknown ones reject', () => {
  const config = parseConfigBlock(channel.genesisBlock);
  const { org1, org2, orderer } = channel;
  const [client1, admin1, admin2, peer1, peer2, orderer0] = [
    org1.client,
    org1.admin,
    org2.admin,
    org1.peer,
    org2.peer,
    orderer,
  ].map(({ serialized }) => config.msps.deserialize(serialized));
  const holds = (path: string, ...signers: (typeof client1)[]) =>
    config.policy(path).evaluate(signers.filter((signer) => signer !== undefined));
  expect(holds('/Channel/Writers', client1)).toBe(true);
  expect(holds('/Channel/Application/Writers', client1)).toBe(true);
  expect(holds('/Channel/Application/Writers', peer1)).toBe(false);
  expect(holds('/Channel/Application/Readers', peer1)).toBe(true);
  expect(holds('/Channel/Application/Admins', admin1)).toBe(false);
  expect(holds('/Channel/Application/Admins', admin1, admin2)).toBe(true);
  expect(holds('/Channel/Application/Endorsement', peer1)).toBe(false);
  expect(holds('/Channel/Application/Endorsement', peer1, peer2)).toBe(true);
  expect(holds('/Channel/Application/Org1MSP/Endorsement', peer1)).toBe(true);
  expect(holds('/Channel/Orderer/BlockValidation', orderer0)).toBe(true);
  expect(holds('/Channel/Orderer/BlockValidation', peer1)).toBe(false);
  expect(holds('/Channel/Application/Nothing', admin1, admin2)).toBe(false);
  expect(holds('Writers', admin1, admin2)).toBe(false);
});

test('durations are written and read as Go does', () => {
  expect([250, 1000, 2000, 90_000, 3_600_000].map(formatDuration)).toEqual(['250ms', '1s', '2s', '1m30s', '1h0m0s']);
  expect(['250ms', '2s', '1m30s', '1.5s', '1h'].map(parseDuration)).toEqual([250, 2000, 90_000, 1500, 3_600_000]);
  for (const text of ['', '5', '5x', 'ms', '1s 2s', '-1s']) expect(() => parseDuration(text)).toThrow();
});

test('configurations that Fabric would refuse are refused', () => {
  const changed = (change: (root: common.ConfigGroup) => void) => () => {
    const config = parseConfigBlock(channel.genesisBlock).config.clone();
    const root = config.getChannelGroup();
    if (root === undefined) throw new Error('no channel group');
    change(root);
    return parseConfig('testchannel', config);
  };
  const orderer = (root: common.ConfigGroup) => root.getGroupsMap().get('Orderer');
  const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' }) as unknown as Error;
  expect(changed((root) => root.getGroupsMap().del('Application'))).toThrow(invalid);
  expect(changed((root) => orderer(root)?.getValuesMap().del('BatchSize'))).toThrow(invalid);
  expect(changed((root) => orderer(root)?.getValuesMap().del('BatchTimeout'))).toThrow(invalid);
  expect(changed((root) => orderer(root)?.getPoliciesMap().get('Writers')?.setPolicy(undefined))).toThrow(invalid);
  expect(
    changed((root) => root.getGroupsMap().get('Application')?.getGroupsMap().get('Org1MSP')?.getValuesMap().del('MSP')),
  ).toThrow(invalid);
});

describeWithFabric("Fabric's own tools", ['configtxgen', 'configtxlator'], () => {
  test('configtxgen reads the genesis block and shows the channel', async () => {
    const dir = await temporaryFolder();
    const path = join(dir, 'genesis.block');
    await writeFile(path, channel.genesisBlock.serializeBinary());
    await writeFile(join(dir, 'configtx.yaml'), '');
    const shown = JSON.parse(await runFabric('configtxgen', ['-inspectBlock', path], { FABRIC_CFG_PATH: dir })) as {
      data: {
        data: [{ payload: { data: { config: { channel_group: { groups: Record<string, { groups: object }> } } } } }];
      };
    };
    const { groups } = shown.data.data[0].payload.data.config.channel_group;
    expect(Object.keys(groups).sort()).toEqual(['Application', 'Orderer']);
    expect(Object.keys(groups['Application']?.groups ?? {}).sort()).toEqual(['Org1MSP', 'Org2MSP']);
  });

  test('configtxlator decodes it and encodes it again to a block of the same meaning', async () => {
    const dir = await temporaryFolder();
    const paths = { block: join(dir, 'a.block'), json: join(dir, 'a.json'), again: join(dir, 'b.block') };
    await writeFile(paths.block, channel.genesisBlock.serializeBinary());
    const type = ['--type', 'common.Block'];
    await runFabric('configtxlator', ['proto_decode', ...type, '--input', paths.block, '--output', paths.json]);
    await runFabric('configtxlator', ['proto_encode', ...type, '--input', paths.json, '--output', paths.again]);
    const again = parseConfigBlock(common.Block.deserializeBinary(await readFile(paths.again)));
    expect([...again.msps.mspIds].sort()).toEqual(['OrdererMSP', 'Org1MSP', 'Org2MSP']);
  });

  test('a genesis block that configtxgen made is understood, and its data hash is computed alike', async () => {
    const dir = await temporaryFolder();
    const { org1, org2, ordererCa } = channel;
    for (const { name, ca } of [
      { name: 'Org1MSP', ca: org1.ca },
      { name: 'Org2MSP', ca: org2.ca },
      { name: 'OrdererMSP', ca: ordererCa },
    ]) {
      await ca.writeMspFolder(join(dir, name));
    }
    const tls = await ordererCa.issueTls({ commonName: 'orderer' });
    await writeFile(join(dir, 'tls.crt'), tls.certificatePem);
    await writeFile(join(dir, 'configtx.yaml'), configtx(dir));
    const path = join(dir, 'genesis.block');
    await runFabric('configtxgen', [
      '-profile',
      'Test',
      '-channelID',
      'genuine',
      '-outputBlock',
      path,
      '-configPath',
      dir,
    ]);
    const block = common.Block.deserializeBinary(await readFile(path));
    const config = parseConfigBlock(block);
    expect(config.channelId).toBe('genuine');
    expect(config.batchTimeoutMs).toBe(2000);
    expect(config.policy('/Channel/Writers').evaluate([config.msps.deserialize(org1.client.serialized)])).toBe(true);
    const envelopes = block.getData()?.getDataList_asU8() ?? [];
    expect(Buffer.from(block.getHeader()?.getDataHash_asU8() ?? [])).toEqual(Buffer.from(dataHash(envelopes)));
    expect(
      createHash('sha256')
        .update(envelopes[0] ?? '')
        .digest(),
    ).toEqual(Buffer.from(dataHash(envelopes)));
    // The metadata of both genesis blocks is the same, byte for byte.
    expect(
      block
        .getMetadata()
        ?.getMetadataList_asU8()
        .map((slot) => Buffer.from(slot).toString('hex')),
    ).toEqual(
      channel.genesisBlock
        .getMetadata()
        ?.getMetadataList_asU8()
        .map((slot) => Buffer.from(slot).toString('hex')),
    );
  });
});

/** What a user of Fabric would have written for the same channel. */
function configtx(dir: string): string {
  const signature = (rule: string) => ({ Type: 'Signature', Rule: rule });
  const meta = (rule: string) => ({ Type: 'ImplicitMeta', Rule: rule });
  const organisation = (name: string, extra: object = {}) => ({
    Name: name,
    ID: name,
    MSPDir: join(dir, name),
    Policies: {
      Readers: signature(`OR('${name}.member')`),
      Writers: signature(`OR('${name}.member')`),
      Admins: signature(`OR('${name}.admin')`),
      Endorsement: signature(`OR('${name}.peer')`),
    },
    ...extra,
  });
  const policies = { Readers: meta('ANY Readers'), Writers: meta('ANY Writers'), Admins: meta('MAJORITY Admins') };
  const tlsCertificate = join(dir, 'tls.crt');
  return stringify({
    Profiles: {
      Test: {
        Policies: policies,
        Capabilities: { V2_0: true },
        Orderer: {
          OrdererType: 'etcdraft',
          BatchTimeout: '2s',
          BatchSize: { MaxMessageCount: 10, AbsoluteMaxBytes: '1 MB', PreferredMaxBytes: '512 KB' },
          EtcdRaft: {
            Consenters: [
              { Host: 'localhost', Port: 7050, ClientTLSCert: tlsCertificate, ServerTLSCert: tlsCertificate },
            ],
          },
          Organizations: [organisation('OrdererMSP', { OrdererEndpoints: ['localhost:7050'] })],
          Policies: { ...policies, BlockValidation: meta('ANY Writers') },
          Capabilities: { V2_0: true },
        },
        Application: {
          Organizations: [organisation('Org1MSP'), organisation('Org2MSP')],
          Policies: {
            ...policies,
            LifecycleEndorsement: meta('MAJORITY Endorsement'),
            Endorsement: meta('MAJORITY Endorsement'),
          },
          Capabilities: { V2_5: true },
        },
      },
    },
  });
}
