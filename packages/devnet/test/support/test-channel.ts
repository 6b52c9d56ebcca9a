import type { common } from '@hyperledger/fabric-protos';
import { createOrganisationCa, type IssuedIdentity, type IssuedTls, type OrganisationCa } from '../../src/ca/index.ts';
import { buildGenesisBlock, type BatchSize, type PolicyRules } from '../../src/config/index.ts';
import { buildMspConfig, createSigningIdentity, type NodeRole, type SigningIdentity } from '../../src/msp/index.ts';

export const CHANNEL_ID = 'testchannel';

/** A signer together with what it was made of. */
export interface TestIdentity extends SigningIdentity {
  readonly issued: IssuedIdentity;
}

export interface TestOrganisation {
  readonly ca: OrganisationCa;
  readonly admin: TestIdentity;
  readonly client: TestIdentity;
  readonly peer: TestIdentity;
}

/** Two organisations and an orderer organisation: the smallest channel with an endorsement policy worth the name. */
export interface TestChannel {
  readonly org1: TestOrganisation;
  readonly org2: TestOrganisation;
  readonly ordererCa: OrganisationCa;
  readonly orderer: TestIdentity;
  readonly ordererAdmin: TestIdentity;
  readonly ordererTls: IssuedTls;
  readonly genesisBlock: common.Block;
}

export interface TestChannelOptions {
  readonly batchSize?: Partial<BatchSize>;
  readonly batchTimeoutMs?: number;
  readonly applicationPolicies?: PolicyRules;
  /** Default: 7050, where nothing needs to listen. */
  readonly ordererPort?: number;
}

const DEFAULT_BATCH_SIZE: BatchSize = {
  maxMessageCount: 500,
  absoluteMaxBytes: 10 * 1024 * 1024,
  preferredMaxBytes: 2 * 1024 * 1024,
};

export async function createTestChannel(options: TestChannelOptions = {}): Promise<TestChannel> {
  const [org1, org2, ordererCa] = await Promise.all([
    createTestOrganisation('Org1MSP', 'org1.example.com'),
    createTestOrganisation('Org2MSP', 'org2.example.com'),
    createOrganisationCa({ mspId: 'OrdererMSP', domain: 'orderer.example.com' }),
  ]);
  const orderer = await issueIdentity(ordererCa, 'orderer0', 'orderer');
  const ordererAdmin = await issueIdentity(ordererCa, 'admin', 'admin');
  const port = options.ordererPort ?? 7050;
  const ordererTls = await ordererCa.issueTls({ commonName: 'orderer0.orderer.example.com' });
  const genesisBlock = buildGenesisBlock({
    channelId: CHANNEL_ID,
    applicationOrganisations: [
      { ...definitionOf(org1.ca), anchorPeers: [{ host: 'localhost', port: 7051 }] },
      definitionOf(org2.ca),
    ],
    ordererOrganisations: [{ ...definitionOf(ordererCa), endpoints: [{ host: 'localhost', port }] }],
    consensus: {
      type: 'raft',
      consenters: [
        {
          host: 'localhost',
          port,
          clientTlsCertPem: ordererTls.certificatePem,
          serverTlsCertPem: ordererTls.certificatePem,
        },
      ],
    },
    batchSize: { ...DEFAULT_BATCH_SIZE, ...options.batchSize },
    batchTimeoutMs: options.batchTimeoutMs ?? 50,
    ...(options.applicationPolicies === undefined ? {} : { applicationPolicies: options.applicationPolicies }),
    timestampMs: Date.now(),
  });
  return { org1, org2, ordererCa, orderer, ordererAdmin, ordererTls, genesisBlock };
}

export async function createTestOrganisation(mspId: string, domain: string): Promise<TestOrganisation> {
  const ca = await createOrganisationCa({ mspId, domain });
  const [admin, client, peer] = await Promise.all([
    issueIdentity(ca, 'admin', 'admin'),
    issueIdentity(ca, 'client', 'client'),
    issueIdentity(ca, 'peer0', 'peer'),
  ]);
  return { ca, admin, client, peer };
}

export async function issueIdentity(ca: OrganisationCa, enrolmentId: string, role: NodeRole): Promise<TestIdentity> {
  const issued = await ca.issue({ enrolmentId, role });
  return { ...createSigningIdentity(issued), issued };
}

export function definitionOf(ca: OrganisationCa, crlPem?: string) {
  return {
    mspId: ca.mspId,
    mspConfig: buildMspConfig({
      mspId: ca.mspId,
      rootCertsPem: [ca.rootCertPem],
      tlsRootCertsPem: [ca.tlsRootCertPem],
      ...(crlPem === undefined ? {} : { crlsPem: [crlPem] }),
    }),
  };
}
