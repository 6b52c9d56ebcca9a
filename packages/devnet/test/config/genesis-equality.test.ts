import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { stringify } from 'yaml';
import { createOrganisationCa, type OrganisationCa } from '../../src/ca/index.ts';
import { elementsOf, type ConfigElement } from '../../src/config/config-elements.ts';
import { buildGenesisBlock, parseConfigBlock, type BftConsenter, type Consensus } from '../../src/config/index.ts';
import { buildMspConfig } from '../../src/msp/index.ts';
import { describeWithFabric, fabricProgram, runFabric } from '../support/fabric-programs.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

const ORDERERS = [
  { mspId: 'Org1MSP', port: 7050 },
  { mspId: 'Org1MSP', port: 7051 },
  { mspId: 'Org2MSP', port: 7052 },
  { mspId: 'OrdererMSP', port: 7053 },
];
const APPLICATION = ['Org1MSP', 'Org2MSP'];
const ORDERING = ['Org1MSP', 'Org2MSP', 'OrdererMSP'];
// A configtxgen built from source does not say its version; the peer beside it does.
const version =
  fabricProgram('peer') === undefined
    ? 'unknown'
    : (/Version: v?(\S+)/.exec(await runFabric('peer', ['version']))?.[1] ?? 'unknown');

describeWithFabric(
  "the configuration that configtxgen makes of an equal profile is devnet's, element by element",
  ['configtxgen'],
  () => {
    let dir = '';
    let cas: ReadonlyMap<string, OrganisationCa>;
    let consenters: readonly BftConsenter[];

    beforeAll(async () => {
      dir = await temporaryFolder();
      const made = await Promise.all(
        ORDERING.map((mspId) => createOrganisationCa({ mspId, domain: `${mspId.toLowerCase()}.example` })),
      );
      cas = new Map(made.map((ca) => [ca.mspId, ca]));
      await Promise.all(made.map((ca) => ca.writeMspFolder(join(dir, ca.mspId))));
      consenters = await Promise.all(ORDERERS.map((orderer) => makeConsenter(orderer)));
    });
    afterAll(removeTemporaryFolders);

    test('ordered by Raft', () => expectEqual({ type: 'raft', consenters }));

    const testBft = Number.parseInt(version, 10) >= 3 ? test : test.skip;
    testBft(`ordered by BFT (needs Fabric 3, the one on PATH is ${version})`, () =>
      expectEqual({ type: 'bft', consenters }),
    );

    async function makeConsenter({ mspId, port }: (typeof ORDERERS)[number]): Promise<BftConsenter> {
      const ca = caOf(mspId);
      const [identity, tls] = await Promise.all([
        ca.issue({ enrolmentId: `orderer${port}`, role: 'orderer' }),
        ca.issueTls({ commonName: `orderer${port}` }),
      ]);
      await Promise.all([
        writeFile(join(dir, `${port}.identity`), identity.certificatePem),
        writeFile(join(dir, `${port}.tls`), tls.certificatePem),
      ]);
      return {
        host: 'localhost',
        port,
        mspId,
        identityPem: identity.certificatePem,
        clientTlsCertPem: tls.certificatePem,
        serverTlsCertPem: tls.certificatePem,
      };
    }

    async function expectEqual(consensus: Consensus): Promise<void> {
      const made = elementsOfBlock(
        buildGenesisBlock({
          channelId: 'equal',
          applicationOrganisations: APPLICATION.map((mspId) => ({
            ...definitionOf(mspId),
            anchorPeers: [{ host: 'peer0', port: 7070 }],
          })),
          ordererOrganisations: ORDERING.map((mspId) => ({ ...definitionOf(mspId), endpoints: endpointsOf(mspId) })),
          consensus,
          batchSize: { maxMessageCount: 10, absoluteMaxBytes: 2 ** 20, preferredMaxBytes: 2 ** 19 },
          batchTimeoutMs: 2000,
          timestampMs: 0,
        }),
      );
      await writeFile(join(dir, 'configtx.yaml'), stringify({ Profiles: { Equal: profile(dir, consensus.type) } }));
      const path = join(dir, `${consensus.type}.block`);
      const place = ['-channelID', 'equal', '-outputBlock', path, '-configPath', dir];
      await runFabric('configtxgen', ['-profile', 'Equal', ...place]);
      const genuine = elementsOfBlock(common.Block.deserializeBinary(await readFile(path)));
      expect([...made.keys()].sort()).toEqual([...genuine.keys()].sort());
      for (const [name, element] of made)
        expect([name, contentOf(element)]).toEqual([name, contentOf(genuine.get(name))]);
    }

    function caOf(mspId: string): OrganisationCa {
      const ca = cas.get(mspId);
      if (ca === undefined) throw new Error(`no CA of ${mspId}`);
      return ca;
    }

    function definitionOf(mspId: string) {
      const { rootCertPem, tlsRootCertPem } = caOf(mspId);
      return {
        mspId,
        mspConfig: buildMspConfig({ mspId, rootCertsPem: [rootCertPem], tlsRootCertsPem: [tlsRootCertPem] }),
      };
    }
  },
);

function endpointsOf(mspId: string) {
  return ORDERERS.filter((orderer) => orderer.mspId === mspId).map(({ port }) => ({ host: 'localhost', port }));
}

function elementsOfBlock(block: common.Block): ReadonlyMap<string, ConfigElement> {
  return elementsOf(parseConfigBlock(block).config.getChannelGroup());
}

function contentOf(element: ConfigElement | undefined): unknown {
  const modPolicy = element?.message.getModPolicy();
  switch (element?.kind) {
    case 'Value':
      return { modPolicy, value: element.message.getValue_asB64() };
    case 'Policy':
      return {
        modPolicy,
        policy: Buffer.from(element.message.getPolicy()?.serializeBinary() ?? []).toString('base64'),
      };
    default:
      return { modPolicy };
  }
}

/** What a user of Fabric would have written for the same channel. */
function profile(dir: string, type: Consensus['type']): object {
  const signature = (rule: string) => ({ Type: 'Signature', Rule: rule });
  const meta = (rule: string) => ({ Type: 'ImplicitMeta', Rule: rule });
  const policies = { Readers: meta('ANY Readers'), Writers: meta('ANY Writers'), Admins: meta('MAJORITY Admins') };
  const place = (mspId: string) => ({ Name: mspId, ID: mspId, MSPDir: join(dir, mspId) });
  const tlsOf = (port: number) => ({
    ClientTLSCert: join(dir, `${port}.tls`),
    ServerTLSCert: join(dir, `${port}.tls`),
  });
  return {
    Policies: policies,
    Capabilities: { [type === 'bft' ? 'V3_0' : 'V2_0']: true },
    Orderer: {
      OrdererType: type === 'bft' ? 'BFT' : 'etcdraft',
      BatchTimeout: '2s',
      BatchSize: { MaxMessageCount: 10, AbsoluteMaxBytes: '1 MB', PreferredMaxBytes: '512 KB' },
      ...(type === 'raft'
        ? { EtcdRaft: { Consenters: ORDERERS.map(({ port }) => ({ Host: 'localhost', Port: port, ...tlsOf(port) })) } }
        : {
            ConsenterMapping: ORDERERS.map(({ mspId, port }, index) => ({
              ID: index + 1,
              Host: 'localhost',
              Port: port,
              MSPID: mspId,
              Identity: join(dir, `${port}.identity`),
              ...tlsOf(port),
            })),
            SmartBFT: {
              RequestBatchMaxInterval: '200ms',
              RequestForwardTimeout: '5s',
              RequestComplainTimeout: '20s',
              RequestAutoRemoveTimeout: '3m0s',
              ViewChangeResendInterval: '5s',
              ViewChangeTimeout: '20s',
              LeaderHeartbeatTimeout: '1m0s',
              CollectTimeout: '1s',
              IncomingMessageBufferSize: 200,
              RequestPoolSize: 100_000,
              LeaderHeartbeatCount: 10,
            },
          }),
      Organizations: ORDERING.map((mspId) => ({
        ...place(mspId),
        Policies: {
          Readers: signature(`OR('${mspId}.member')`),
          Writers: signature(`OR('${mspId}.member')`),
          Admins: signature(`OR('${mspId}.admin')`),
        },
        OrdererEndpoints: endpointsOf(mspId).map(({ host, port }) => `${host}:${port}`),
      })),
      Policies: { ...policies, BlockValidation: meta('ANY Writers') },
      Capabilities: { V2_0: true },
    },
    Application: {
      Organizations: APPLICATION.map((mspId) => ({
        ...place(mspId),
        Policies: {
          Readers: signature(`OR('${mspId}.admin', '${mspId}.peer', '${mspId}.client')`),
          Writers: signature(`OR('${mspId}.admin', '${mspId}.client')`),
          Admins: signature(`OR('${mspId}.admin')`),
          Endorsement: signature(`OR('${mspId}.peer')`),
        },
        AnchorPeers: [{ Host: 'peer0', Port: 7070 }],
      })),
      Policies: {
        ...policies,
        LifecycleEndorsement: meta('MAJORITY Endorsement'),
        Endorsement: meta('MAJORITY Endorsement'),
      },
      Capabilities: { V2_5: true },
    },
  };
}
