import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGenesisBlock, buildMspConfig, type BftConsenter } from '@waymark/devnet/fabric';
import type { Membership } from '../membership/membership.ts';
import type { Memberships } from '../membership/memberships.ts';
import { hostOf, zip } from '../nodes/planned-nodes.ts';
import type { FabricNetworkPlan } from '../options.ts';

/**
 * How fast BFT notices a leader that is gone: within half a minute. The library's own times are for continents (a minute of
 * silence, then 20 s of complaints).
 */
const BFT_TIMES = {
  requestForwardTimeoutMs: 2_000,
  requestComplainTimeoutMs: 8_000,
  viewChangeResendIntervalMs: 2_000,
  viewChangeTimeoutMs: 10_000,
  leaderHeartbeatTimeoutMs: 15_000,
};

/** The channel's first block: made once, read ever after. */
export async function openGenesis(plan: FabricNetworkPlan, memberships: Memberships): Promise<Uint8Array> {
  const path = join(plan.dataDir, `${plan.channel}.block`);
  if (existsSync(path)) return readFile(path);
  const block = genesisOf(plan, memberships).serializeBinary();
  await writeFile(`${path}.partial`, block);
  await rename(`${path}.partial`, path);
  return block;
}

/** How an organisation appears in the configuration of the channel. */
export function organisationDefinition({ mspId, ca }: Membership) {
  return {
    mspId,
    mspConfig: buildMspConfig({ mspId, rootCertsPem: [ca.rootCertPem], tlsRootCertsPem: [ca.tlsRootCertPem] }),
  };
}

function genesisOf(plan: FabricNetworkPlan, { organisations, ordering }: Memberships) {
  const endpoint = (member: { readonly hostName: string }, { port }: { readonly port: number }) => ({
    host: hostOf(plan, member),
    port,
  });
  const orderers = zip(ordering, plan.ordering.organisations).map(([membership, organisation]) => ({
    membership,
    nodes: zip(membership.orderers, organisation.orderers),
  }));
  const consenters = orderers.flatMap(({ nodes }) =>
    nodes.map(([member, orderer]): BftConsenter => ({
      ...endpoint(member, orderer),
      mspId: member.mspId,
      identityPem: member.identity.certificatePem,
      clientTlsCertPem: member.tls.certificatePem,
      serverTlsCertPem: member.tls.certificatePem,
    })),
  );
  return buildGenesisBlock({
    channelId: plan.channel,
    applicationOrganisations: zip(organisations, plan.organisations).map(([membership, { peers }]) => ({
      ...organisationDefinition(membership),
      anchorPeers: zip(membership.peers, peers)
        .slice(0, 1)
        .map(([member, peer]) => endpoint(member, peer)),
    })),
    ordererOrganisations: orderers.map(({ membership, nodes }) => ({
      ...organisationDefinition(membership),
      endpoints: nodes.map(([member, orderer]) => endpoint(member, orderer)),
    })),
    consensus:
      plan.ordering.type === 'raft'
        ? { type: 'raft', consenters }
        : { type: 'bft', consenters, options: { ...BFT_TIMES, requestBatchMaxIntervalMs: plan.batch.timeoutMs } },
    batchSize: plan.batch,
    batchTimeoutMs: plan.batch.timeoutMs,
    timestampMs: Date.now(),
  });
}
