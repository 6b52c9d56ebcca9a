import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { signingIdentityFromPem, signKeyStatement } from '@waymark/vault';
import { adminOf } from './admin.ts';
import type { Layout } from './layout.ts';
import { ledgerRegistration } from './ledger-registration.ts';
import type { ProvisionedNode } from './provision.ts';
import type { GatewayPlace } from './provision-place.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** How long an encryption key is announced for. */
const keyLifetimeMs = 365 * 24 * 3_600_000;
const admissionSeenWithinMs = 30_000;
const admissionPollMs = 200;

/** What registering needs of a network that runs. */
export interface Register {
  readonly topology: Topology;
  readonly layout: Layout;
  readonly gateways: ReadonlyMap<string, GatewayPlace>;
}

/** Founds the consortium on the channel and enters its nodes and their encryption keys. Safe to repeat. */
export async function register(place: Register, nodes: readonly ProvisionedNode[]): Promise<void> {
  await withAdmins(place, async (admins) => {
    await found(place.topology, admins);
    await registerNodes(place, admins, nodes);
  });
}

/** Admits an organisation, by the votes of a majority of the members, and enters its nodes and keys. Safe to repeat. */
export async function admit(
  place: Register,
  organisation: TopologyOrganisation,
  nodes: readonly ProvisionedNode[],
): Promise<void> {
  await withAdmins(place, async (admins) => {
    const change = JSON.stringify({ kind: 'admit', ...membershipOf(organisation) });
    const members = [...admins].filter(([mspId]) => mspId !== organisation.mspId).map(([, ledger]) => ledger);
    const [proposer, ...others] = members;
    const proposed = await submit(proposer, 'propose', change).catch(unlessAdmitted);
    if (proposed !== undefined) {
      let { state, hash } = proposalState(proposed);
      // One after another: approvals that meet in a block conflict.
      for (const ledger of others)
        if (state === 'open') ({ state, hash } = proposalState(await submit(ledger, 'approve', hash)));
      if (state !== 'applied') throw new WaymarkError('refused', `the members have not admitted ${organisation.mspId}`);
    }
    const own = nodes.filter((node) => node.organisation.mspId === organisation.mspId);
    await onceSeen(() => registerNodes(place, admins, own));
  });
}

/** Peers learn of an admission one after another: one that has not yet refuses the newcomer. */
async function onceSeen(work: () => Promise<void>): Promise<void> {
  for (const deadlineMs = Date.now() + admissionSeenWithinMs; ;) {
    try {
      await work();
      return;
    } catch (error) {
      const isEarly =
        isWaymarkError(error, 'role-not-permitted') && error.details['reason'] === 'organisation-not-admitted';
      if (!isEarly || Date.now() > deadlineMs) throw error;
      await delay(admissionPollMs);
    }
  }
}

/** It was admitted before this was interrupted. */
function unlessAdmitted(error: unknown): undefined {
  if (isWaymarkError(error, 'conflict') && error.details['reason'] === 'already-admitted') return undefined;
  throw error;
}

function proposalState(result: Uint8Array): { readonly hash: string; readonly state: string } {
  return JSON.parse(Buffer.from(result).toString('utf8')) as { hash: string; state: string };
}

async function withAdmins(
  { topology, layout, gateways }: Register,
  act: (admins: ReadonlyMap<string, Ledger>) => Promise<void>,
): Promise<void> {
  const admins = new Map<string, Ledger>();
  try {
    for (const organisation of topology.organisations) {
      admins.set(organisation.mspId, connect(topology, organisation, gateways, await adminOf(organisation, layout)));
    }
    await act(admins);
  } finally {
    for (const ledger of admins.values()) ledger.close();
  }
}

async function registerNodes(
  { topology, gateways }: Register,
  admins: ReadonlyMap<string, Ledger>,
  nodes: readonly ProvisionedNode[],
): Promise<void> {
  await Promise.all(
    nodes.map(({ organisation, enrolmentId, kind, certificateDigest }) =>
      submit(
        admins.get(organisation.mspId),
        'registerNode',
        JSON.stringify({ enrolmentId, kind, certificates: [certificateDigest] }),
      ),
    ),
  );
  await Promise.all([
    ...nodes.filter(({ kind }) => kind !== 'client').map((node) => publishKey(topology, gateways, node)),
    ...topology.organisations.map((organisation) => registerLedger(topology, admins, organisation, nodes)),
  ]);
}

/** The organisation's private ledger, if it has one, with its first members (D2); only among nodes that are being registered. */
async function registerLedger(
  topology: Topology,
  admins: ReadonlyMap<string, Ledger>,
  organisation: TopologyOrganisation,
  nodes: readonly ProvisionedNode[],
): Promise<void> {
  const { mspId } = organisation;
  const own = nodes.filter((node) => node.organisation.mspId === mspId);
  const registration = ledgerRegistration(topology, organisation, own);
  if (registration !== undefined)
    await submit(admins.get(mspId), 'registerLedger', JSON.stringify(registration), 'anchors');
}

function membershipOf({ mspId, role, field }: TopologyOrganisation) {
  return { mspId, role, ...(field === undefined ? {} : { field }) };
}

async function found(topology: Topology, admins: ReadonlyMap<string, Ledger>): Promise<void> {
  const organisations = topology.organisations.map(membershipOf);
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
    if (await isPublished(ledger, node)) return;
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

/** A statement is signed with its time: making it a second time would be another one. */
async function isPublished(
  ledger: Ledger,
  { organisation, enrolmentId, encryptionKey }: ProvisionedNode,
): Promise<boolean> {
  try {
    const answer = await ledger.evaluate('participants', 'getKey', [organisation.mspId, enrolmentId]);
    return (JSON.parse(Buffer.from(answer).toString('utf8')) as { kid?: unknown }).kid === encryptionKey.kid;
  } catch (error) {
    if (isWaymarkError(error, 'refused')) return false;
    throw error;
  }
}

type Contract = 'participants' | 'anchors';

async function submit(
  ledger: Ledger | undefined,
  fn: string,
  argument: string,
  contract: Contract = 'participants',
): Promise<Uint8Array> {
  if (ledger === undefined) throw new Error('no connection for this organisation');
  const submitted = await ledger.submit(contract, fn, [argument], { retryable: true });
  return (await submitted.commit()).result;
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
