import { createWorldState, type ShimOutcome, type WorldState } from '@waymark/testing/shim-peer';
import type { RunningChaincode } from './chaincode-process.ts';
import { createAuthority, type TestAuthority, type TestIdentity } from './identities.ts';

/** A refusal as the contract words it. */
export interface Refused {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An organisation with the identities that tests use. */
export interface TestOrganisation {
  readonly authority: TestAuthority;
  readonly admin: TestIdentity;
  readonly center: TestIdentity;
  readonly outlet: TestIdentity;
}

/** One chaincode process and one channel. */
export interface TestChannel {
  readonly chaincode: RunningChaincode;
  readonly state: WorldState;
  /** Runs without committing. */
  simulate(
    creator: TestIdentity,
    name: string,
    ...args: readonly (string | object | Uint8Array)[]
  ): Promise<ShimOutcome>;
  /** Runs and commits; throws when it is refused or found invalid. Returns the parsed answer. */
  submit(creator: TestIdentity, name: string, ...args: readonly (string | object | Uint8Array)[]): Promise<Answer>;
  /** Runs a call that must be refused. */
  refusal(creator: TestIdentity, name: string, ...args: readonly (string | object | Uint8Array)[]): Promise<Refused>;
}

/** A parsed answer; tests look into it. */
export type Answer = Readonly<Record<string, unknown>>;

/** Wraps a running chaincode and a fresh world state. */
export function createChannel(chaincode: RunningChaincode, state: WorldState = createWorldState()): TestChannel {
  const simulate: TestChannel['simulate'] = (creator, name, ...args) =>
    chaincode.peer.invoke({ name, args: args.map(toArgument), creator }, state);
  return {
    chaincode,
    state,
    simulate,
    async submit(creator, name, ...args) {
      const outcome = await simulate(creator, name, ...args);
      if (outcome.status !== 200) throw new Error(outcome.message);
      const validation = state.commit(outcome);
      if (validation !== 'VALID') throw new Error(validation);
      return parseAnswer(outcome);
    },
    async refusal(creator, name, ...args) {
      const outcome = await simulate(creator, name, ...args);
      return parseRefusal(outcome);
    },
  };
}

/** The JSON a call answered. */
export function parseAnswer(outcome: ShimOutcome): Answer {
  return JSON.parse(Buffer.from(outcome.payload).toString()) as Answer;
}

/** Takes `WAYMARK_<CODE>: {json}` apart; anything else fails the test, and so do writes or an event. */
export function parseRefusal(outcome: ShimOutcome): Refused {
  const match = /^WAYMARK_([A-Z_]+): (\{.*\})$/.exec(outcome.message);
  if (outcome.status !== 500 || match?.[1] === undefined || match[2] === undefined) {
    throw new Error(
      `not a refusal: ${String(outcome.status)} ${outcome.message} ${Buffer.from(outcome.payload).toString()}`,
    );
  }
  const details = JSON.parse(match[2]) as Record<string, unknown>;
  return { code: match[1], details };
}

function toArgument(argument: string | object | Uint8Array): string | Uint8Array {
  return typeof argument === 'string' || argument instanceof Uint8Array ? argument : JSON.stringify(argument);
}

/** Makes an organisation and its identities; nothing of it is on chain yet. */
export async function createOrganisation(mspId: string): Promise<TestOrganisation> {
  const authority = await createAuthority(mspId);
  const [admin, center, outlet] = await Promise.all([
    authority.issue('admin', 'admin'),
    authority.issue('center'),
    authority.issue('outlet-1'),
  ]);
  return { authority, admin, center, outlet };
}

/** Founds a consortium of carriers. */
export async function found(channel: TestChannel, organisations: readonly TestOrganisation[]): Promise<void> {
  const list = organisations.map(({ admin }) => ({ mspId: admin.mspId, role: 'carrier' }));
  for (const { admin } of organisations) await channel.submit(admin, 'participants:found', { organisations: list });
}

/** Registers an identity as a node of its organisation. */
export async function register(
  channel: TestChannel,
  { admin }: TestOrganisation,
  node: TestIdentity,
  kind: string,
): Promise<void> {
  await channel.submit(admin, 'participants:registerNode', {
    enrolmentId: node.enrolmentId,
    kind,
    certificates: [node.digest],
  });
}

/** A founded consortium of two carriers, each with a registered center and outlet. */
export async function createConsortium(
  chaincode: RunningChaincode,
): Promise<{ readonly channel: TestChannel; readonly a: TestOrganisation; readonly b: TestOrganisation }> {
  const [a, b] = await Promise.all([createOrganisation('Org1MSP'), createOrganisation('Org2MSP')]);
  const channel = createChannel(chaincode);
  await found(channel, [a, b]);
  for (const organisation of [a, b]) {
    await register(channel, organisation, organisation.center, 'center');
    await register(channel, organisation, organisation.outlet, 'outlet');
  }
  return { channel, a, b };
}
