import { KeyObject, sign, X509Certificate } from 'node:crypto';
import { cidOfRaw, type CoseSigner, sha256, toHex } from '@waymark/protocol';
import {
  type Anchor,
  type Configuration,
  createCore,
  createCoseKeys,
  createCrypto,
  type Crypto,
  encodeAnchor,
  encodeConfiguration,
  type Header,
  makeAnchor,
  type MembershipChange,
  type Message,
  noSubmission,
  type Profile,
  type RslCore,
  type Seal,
  type SealedBlock,
  statementBytes,
  type SubmissionReceipt,
  submissionStatement,
  type VoteCertificate,
} from '@waymark/rsl';
import { register, type TestChannel, type TestOrganisation } from './consortium.ts';
import type { TestIdentity } from './identities.ts';

/** Members of a firm's ledger by default: center, standby, two departments. */
export const standardMembers = ['center-1', 'center-2', 'department-1', 'department-2'];

/** A firm's private ledger: real cores with real keys, and a wire that loses nothing. */
export interface TestLedger {
  readonly name: string;
  readonly first: Configuration;
  readonly identities: ReadonlyMap<string, TestIdentity>;
  readonly receipts: readonly SubmissionReceipt[];
  cryptoOf(member: string): Crypto;
  /** Makes a member center, by election or hand-over, until everything has come to rest. */
  elect(member: string): void;
  /** The center takes one record of a department; all that follows from it happens. */
  submit(department: string): void;
  change(change: MembershipChange): void;
  election(member: string): VoteCertificate | null;
  center(): string;
  confirmed(): number;
  block(height: number): SealedBlock;
  confirmation(height: number): readonly Seal[];
  /** An anchor of this range by the center, with its election when asked for. */
  anchorOf(first: number, last: number, options?: { withElection?: boolean }): Anchor;
}

export interface TestLedgerOptions {
  readonly members?: readonly string[];
  readonly extra?: readonly string[];
  readonly profile?: Profile;
  readonly eligible?: readonly string[];
  /** Members with keys that are there already; default new ones. */
  readonly identities?: ReadonlyMap<string, TestIdentity>;
  /** Channel that signatures are made for; default the tests' own. */
  readonly channel?: string;
  /** Default: organisation and channel. */
  readonly name?: string;
}

/** An argument of the contract. */
export const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
export const anchorArgument = (anchor: Anchor): string => encoded(encodeAnchor(anchor));

/** DER of an identity's certificate. */
export function derOf({ certificatePem }: TestIdentity): Uint8Array {
  return Buffer.from(certificatePem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
}

/** Signs as an identity. */
export function signerOf(identity: TestIdentity): CoseSigner {
  const key = KeyObject.from(identity.keys.privateKey);
  return {
    certificateDer: derOf(identity),
    sign: (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

/** Makes a ledger of an organisation; nothing of it is on chain yet. */
export async function createTestLedger(
  organisation: Pick<TestOrganisation, 'admin' | 'authority'>,
  options: TestLedgerOptions = {},
): Promise<TestLedger> {
  const { members = standardMembers, extra = [], profile = { center: 'lying', colluding: 0 } } = options;
  const { eligible = members.slice(0, 2), channel = 'waymark' } = options;
  const name = options.name ?? `${organisation.admin.mspId}/${channel}`;
  const all = [...members, ...extra];
  const identities = options.identities ?? (await issueAll(organisation, all));
  const keys = new Map(
    [...identities.values()].map((identity) => [
      identity.digest,
      new X509Certificate(identity.certificatePem).publicKey,
    ]),
  );
  const first: Configuration = {
    epoch: 1,
    members,
    learners: [],
    eligible,
    profile,
  };
  const cryptoOf = (member: string): Crypto => {
    const identity = identities.get(member);
    if (identity === undefined) throw new Error(member);
    return createCrypto({
      bodyId: ({ root, salt }) => cidOfRaw(statementBytes([root, salt])).toString(),
      ...createCoseKeys({
        channel,
        signer: signerOf(identity),
        publicKeyOf: (of, digest) =>
          identities.get(of)?.digest === toHex(digest) ? (keys.get(toHex(digest)) ?? null) : null,
      }),
    });
  };
  const receipts: SubmissionReceipt[] = [];
  const sequences = new Map<string, { seq: number; prev: string }>();
  const wire: Message[] = [];
  const cores = new Map<string, RslCore>();
  let nowMs = 1_767_225_600_000;
  let seed = 7;
  for (const member of all) {
    cores.set(
      member,
      createCore({
        ledger: name,
        id: member,
        configuration: first,
        crypto: cryptoOf(member),
        audit: {
          record: () => null,
          followsRejection: () => true,
          followsAcceptance: () => true,
          isRecorded: () => false,
        },
        random: () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0),
      }),
    );
  }
  const coreOf = (member: string): RslCore => {
    const core = cores.get(member);
    if (core === undefined) throw new Error(member);
    return core;
  };
  const settle = (): void => {
    for (let round = 0; round < 500; round += 1) {
      for (const core of cores.values()) {
        while (core.hasReady()) {
          const ready = core.ready();
          wire.push(...ready.early, ...ready.messages);
          receipts.push(...ready.receipts);
          core.advance();
        }
      }
      const batch = wire.splice(0);
      if (batch.length === 0) return;
      for (const message of batch) cores.get(message.to)?.step(message, nowMs);
    }
    throw new Error('the ledger does not come to rest');
  };
  const center = (): string => {
    const centers = all.filter((member) => coreOf(member).status().role === 'center');
    const [latest] = centers.sort((a, b) => coreOf(b).status().term - coreOf(a).status().term);
    if (latest === undefined) throw new Error('no center');
    return latest;
  };
  const accept = (result: { accepted: boolean }): void => {
    if (!result.accepted) throw new Error(JSON.stringify(result));
    settle();
    for (const core of cores.values()) core.tick(nowMs);
    settle();
  };
  const ledger: TestLedger = {
    name,
    first,
    identities,
    receipts,
    cryptoOf,
    elect(member) {
      const office = all.find((other) => coreOf(other).status().role === 'center');
      if (office === undefined) coreOf(member).campaign();
      else coreOf(office).handOver(member);
      settle();
      if (center() !== member) throw new Error(`${member} was not elected`);
    },
    submit(department) {
      nowMs += 10;
      const own = cryptoOf(department);
      const { seq, prev } = sequences.get(department) ?? { seq: 0, prev: noSubmission };
      const records = [{ oid: `${department}/${String(seq)}`, leaf: own.leafHash([department, seq]) }];
      const root = own.merkleRoot(records.map(({ leaf }) => leaf));
      const body = { ledger: name, department, seq: seq + 1, prev, root, records, attachment: new Uint8Array(0) };
      const statement = submissionStatement(body);
      const hash = own.digest(statement);
      sequences.set(department, { seq: seq + 1, prev: hash });
      accept(coreOf(center()).propose({ ...body, hash, signature: own.sign(statement) }, nowMs));
    },
    change(change) {
      nowMs += 10;
      accept(coreOf(center()).changeMembership(change));
    },
    election: (member) => coreOf(member).election(),
    center,
    confirmed: () => coreOf(center()).status().confirmed.height,
    block(height) {
      const block = coreOf(center()).block(height);
      if (block === null) throw new Error(`no block ${String(height)}`);
      return block;
    },
    confirmation(height) {
      const seals = coreOf(center()).confirmation(height);
      if (seals === null) throw new Error(`block ${String(height)} is not confirmed`);
      return seals;
    },
    anchorOf(from, last, { withElection = false } = {}) {
      const office = center();
      const headers: Header[] = [];
      for (let height = from; height <= last; height += 1) headers.push(ledger.block(height).seal.header);
      return makeAnchor(cryptoOf(office), {
        headers,
        seals: ledger.confirmation(last),
        center: office,
        term: coreOf(office).status().term,
        election: withElection ? coreOf(office).election() : null,
      });
    },
  };
  return ledger;
}

async function issueAll(
  { authority }: Pick<TestOrganisation, 'authority'>,
  members: readonly string[],
): Promise<ReadonlyMap<string, TestIdentity>> {
  return new Map(await Promise.all(members.map(async (member) => [member, await authority.issue(member)] as const)));
}

/** The proof of the configuration that a block holds. */
export function configurationArgument(ledger: TestLedger, height: number): string {
  const { content } = ledger.block(height).candidate;
  if (content.kind !== 'configuration') throw new Error('no configuration there');
  const seals = ledger.confirmation(height);
  return encoded(encodeConfiguration({ ledger: ledger.name, configuration: content.configuration, seals }));
}

/** The registration of a ledger's first members. */
export function registrationOf(
  { first, identities }: TestLedger,
  changes: {
    readonly configuration?: object;
    readonly certificates?: readonly string[];
    readonly inclusionBlocks?: number;
  } = {},
): object {
  const { epoch, members, learners, eligible, profile } = first;
  const colluding = profile.center === 'lying' ? profile.colluding : null;
  return {
    configuration: { epoch, members, learners, eligible, colluding, ...changes.configuration },
    certificates: changes.certificates ?? [...identities.values()].map((identity) => encoded(derOf(identity))),
    inclusionBlocks: changes.inclusionBlocks ?? 4,
  };
}

/** Registers the members as nodes, and the ledger. */
export async function registerTestLedger(
  channel: TestChannel,
  organisation: TestOrganisation,
  ledger: TestLedger,
): Promise<void> {
  for (const [member, identity] of ledger.identities)
    await register(channel, organisation, identity, member.startsWith('center') ? 'center' : 'department');
  await channel.submit(organisation.admin, 'anchors:registerLedger', registrationOf(ledger));
}

/** SHA-256 of a text, as the tests need digests. */
export const digestOf = (text: string): string => toHex(sha256(Buffer.from(text)));
