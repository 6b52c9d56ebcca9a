import { readFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';
import { parse } from 'yaml';
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'a lower-case DNS label');

const outlet = z.strictObject({
  name,
  /** Whether the outlet runs a peer of its organisation (S12's do). */
  peer: z.boolean().default(false),
});

const organisation = z.strictObject({
  mspId: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,62}$/, 'letters and digits'),
  domain: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}$/, 'a domain name'),
  name: z.string().min(1).max(80),
  role: z.enum(['producer', 'carrier', 'seller', 'regulator']),
  field: z.string().max(40).optional(),
  /** The one leader peer, which is the organisation's anchor peer (S1). */
  leaderPeer: name,
  /** Whether the firm's center can open what its outlets seal (vault.md: firm policy). */
  centerIsRecipient: z.boolean(),
  outlets: z.array(outlet).min(1).max(64),
});

const topologySchema = z.strictObject({
  version: z.literal(1),
  channel: z.string().regex(/^[a-z][a-z0-9.-]{0,248}$/, "Fabric's channel name form"),
  chaincode: z.strictObject({ name, version: z.string(), sequence: z.int().min(1) }),
  ordering: z.strictObject({
    type: z.enum(['raft']),
    /** Unset: by S2, floor(organisations / 3) + 1. */
    orderers: z.int().min(1).max(64).optional(),
    batchTimeoutMs: z.int().min(10).max(60_000),
    maxMessageCount: z.int().min(1).max(10_000),
    preferredMaxBytes: z.int().min(1024),
    absoluteMaxBytes: z.int().min(1024),
  }),
  organisations: z.array(organisation).min(1).max(32),
});

/** A consortium as `topology.yaml` describes it. */
export type Topology = z.infer<typeof topologySchema>;
/** One organisation of it. */
export type TopologyOrganisation = Topology['organisations'][number];

/**
 * Number of orderers a topology gets: what it says, or S2's floor(organisations / 3) + 1.
 */
export function ordererCount(topology: Topology): number {
  return topology.ordering.orderers ?? Math.floor(topology.organisations.length / 3) + 1;
}

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
  const result = topologySchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const place = issue?.path.join('.') ?? '';
    throw new WaymarkError('configuration-invalid', `${path}: ${place}: ${issue?.message ?? 'invalid'}`, {
      details: { file: path, place },
    });
  }
  const topology = result.data;
  for (const key of ['mspId', 'domain'] as const) {
    const values = topology.organisations.map((organisation) => organisation[key]);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) {
      throw new WaymarkError('configuration-invalid', `${path}: ${key} ${twice} occurs twice`, {
        details: { file: path, place: key },
      });
    }
  }
  return topology;
}
