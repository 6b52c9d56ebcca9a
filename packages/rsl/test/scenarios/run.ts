import {
  type AppendMessage,
  type Candidate,
  candidateStatement,
  type MemberId,
  type Message,
  receiptStatement,
} from '../../src/index.ts';
import { contentRoot } from '../../src/block/content-root.ts';
import { type Cluster, type ClusterOptions, createCluster } from '../support/cluster.ts';
import { fakeCrypto } from '../support/fake-crypto.ts';
import { describeContent, describeMessage, describeReady } from './describe.ts';
import type { Scenario } from './format.ts';

/** Runs a scenario; what each step prints, by its line. */
export function runScenario(scenario: Scenario): Map<number, string[]> {
  const stage = createStage();
  const outputs = new Map<number, string[]>();
  for (const part of scenario.parts) {
    if ('comment' in part) continue;
    const [name = '', ...args] = part.command.split(/\s+/);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw new Error(`line ${part.line}: there is no command "${name}"`);
    stage.printed = [];
    command(stage, args);
    outputs.set(part.line, stage.printed.length === 0 ? ['ok'] : stage.printed);
  }
  return outputs;
}

interface Stage {
  cluster: Cluster | null;
  printed: string[];
  /** Messages are printed as they are delivered. */
  isVerbose: boolean;
  roles: Map<MemberId, string>;
}

function createStage(): Stage {
  return { cluster: null, printed: [], isVerbose: false, roles: new Map() };
}

type Command = (stage: Stage, args: readonly string[]) => void;

function clusterOf(stage: Stage): Cluster {
  if (stage.cluster === null) throw new Error('a scenario starts with "cluster"');
  return stage.cluster;
}

function word(args: readonly string[], index: number): string {
  const found = args[index];
  if (found === undefined) throw new Error('an argument is missing');
  return found;
}

function settings(args: readonly string[]): Map<string, string> {
  return new Map(args.filter((arg) => arg.includes('=')).map((arg) => arg.split('=', 2) as [string, string]));
}

/** Prints who became or ceased to be what. */
function printRoles(stage: Stage): void {
  for (const [id, { core, isDown }] of clusterOf(stage).members) {
    const { role, term } = core.status();
    const now = isDown ? 'down' : role === 'center' ? `center of term ${term}` : role;
    const before = stage.roles.get(id) ?? 'follower';
    if (now !== before && (now.startsWith('center') || before.startsWith('center')))
      stage.printed.push(`${id} is ${now}`);
    stage.roles.set(id, now);
  }
}

function work(stage: Stage, id: MemberId): void {
  const cluster = clusterOf(stage);
  cluster.work(id, (ready) => stage.printed.push(...describeReady(id, ready)));
  printRoles(stage);
}

function workAll(stage: Stage): void {
  for (const id of clusterOf(stage).members.keys()) work(stage, id);
}

function deliver(stage: Stage, only: (message: Message) => boolean): boolean {
  const cluster = clusterOf(stage);
  if (stage.isVerbose) stage.printed.push(...cluster.wire.filter(only).map(describeMessage));
  return cluster.deliver(only);
}

function settle(stage: Stage): void {
  for (let round = 0; round < 1_000; round += 1) {
    workAll(stage);
    if (!deliver(stage, () => true)) return;
  }
  throw new Error('the members do not come to rest');
}

/** `a>b`, `a`, or a type of message. */
function matching(args: readonly string[]): (message: Message) => boolean {
  return ({ from, to, type }) =>
    args.length === 0 || args.some((arg) => [`${from}>${to}`, `${from}>`, `>${to}`, type].includes(arg));
}

function printResult(stage: Stage, result: { accepted: boolean; reason?: string }): void {
  if (!result.accepted) stage.printed.push(`refused: ${String(result.reason)}`);
}

/** Makes a center's candidate into another one, signed by the center: what a lying center can do. */
function twin(message: AppendMessage, change: string): AppendMessage {
  const crypto = fakeCrypto(message.from);
  const entries = message.entries.map((entry, index) => {
    if (index !== message.entries.length - 1 || entry.seal !== null) return entry;
    const { candidate } = entry;
    const content = changed(candidate, change);
    const count = content.kind === 'records' ? content.audited.reduce((n, a) => n + a.submission.records.length, 0) : 0;
    const body = { ...candidate, content, count, root: change === 'root' ? 'made-up' : contentRoot(crypto, content) };
    const made =
      change === 'previous'
        ? { ...body, prev: 'made-up' }
        : change === 'height'
          ? { ...body, height: body.height + 1 }
          : body;
    return { seal: null, candidate: { ...made, signature: crypto.sign(candidateStatement(made)) } };
  });
  return { ...message, entries };
}

function changed({ content }: Candidate, change: string): Candidate['content'] {
  if (change === 'empty') return { kind: 'empty' };
  if (content.kind !== 'records') return content;
  const { audited } = content;
  switch (change) {
    case 'drop-first':
      return { kind: 'records', audited: audited.slice(1) };
    case 'forge':
      return {
        kind: 'records',
        audited: audited.map((a) => ({ ...a, submission: { ...a.submission, signature: 'made-up' } })),
      };
    case 'reject':
      return { kind: 'records', audited: audited.map((a) => ({ ...a, rejected: [{ index: 0, reason: 'schema' }] })) };
    case 'twice':
      return { kind: 'records', audited: [...audited, ...audited] };
    default:
      return content;
  }
}

const commands: Readonly<Record<string, Command>> = {
  cluster(stage, args) {
    const given = settings(args);
    const list = (name: string): string[] | undefined => given.get(name)?.split(',');
    const [center, colluding = '0'] = (given.get('profile') ?? 'lying:0').split(':');
    const follows = given.get('follows') !== 'nothing';
    const options: ClusterOptions = {
      members: list('members') ?? ['a', 'b', 'c', 'd'],
      learners: list('learners') ?? [],
      extra: list('extra') ?? [],
      profile: center === 'trusted' ? { center: 'trusted' } : { center: 'lying', colluding: Number(colluding) },
      limits: {
        inclusionBlocks: Number(given.get('inclusion') ?? '64'),
        closingTicks: Number(given.get('closing') ?? '0'),
      },
      audit: {
        record: (_, { oid }) => (oid.startsWith('bad') ? 'schema' : null),
        followsRejection: (_, { oid }) => follows && oid.startsWith('bad'),
      },
    };
    const eligible = list('eligible');
    stage.cluster = createCluster(eligible === undefined ? options : { ...options, eligible });
  },
  verbose(stage) {
    stage.isVerbose = true;
  },
  quiet(stage) {
    stage.isVerbose = false;
  },
  settle,
  campaign(stage, args) {
    clusterOf(stage).member(word(args, 0)).core.campaign();
    settle(stage);
  },
  /** Stands for election, and nothing is delivered yet. */
  stand(stage, args) {
    clusterOf(stage).member(word(args, 0)).core.campaign();
    work(stage, word(args, 0));
  },
  submit(stage, args) {
    const [department = '', ...oids] = args;
    const result = clusterOf(stage).submit(department, ...oids);
    printResult(stage, result);
    if (result.accepted && result.receipt !== null && clusterOf(stage).center() !== department) {
      clusterOf(stage).member(department).core.receipted(result.receipt);
    }
  },
  /** `throws-away b`: the center gives b a receipt for its next submission, and throws the submission away. */
  'throws-away'(stage, args) {
    const cluster = clusterOf(stage);
    const { department, seq, hash, ledger } = cluster.submission(word(args, 0), ['thrown-away']);
    const center = cluster.center() ?? '';
    const { term, height } = cluster.member(center).core.status();
    const body = { ledger, department, seq, hash, center, term, height, acceptedMs: cluster.nowMs };
    const signature = fakeCrypto(center).sign(receiptStatement(body));
    cluster.member(department).core.receipted({ ...body, signature });
  },
  /** Submits without the one before: `skip b` makes and throws away b's next submission. */
  skip(stage, args) {
    clusterOf(stage).submission(word(args, 0), ['skipped']);
  },
  work(stage, args) {
    for (const id of args) work(stage, id);
  },
  deliver(stage, args) {
    deliver(stage, matching(args));
  },
  drop(stage, args) {
    const { wire } = clusterOf(stage);
    const kept = wire.filter((message) => !matching(args)(message));
    stage.printed.push(...wire.filter(matching(args)).map((message) => `lost: ${describeMessage(message)}`));
    wire.splice(0, wire.length, ...kept);
  },
  /** `lie a>b CHANGE`: the center's candidate on its way to b becomes another one. */
  lie(stage, args) {
    const { wire } = clusterOf(stage);
    const isMeant = matching([word(args, 0)]);
    wire.forEach((message, index) => {
      if (message.type === 'append' && isMeant(message)) wire[index] = twin(message, word(args, 1));
    });
  },
  cut(stage, args) {
    for (const link of args) clusterOf(stage).cut.add(link);
  },
  heal(stage) {
    clusterOf(stage).cut.clear();
  },
  tick(stage, args) {
    const ids = args.slice(1);
    for (let count = Number(args[0] ?? '1'); count > 0; count -= 1) {
      if (ids.length > 0) clusterOf(stage).tick(ids);
      else clusterOf(stage).tick();
      settle(stage);
    }
  },
  crash(stage, args) {
    for (const id of args) clusterOf(stage).member(id).isDown = true;
    printRoles(stage);
  },
  /** `restart a [lose=N]`: the last N steps had not reached the disk. */
  restart(stage, args) {
    const id = word(args, 0);
    const lost = Number(settings(args).get('lose') ?? '0');
    clusterOf(stage).restart(id, clusterOf(stage).member(id).disk.length - lost);
    work(stage, id);
  },
  'hand-over'(stage, args) {
    const cluster = clusterOf(stage);
    printResult(stage, cluster.member(cluster.center() ?? '').core.handOver(word(args, 0)));
    settle(stage);
  },
  membership(stage, args) {
    const cluster = clusterOf(stage);
    const type = word(args, 0) as 'add-learner' | 'promote' | 'remove';
    printResult(stage, cluster.member(cluster.center() ?? '').core.changeMembership({ type, member: word(args, 1) }));
  },
  compact(stage, args) {
    const snapshot = clusterOf(stage)
      .member(word(args, 0))
      .core.compact(Number(word(args, 1)));
    stage.printed.push(snapshot === null ? 'not possible' : `snapshot of ${snapshot.height}`);
  },
  anchored(stage, args) {
    const { core } = clusterOf(stage).member(word(args, 0));
    const height = Number(word(args, 1));
    core.anchored(height, args[2] ?? core.block(height)?.seal.hash ?? '');
    work(stage, word(args, 0));
  },
  state(stage, args) {
    for (const [id, { core, isDown }] of clusterOf(stage).members) {
      if (args.length > 0 && !args.includes(id)) continue;
      const { role, term, height, sealed, confirmed, center, configuration } = core.status();
      const who = isDown ? 'down' : role === 'center' ? 'center' : `${role} of ${center ?? 'nobody'}`;
      stage.printed.push(
        `${id} ${who}, term ${term}, height ${height}, sealed ${sealed.height}, confirmed ${confirmed.height}, epoch ${configuration.epoch}`,
      );
    }
  },
  /** The blocks that a member holds. */
  chain(stage, args) {
    const { core } = clusterOf(stage).member(word(args, 0));
    const { firstHeight, sealed } = core.status();
    for (let height = firstHeight; height <= sealed.height; height += 1) {
      const block = core.block(height);
      if (block !== null)
        stage.printed.push(`${height}/${block.candidate.term} ${describeContent(block.candidate.content)}`);
    }
  },
};
