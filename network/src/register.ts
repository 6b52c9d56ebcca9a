import { readFileSync } from 'node:fs';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { signingIdentityFromPem, signKeyStatement } from '@waymark/vault';
import { adminOf } from './admin.ts';
import type { Layout } from './layout.ts';
import type { GatewayPlace, ProvisionedNode } from './provision.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** How long an encryption key is announced for. */
const keyLifetimeMs = 365 * 24 * 3_600_000;

/** Founds the consortium on the channel and enters its nodes and their encryption keys. Safe to repeat. */
export async function register(
  topology: Topology,
  layout: Layout,
  gateways: ReadonlyMap<string, GatewayPlace>,
  nodes: readonly ProvisionedNode[],
): Promise<void> {
  const admins = new Map<string, Ledger>();
  for (const organisation of topology.organisations) {
    admins.set(organisation.mspId, connect(topology, organisation, gateways, await adminOf(organisation, layout)));
  }
  try {
    await found(topology, admins);
    await Promise.all(
      nodes.map(({ organisation, enrolmentId, kind, certificateDigest }) =>
        submit(
          admins.get(organisation.mspId),
          'registerNode',
          JSON.stringify({ enrolmentId, kind, certificates: [certificateDigest] }),
        ),
      ),
    );
    await Promise.all(
      nodes.filter(({ kind }) => kind !== 'client').map((node) => publishKey(topology, gateways, node)),
    );
  } finally {
    for (const ledger of admins.values()) ledger.close();
  }
}

async function found(topology: Topology, admins: ReadonlyMap<string, Ledger>): Promise<void> {
  const organisations = topology.organisations.map(({ mspId, role, field }) => ({
    mspId,
    role,
    ...(field === undefined ? {} : { field }),
  }));
  // One after another: approvals that meet in a block conflict.
  for (const ledger of admins.values()) await submit(ledger, 'found', JSON.stringify({ organisations }));
}

async function publishKey(
  topology: Topology,
  gateways: ReadonlyMap<string, GatewayPlace>,
  node: ProvisionedNode,
): Promise<void> {
  const { organisation, certificatePem, privateKeyPem, encryptionKey } = node;
  const { channel } = topology;
  const ledger = connect(topology, organisation, gateways, { certificatePem, privateKeyPem });
  try {
    const nowMs = Date.now();
    const identity = signingIdentityFromPem({ mspId: organisation.mspId, certificatePem, privateKeyPem });
    const statement = signKeyStatement(identity, encryptionKey, {
      channel,
      seq: 1,
      prevKid: null,
      notBeforeMs: nowMs,
      notAfterMs: nowMs + keyLifetimeMs,
    });
    await submit(ledger, 'publishKey', Buffer.from(statement).toString('base64url'));
  } finally {
    ledger.close();
  }
}

async function submit(ledger: Ledger | undefined, fn: string, argument: string): Promise<void> {
  if (ledger === undefined) throw new Error('no connection for this organisation');
  const submitted = await ledger.submit('participants', fn, [argument], { retryable: true });
  await submitted.commit();
}

function connect(
  topology: Topology,
  organisation: TopologyOrganisation,
  gateways: ReadonlyMap<string, GatewayPlace>,
  identity: { certificatePem: string; privateKeyPem: string },
): Ledger {
  const gateway = gateways.get(organisation.mspId);
  if (gateway === undefined) throw new Error(`no gateway for ${organisation.mspId}`);
  return connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: readFileSync(gateway.tlsRootFile, 'utf8'),
    identity: {
      mspId: organisation.mspId,
      certificatePem: identity.certificatePem,
      sign: privateKeySigner(identity.privateKeyPem),
    },
    channel: topology.channel,
    chaincode: topology.chaincode.name,
  });
}
