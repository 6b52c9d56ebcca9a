import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import type { FabricNetworkPlan, OrganisationPlan } from '../options.ts';

const FILE = 'added-organisations.json';

/** A plan with the organisations that have joined since it was made; what the plan says of one counts. */
export async function withAddedOrganisations(plan: FabricNetworkPlan): Promise<FabricNetworkPlan> {
  const planned = new Set(plan.organisations.map(({ mspId }) => mspId));
  const added = await readAddedOrganisations(plan.dataDir);
  return { ...plan, organisations: [...plan.organisations, ...added.filter(({ mspId }) => !planned.has(mspId))] };
}

/** Remembers an organisation that is on the channel now, in place of what was remembered of it. */
export async function rememberOrganisation(dataDir: string, organisation: OrganisationPlan): Promise<void> {
  const { mspId, domain, peers } = organisation;
  const others = (await readAddedOrganisations(dataDir)).filter((other) => other.mspId !== mspId);
  const path = join(dataDir, FILE);
  await writeFile(`${path}.partial`, `${JSON.stringify([...others, { mspId, domain, peers }], null, 2)}\n`);
  await rename(`${path}.partial`, path);
}

async function readAddedOrganisations(dataDir: string): Promise<OrganisationPlan[]> {
  const path = join(dataDir, FILE);
  if (!existsSync(path)) return [];
  const value = parsed(await readFile(path, 'utf8'));
  if (Array.isArray(value) && value.every(isOrganisationPlan)) return value;
  throw new WaymarkError('data-abnormal', `${path} does not list organisations`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOrganisationPlan(value: unknown): value is OrganisationPlan {
  return (
    isRecord(value) &&
    typeof value['mspId'] === 'string' &&
    typeof value['domain'] === 'string' &&
    Array.isArray(value['peers']) &&
    value['peers'].every(
      (peer: unknown) =>
        isRecord(peer) &&
        typeof peer['name'] === 'string' &&
        ['port', 'chaincodePort', 'operationsPort'].every((key) => Number.isInteger(peer[key])),
    )
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
