import assert from 'node:assert/strict';
import { type Consortium, ledgerMembers, ledgerStatus, type LedgerStatus, type RunningService } from '@waymark/network';
import { restClient } from '../support/rest-client.ts';
import type { Firm, Identity } from '../support/running-consortium.ts';
import type { Ledger } from '@waymark/fabric';
import { until } from './waiting.ts';

/** A consortium that runs. */
interface Place {
  readonly consortium: Consortium;
}

/** An anchor as `anchors:list` gives it. */
export interface Anchor {
  readonly first: number;
  readonly last: number;
  readonly term: number;
  readonly center: string;
  readonly txId: string;
}

/** A block as a member lists it. */
export interface Block {
  readonly height: number;
  readonly hash: string;
  readonly term: number;
  readonly center: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly anchorTxId: string | null;
}

/** A member's whole check of its chain. */
export interface Verified {
  readonly height: number;
  readonly valid: boolean;
  readonly problems: readonly unknown[];
}

const blocksPerPage = 200;
const anchorsPerPage = 100;

/** Whether the firm keeps a private ledger. */
export function keepsLedger({ consortium }: Place, { organisation }: Firm): boolean {
  return ledgerMembers(consortium.topology, organisation).length > 0;
}

/** The firm's services that are members of its ledger. */
export function memberServices({ consortium }: Place, { organisation }: Firm): RunningService[] {
  const nodes = ledgerMembers(consortium.topology, organisation).map(({ node }) => node);
  return consortium.services.filter(
    ({ node, organisation: { mspId } }) => mspId === organisation.mspId && nodes.includes(node),
  );
}

/** How the firm's ledger stands, as its members say. */
export async function ledgerOf({ consortium }: Place, { mspId }: Firm): Promise<LedgerStatus> {
  const found = (await ledgerStatus(consortium)).find((ledger) => ledger.mspId === mspId);
  assert.ok(found !== undefined, `${mspId} keeps a private ledger`);
  return found;
}

/** Waits until the firm's ledger is as it should be. */
export function untilLedger(
  system: Place,
  firm: Firm,
  what: string,
  isSo: (ledger: LedgerStatus) => boolean | Promise<boolean>,
): Promise<LedgerStatus> {
  return until(`the ledger of ${firm.mspId}: ${what}`, async () => {
    const ledger = await ledgerOf(system, firm);
    return (await isSo(ledger)) ? ledger : undefined;
  });
}

/** Waits until somebody is in office, all members have every block, and the channel has what is confirmed. */
export function untilSettled(system: Place, firm: Firm): Promise<LedgerStatus> {
  return untilLedger(
    system,
    firm,
    'everything is with every member and anchored',
    ({ center, confirmed, anchored, members }) =>
      center !== null && confirmed === anchored && members.every(({ lag }) => lag === 0),
  );
}

/** All anchors of a ledger, in order, as the channel has them for the firm; default: of its own. */
export async function anchorsOf(
  channels: { ledger(firm: Firm, node: string): Promise<Ledger> },
  firm: Firm,
  mspId = firm.mspId,
): Promise<Anchor[]> {
  const channel = await channels.ledger(firm, 'reader');
  const anchors: Anchor[] = [];
  for (let from: number | null = 1; from !== null;) {
    const page = await channel.evaluate('anchors', 'list', [mspId, String(from), String(anchorsPerPage)]);
    const { items, next } = JSON.parse(Buffer.from(page).toString('utf8')) as { items: Anchor[]; next: number | null };
    anchors.push(...items);
    from = next;
  }
  return anchors;
}

/** Blocks above a height, as one member has them. */
export async function blocksAbove(firm: Firm, member: RunningService, above: number): Promise<Block[]> {
  const rest = await restOf(firm, member);
  const blocks: Block[] = [];
  for (;;) {
    const from = above + blocks.length + 1;
    const { status, body, text } = await rest('GET', `/v1/ledger/blocks?from=${from}&limit=${blocksPerPage}`);
    assert.equal(status, 200, text);
    const page = body?.['blocks'] as Block[];
    blocks.push(...page);
    if (page.length === 0 || blocks.length >= Number(body?.['height']) - above) return blocks;
  }
}

/** Address of a block's body, as the first member has it. */
export async function bodyOf(system: Place, firm: Firm, height: number): Promise<string> {
  const [member] = memberServices(system, firm);
  assert.ok(member !== undefined);
  const { status, body, text } = await (await restOf(firm, member))('GET', `/v1/ledger/blocks/${height}`);
  assert.equal(status, 200, text);
  return String(body?.['body']);
}

/** The member reads its whole chain from its disk, checks every hash and signature, and compares it with the channel's anchors. */
export async function verifiedBy(firm: Firm, member: RunningService): Promise<Verified> {
  const rest = await restOf(firm, member);
  const { body, text } = await rest('POST', '/v1/ledger/tasks', { kind: 'verify' });
  const id = body?.['id'];
  assert.ok(typeof id === 'string', text);
  const done = await until(`${member.process.name} to have checked its chain`, async () => {
    const task = (await rest('GET', `/v1/ledger/tasks/${id}`)).body;
    return task?.['state'] === 'running' ? undefined : task;
  });
  assert.equal(done['state'], 'done', JSON.stringify(done['problem']));
  return done['result'] as Verified;
}

/** Hands the office to another member, as the firm's administrator, and waits until it is there. */
export async function handOver(system: Place, firm: Firm, successor: string): Promise<void> {
  const admin = await firm.admin();
  await untilLedger(system, firm, `${successor} is in office`, async ({ center }) => {
    if (center === successor) return true;
    const service = memberServices(system, firm).find(({ node }) => node === center);
    if (service === undefined) return false;
    // Refused while the successor is behind, or while the office is on its way; it is asked for again.
    await (
      await restOf(firm, service, admin)
    )('POST', '/v1/ledger/hand-over', { member: successor }).catch(() => undefined);
    return false;
  });
}

/** Waits until the firm's first center is in office again, whoever took over from it. */
export function firstInOffice(system: Place, firm: Firm): Promise<void> {
  return handOver(system, firm, ledgerMembers(system.consortium.topology, firm.organisation)[0]?.node ?? '');
}

async function restOf(
  firm: Firm,
  { apiUrl }: RunningService,
  identity?: Identity,
): Promise<ReturnType<typeof restClient>> {
  return restClient(firm, Number(new URL(apiUrl).port), identity ?? (await firm.identity('reader')));
}
