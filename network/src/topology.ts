import { readFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';
import { parse } from 'yaml';
import { z } from 'zod';
import { ordererOrganisation, orderingProblem, settledOrdering } from './ordering.ts';
import { privateLedgerProblem } from './private-ledger.ts';
import { privateLedgerSection } from './private-ledger-section.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'a lower-case DNS label');

/** As Fabric takes it in the label of a package. */
export const chaincodeVersion = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9]+([.+_-][A-Za-z0-9]+)*$/, 'a version as Fabric takes it');

const outlet = z.strictObject({
  name,
  /** Whether the outlet runs a peer of its organisation (S12's do). */
  peer: z.boolean().default(false),
});

const organisation = z.strictObject({
  mspId: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,62}$/, 'letters and digits'),
  domain: z
    .string()
    .min(2)
    .max(62)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, 'a domain name'),
  name: z.string().min(1).max(80),
  role: z.enum(['producer', 'carrier', 'seller', 'regulator']),
  field: z.string().max(40).optional(),
  /** The one leader peer, which is the organisation's anchor peer (S1). */
  leaderPeer: name,
  /** Whether the firm's center can open what its outlets seal (vault.md: firm policy). */
  centerIsRecipient: z.boolean(),
  outlets: z.array(outlet).min(1).max(64),
  /** The firm's private ledger (D1), where it is another than the topology's. */
  privateLedger: privateLedgerSection.optional(),
});

const topologySchema = z.strictObject({
  version: z.literal(1),
  channel: z.string().regex(/^[a-z][a-z0-9.-]{0,248}$/, "Fabric's channel name form"),
  chaincode: z.strictObject({ name, version: chaincodeVersion, sequence: z.int().min(1) }),
  ordering: z.strictObject({
    type: z.enum(['raft', 'bft']),
    /** Unset: by S2, floor(organisations / 3) + 1; BFT at least 4. */
    orderers: z.int().min(1).max(64).optional(),
    /** Who runs the orderers: an organisation of their own, the members in turn, or those named. Unset: the members for BFT. */
    operators: z.union([z.enum(['own-organisation', 'members']), z.array(z.string()).min(1).max(32)]).optional(),
    batchTimeoutMs: z.int().min(10).max(60_000),
    maxMessageCount: z.int().min(1).max(10_000),
    preferredMaxBytes: z.int().min(1024),
    absoluteMaxBytes: z.int().min(1024),
  }),
  content: z
    .strictObject({
      /** How many organisations must be able to give what is anchored (k). */
      replicas: z.int().min(1).max(32),
      /** Whether a batch is anchored only once that many organisations have signed that they hold it. */
      anchorAfterReceipts: z.boolean().default(false),
    })
    .prefault({ replicas: 1 }),
  /** The private ledger of each organisation that says nothing of its own. */
  privateLedger: privateLedgerSection.default('none'),
  organisations: z.array(organisation).min(1).max(32),
});

/** A consortium as `topology.yaml` describes it. */
export type Topology = z.infer<typeof topologySchema>;
/** One organisation of it. */
export type TopologyOrganisation = Topology['organisations'][number];

/**
 * Reads and checks a topology file.
 * @throws WaymarkError `configuration-invalid`, naming the file, the key and what is expected.
 */
export async function readTopology(path: string): Promise<Topology> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${path}: cannot be read as YAML`, {
      details: { file: path },
      cause,
    });
  }
  return checkTopology(value, path);
}

/**
 * Checks a topology that was read from `path`.
 * @throws WaymarkError `configuration-invalid`
 */
export function checkTopology(value: unknown, path: string): Topology {
  const refuse = (place: string, reason: string): never => {
    throw new WaymarkError('configuration-invalid', `${path}: ${place === '' ? '' : `${place}: `}${reason}`, {
      details: { file: path, place },
    });
  };
  const result = topologySchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    return refuse(issue?.path.join('.') ?? '', issue?.message ?? 'invalid');
  }
  const topology = result.data;
  for (const key of ['mspId', 'domain'] as const) {
    const twice = repeatedOf(topology.organisations.map((organisation) => organisation[key]));
    if (twice !== undefined) refuse(key, `${twice} occurs twice`);
  }
  const separate = topology.organisations.findIndex(
    ({ mspId, domain }) => mspId === ordererOrganisation.mspId || domain === ordererOrganisation.domain,
  );
  if (separate >= 0)
    refuse(
      `organisations.${separate}`,
      `${ordererOrganisation.mspId} and ${ordererOrganisation.domain} are the orderers'`,
    );
  for (const [index, { outlets, leaderPeer }] of topology.organisations.entries()) {
    const place = `organisations.${index}`;
    const nodes = [...reservedNodes, leaderPeer, ...outlets.map(({ name }) => name)];
    const twice = repeatedOf(nodes) ?? nodes.find((name) => ordererName.test(name));
    if (twice !== undefined) refuse(place, `${twice} names two nodes, or one that Waymark itself names`);
  }
  for (const [index, organisation] of topology.organisations.entries()) {
    const problem = privateLedgerProblem(topology, organisation);
    if (problem !== undefined) refuse(`organisations.${index}.privateLedger`, problem);
  }
  const { replicas } = topology.content;
  if (replicas > topology.organisations.length) {
    refuse(
      'content.replicas',
      `${replicas} organisations cannot hold copies when there are ${topology.organisations.length}`,
    );
  }
  const { operators, preferredMaxBytes, absoluteMaxBytes } = topology.ordering;
  if (preferredMaxBytes > absoluteMaxBytes)
    refuse('ordering.preferredMaxBytes', `${preferredMaxBytes} is more than absoluteMaxBytes, ${absoluteMaxBytes}`);
  const operatesTwice = Array.isArray(operators) ? repeatedOf(operators) : undefined;
  if (operatesTwice !== undefined) refuse('ordering.operators', `${operatesTwice} occurs twice`);
  const stranger = Array.isArray(operators)
    ? operators.find((mspId) => topology.organisations.every((organisation) => organisation.mspId !== mspId))
    : undefined;
  if (stranger !== undefined) refuse('ordering.operators', `${stranger} is not one of the organisations`);
  const problem = orderingProblem(topology);
  if (problem !== undefined) refuse('ordering.orderers', problem);
  return topology;
}

/**
 * A topology with one organisation more, or with that one in place of what was said of it before. Who orders stays as it is.
 * @throws WaymarkError `configuration-invalid`
 */
export function withOrganisation(topology: Topology, organisation: TopologyOrganisation): Topology {
  const others = topology.organisations.filter(({ mspId }) => mspId !== organisation.mspId);
  const place = topology.organisations.findIndex(({ mspId }) => mspId === organisation.mspId);
  const organisations = others.toSpliced(place < 0 ? others.length : place, 0, organisation);
  return checkTopology({ ...topology, ordering: settledOrdering(topology), organisations }, 'the topology');
}

/** What every organisation has beside its own nodes. */
const reservedNodes = ['center', 'reader', 'client', 'ipfs', 'chaincode'];
const ordererName = /^orderer[0-9]*$/;

function repeatedOf(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
