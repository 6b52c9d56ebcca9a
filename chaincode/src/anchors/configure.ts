import { Refusal, refuseInput } from '../errors.ts';
import { canonicalJson } from '../json/canonical.ts';
import type { Caller } from '../identity/caller.ts';
import { requireAdmin, requireNode, requireOrganisation } from '../participants/authority.ts';
import { nodeKey } from '../participants/model.ts';
import type { Ledger } from '../state/ledger.ts';
import { requireConfirmed, requireLedger } from './confirmation.ts';
import type { configurationInput, registrationInput } from './input.ts';
import { memberKinds, registerCertificates, type LedgerContext } from './members.ts';
import { leafHash } from './merkle.ts';
import {
  configurationKey,
  headKey,
  ledgerKey,
  type Configuration,
  type PrivateLedger,
  type StoredConfiguration,
} from './model.ts';
import { readConfiguration } from './quorum.ts';
import { configuring } from './statements.ts';

/** What a registration or a change of the members did. */
export interface ConfigurationOutcome {
  readonly configuration: StoredConfiguration;
  /** Whether this call changed nothing. */
  readonly repeated: boolean;
}

/**
 * Registers the organisation's private ledger with its first members: the ledger's root of trust on the channel. Later epochs are proven by the members
 * themselves (`configure`), so no admin can change them.
 *
 * @throws `role-not-permitted`, `conflict`, `input-invalid`, and as `registerCertificates`
 */
export async function registerLedger(
  context: LedgerContext,
  caller: Caller,
  input: ReturnType<typeof registrationInput>,
  txId: string,
): Promise<ConfigurationOutcome> {
  const { ledger, msp, name } = context;
  requireAdmin(caller);
  await requireOrganisation(ledger, msp);
  const configuration = readConfiguration(input.configuration, 'registration.configuration');
  if (configuration.epoch !== 1) refuseInput('registration.configuration.epoch', 'is not 1');
  const { inclusionBlocks } = input;
  const registered = await ledger.get(ledgerKey(msp));
  const existing = await ledger.get(configurationKey(msp, 1));
  if (registered !== undefined && existing !== undefined) {
    if (isSame(existing, configuration) && registered.inclusionBlocks === inclusionBlocks)
      return { configuration: existing, repeated: true };
    throw new Refusal('conflict', { ledger: name, reason: 'already-registered' });
  }
  await registerCertificates(context, input.certificates, txId);
  await requireKnownMembers(context, configuration);
  const stored: StoredConfiguration = { v: 1, msp, ...configuration, height: 0, hash: null, txId };
  await ledger.put(ledgerKey(msp), {
    v: 1,
    ledger: name,
    msp,
    epoch: 1,
    inclusionBlocks,
    by: caller.enrolmentId,
    txId,
  });
  await ledger.put(headKey(msp), { v: 1, msp, last: 0, hash: null, term: 0, center: null, epoch: 1 });
  await ledger.put(configurationKey(msp, 1), stored);
  return { configuration: stored, repeated: false };
}

/**
 * Takes the next epoch's members, as a block of the ledger has them that the members before and these ones have confirmed. Written once.
 *
 * @throws `role-not-permitted`, `sequence-gap`, `conflict`, and as `requireConfirmed`
 */
export async function configure(
  context: LedgerContext,
  caller: Caller,
  input: ReturnType<typeof configurationInput>,
  txId: string,
): Promise<ConfigurationOutcome> {
  const { ledger, msp, name } = context;
  await requireOrganisation(ledger, msp);
  await requireNode(ledger, caller, memberKinds);
  requireLedger(name, input.ledger);
  const configuration = readConfiguration(input.configuration, 'configuration.configuration');
  const registered = await requireRegistered(ledger, msp);
  const { epoch } = configuration;
  const existing = await ledger.get(configurationKey(msp, epoch));
  if (existing !== undefined) {
    if (isSame(existing, configuration)) return { configuration: existing, repeated: true };
    throw new Refusal('conflict', { epoch, reason: 'epoch-used' });
  }
  const expected = registered.epoch + 1;
  if (epoch !== expected) throw new Refusal('sequence-gap', { epoch, expected, reason: 'epoch' });
  const before = await ledger.get(configurationKey(msp, registered.epoch));
  if (before === undefined) throw new Refusal('sequence-gap', { epoch: registered.epoch, reason: 'configuration' });
  requireOneChange(before, configuration);
  const rules = { place: 'configuration.seals', mustBeValid: true, joining: configuration };
  const header = await requireConfirmed(context, input.seals, rules);
  if (Buffer.from(leafHash(configuring(configuration))).toString('hex') !== header.root)
    refuseInput('configuration.configuration', 'is not what the block holds');
  const stored: StoredConfiguration = { v: 1, msp, ...configuration, height: header.height, hash: header.hash, txId };
  await ledger.put(configurationKey(msp, epoch), stored);
  await ledger.put(ledgerKey(msp), { ...registered, epoch, txId });
  return { configuration: stored, repeated: false };
}

/**
 * The ledger as registered.
 *
 * @throws `refused`
 */
export async function requireRegistered(ledger: Ledger, msp: string): Promise<PrivateLedger> {
  const registered = await ledger.get(ledgerKey(msp));
  if (registered === undefined) throw new Refusal('refused', { msp, reason: 'not-there' });
  return registered;
}

/** A member whose node is not registered could never sign: more likely a misspelt name than meant. */
async function requireKnownMembers({ ledger, msp }: LedgerContext, { members }: Configuration): Promise<void> {
  for (const member of members) {
    if ((await ledger.get(nodeKey(msp, member))) === undefined)
      throw new Refusal('role-not-permitted', { enrolmentId: member, mspId: msp, reason: 'node-not-registered' });
  }
}

/** One node at a time (Raft thesis section 4.1), and never the profile. */
function requireOneChange(before: Configuration, next: Configuration): void {
  const added = next.members.filter((member) => !before.members.includes(member)).length;
  const removed = before.members.filter((member) => !next.members.includes(member)).length;
  if (added + removed > 1) refuseInput('configuration.configuration.members', 'change by more than one');
  if (canonicalJson(before.profile) !== canonicalJson(next.profile))
    refuseInput('configuration.configuration.colluding', 'changes');
}

function isSame(stored: StoredConfiguration, configuration: Configuration): boolean {
  const { epoch, members, learners, eligible, profile } = stored;
  return canonicalJson({ epoch, members, learners, eligible, profile }) === canonicalJson(configuration);
}
