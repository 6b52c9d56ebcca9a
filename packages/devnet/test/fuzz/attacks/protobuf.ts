import type { Random } from '../inputs/random.ts';
import { hostileSignature, type HostileIdentity } from '../inputs/hostile-identities.ts';
import { mutate, scramble } from '../inputs/mutate.ts';
import type { RawClient } from '../inputs/raw-client.ts';
import { buildOddProposal, type SeedMaker } from '../inputs/seeds.ts';
import { ORDERER_METHODS, PEER_METHODS, PROCESS_PROPOSAL, type Method } from '../inputs/services.ts';
import { judge } from '../rules.ts';
import { Reporter, type Report } from './report.ts';

/** Right requests are answered long before. */
const UNARY_TIMEOUT_MS = 12_000;
/** Requests that may wait are given up after this. */
const WAITING_TIMEOUT_MS = 150;
const IN_FLIGHT = 24;
const ALL_METHODS = [...PEER_METHODS, ...ORDERER_METHODS];

export interface ProtobufAttack {
  readonly random: Random;
  readonly seeds: SeedMaker;
  readonly channel: string;
  readonly peers: readonly RawClient[];
  readonly orderer: RawClient;
  readonly identities: readonly HostileIdentity[];
  readonly count: number;
  /** Default: all of them. */
  readonly methods?: readonly Method[];
}

interface Shot {
  readonly client: RawClient;
  readonly method: Method;
  readonly request: Uint8Array;
  readonly what: string;
}

/** Sends damaged requests to every method of every port; a good part of them is signed over the damage. */
export async function attackProtobuf(attack: ProtobufAttack): Promise<Report> {
  const reporter = new Reporter();
  const shots = Array.from({ length: attack.count }, (_, index) =>
    aim(attack, attack.random.fork(`shot ${index}`), index),
  );
  let next = 0;
  const shoot = async () => {
    for (let shot = shots[next++]; shot !== undefined; shot = shots[next++]) await fire(shot, reporter);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, shoot));
  return reporter.report;
}

async function fire({ client, method, request, what }: Shot, reporter: Reporter): Promise<void> {
  const timeoutMs = method.mayWait ? WAITING_TIMEOUT_MS : UNARY_TIMEOUT_MS;
  const outcome =
    method.kind === 'unary'
      ? await client.unary(method.path, request, timeoutMs)
      : await client.stream(method.path, [request], timeoutMs);
  reporter.sent(outcome.code);
  const reason = judge(method, outcome);
  if (reason !== undefined) {
    reporter.violation(`${reason}\n  after ${what}\n  ${Buffer.from(request.subarray(0, 2000)).toString('base64')}`);
  }
}

/** Goes round the methods, so that each gets its share; which port follows from the seed. */
function aim(attack: ProtobufAttack, random: Random, index: number): Shot {
  const methods = attack.methods ?? ALL_METHODS;
  const method = methods[index % methods.length] ?? PROCESS_PROPOSAL;
  const client = ORDERER_METHODS.includes(method) ? attack.orderer : random.pick(attack.peers);
  const shot = (request: Uint8Array, what: string): Shot => ({
    client,
    method,
    request,
    what: `shot ${index}: ${what}`,
  });
  if (method === PROCESS_PROPOSAL && random.chance(0.35)) {
    const identity = random.pick(attack.identities);
    const creator = random.chance(0.3) ? attack.seeds.signer.serialized : identity.serialized;
    const proposal = buildOddProposal(random, attack.seeds.signer, attack.channel, creator);
    if (random.chance(0.4)) proposal.setSignature(hostileSignature(random, proposal.getSignature_asU8()));
    return shot(proposal.serializeBinary(), `odd proposal by ${identity.name}`);
  }
  const seed = attack.seeds.make(random, method);
  if (random.chance(0.1)) {
    const { name, bytes } = scramble(random, seed.wrap(seed.signed, seed.signer.sign(seed.signed)));
    return shot(bytes, name);
  }
  if (random.chance(0.2)) {
    const { name, bytes } = mutate(random, seed.wrap(seed.signed, seed.signer.sign(seed.signed)));
    return shot(bytes, `${name}, not signed again`);
  }
  if (random.chance(0.1))
    return shot(seed.wrap(seed.signed, hostileSignature(random, seed.signer.sign(seed.signed))), 'hostile signature');
  const { name, bytes } = mutate(random, seed.signed);
  return shot(seed.wrap(bytes, seed.signer.sign(bytes)), `${name}, signed`);
}
