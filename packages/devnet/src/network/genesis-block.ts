import { readFile, writeFile } from 'node:fs/promises';
import { common } from '@hyperledger/fabric-protos';
import { buildGenesisBlock } from '../config/genesis.ts';
import { applicationOrganisationOf, mspConfigOf } from './admission.ts';
import { DevnetError } from '../errors.ts';
import type { DataFolder } from './data-folder.ts';
import type { Memberships } from './membership.ts';
import type { Topology } from './topology.ts';

const GENESIS_FILE = 'genesis.block';

/** Block 0: made at the first start, read ever after. Throws DevnetError DATA_INVALID. */
export async function openGenesisBlock(
  folder: DataFolder,
  topology: Topology,
  memberships: Memberships,
): Promise<common.Block> {
  const path = folder.path(GENESIS_FILE);
  if (folder.stored === undefined) {
    const block = buildGenesis(topology, memberships);
    await writeFile(path, block.serializeBinary());
    return block;
  }
  try {
    return common.Block.deserializeBinary(await readFile(path));
  } catch (cause) {
    throw new DevnetError('DATA_INVALID', `cannot read ${GENESIS_FILE}`, { cause });
  }
}

function buildGenesis(topology: Topology, memberships: Memberships): common.Block {
  const { host, orderer } = topology;
  const ordererEndpoint = { host, port: orderer.port };
  const ordererTls = memberships.orderer.nodes.map(({ tls }) => tls.certificatePem);
  return buildGenesisBlock({
    channelId: topology.channel,
    applicationOrganisations: topology.organisations.map((organisation, index) =>
      applicationOrganisationOf(organisation, memberships.organisations[index], host),
    ),
    ordererOrganisations: [
      { mspId: orderer.mspId, mspConfig: mspConfigOf(memberships.orderer), endpoints: [ordererEndpoint] },
    ],
    consensus: {
      type: 'raft',
      consenters: ordererTls.map((pem) => ({ ...ordererEndpoint, clientTlsCertPem: pem, serverTlsCertPem: pem })),
    },
    batchSize: topology.batch,
    batchTimeoutMs: topology.batch.timeoutMs,
    timestampMs: Date.now(),
  });
}
