import type {
  Ack,
  AuditedSubmission,
  Candidate,
  Configuration,
  LogEntry,
  Message,
  Seal,
  Snapshot,
  Submission,
  VoteCertificate,
} from '../../src/index.ts';
import { acksNeeded, membershipOf } from '../check/recompute.ts';
import { LEDGER } from '../member/submitter.ts';
import type { SimKeys } from '../world/keys.ts';
import type { Random } from '../world/random.ts';
import { countFault, type FaultCounts } from '../world/trace.ts';
import type { Wire } from '../world/wire.ts';
import { forgeAck, forgeCandidate, forgeSeal, tipAfter, type Tip } from './forge.ts';
import { auditTruly, type Lie, records, twistContent } from './lies.ts';

/** What a lying center starts from: it was elected, and its core's state is its own. */
export interface PuppetStart {
  readonly name: string;
  readonly term: number;
  readonly configuration: Configuration;
  readonly tip: Tip;
  /** The block at the tip, for departments that hold only its candidate. */
  readonly tipSeal: Seal;
  readonly election: VoteCertificate | null;
  readonly lies: readonly Lie[];
  /** Departments in league with it: it signs for them. */
  readonly colluders: readonly string[];
  readonly keys: SimKeys;
  readonly random: Random;
  readonly faults: FaultCounts;
  readonly wallMs: () => number;
  readonly isRecorded: (oid: string) => boolean;
  readonly send: (to: string, wire: Wire) => void;
  readonly anchor: (
    block: { candidate: Candidate; seal: Seal },
    above: readonly { candidate: Candidate; seal: Seal }[],
  ) => void;
}

/** A center that lies: it does by hand what the core would do for it, and something else now and then. */
export interface Puppet {
  tick(): void;
  receive(from: string, wire: Wire): void;
}

interface Entry {
  readonly candidate: Candidate;
  readonly below: Tip;
  readonly acks: Map<string, Ack>;
  readonly lie: Lie | null;
  seal: Seal | null;
}

/** One story, and the departments that are told it. */
interface Branch {
  readonly audience: readonly string[];
  entries: Entry[];
  readonly sealedAt: Map<string, number>;
  patience: number;
  quiet: number;
  /** Ticks since the last sealed block was sent, while nobody takes it. */
  ignored: number;
}

export function createPuppet(start: PuppetStart): Puppet {
  const { name, configuration, keys, random, faults, lies } = start;
  const membership = membershipOf(configuration);
  const departments = configuration.members.filter((member) => member !== name);
  const needed = acksNeeded(membership);
  const learners = configuration.learners;
  const queue = new Map<string, Map<number, Submission>>();
  const dropped = new Map<string, number>();
  const earlier: AuditedSubmission[] = [];
  const term = lies.includes('unelected-term') ? start.term + 1 : start.term;
  let salts = 0;
  let deposed = false;

  const branches: Branch[] = split();

  function split(): Branch[] {
    if (!lies.includes('equivocate')) return [branchFor([...departments, ...learners])];
    const others = random.shuffled(departments.filter((member) => !start.colluders.includes(member)));
    const half = (others.length + 1) >> 1;
    return [branchFor([...others.slice(0, half), ...learners]), branchFor(others.slice(half))];
  }

  function branchFor(audience: readonly string[]): Branch {
    return {
      audience,
      entries: [],
      sealedAt: new Map(audience.map((member) => [member, start.tip.height])),
      patience: 6,
      quiet: 0,
      ignored: 0,
    };
  }

  function tipOf(branch: Branch): Tip {
    const last = branch.entries.at(-1);
    if (last === undefined) return start.tip;
    return last.seal === null ? last.below : tipAfter(last.below, last.candidate, last.seal);
  }

  /** The next submissions of every department, in the order of their sequences. */
  function gather(tip: Tip): AuditedSubmission[] {
    const seen = new Set<string>();
    const audited: AuditedSubmission[] = [];
    for (const [department, waiting] of queue) {
      let seq = tip.cursors.get(department)?.seq ?? 0;
      for (let taken = 0; taken < 3; taken += 1) {
        seq += 1;
        const submission = waiting.get(seq);
        if (submission === undefined || dropped.get(department) === seq) break;
        audited.push(auditTruly(submission, isTaken(tip), seen));
      }
    }
    return audited;
  }

  function isTaken(tip: Tip): (oid: string) => boolean {
    const own = new Set<string>();
    for (const { submission, rejected } of earlier) {
      if ((tip.cursors.get(submission.department)?.seq ?? 0) < submission.seq) continue;
      submission.records.forEach(({ oid }, index) => {
        if (!rejected.some((one) => one.index === index)) own.add(oid);
      });
    }
    return (oid) => own.has(oid) || start.isRecorded(oid);
  }

  /** The other story: as if one department had sent nothing. */
  function withoutOne(honest: readonly AuditedSubmission[]): readonly AuditedSubmission[] {
    return honest.filter(({ submission }) => submission.department !== honest[0]?.submission.department);
  }

  function propose(branch: Branch, which: number): void {
    const tip = tipOf(branch);
    const honest = gather(tip);
    const lie = random.chance(600) ? random.pick(lies) : null;
    salts += 1;
    const draft = {
      center: name,
      term,
      epoch: configuration.epoch,
      tip,
      content: records(which === 1 ? withoutOne(honest) : honest),
      salt: `${name}-${term}-${salts}`,
    };
    const content = lie === null ? null : twistContent(lie, honest, { name, keys, random, earlier });
    let candidate: Candidate;
    if (lie !== null && content !== null) {
      const twist = {
        'wrong-root': { root: 'f'.repeat(64) },
        'wrong-count': { count: 77 },
        'wrong-link': { prev: random.chance(500) ? 'e'.repeat(64) : (branch.entries.at(-1)?.below.hash ?? '') },
        'skip-height': { height: tip.height + 2 },
        'old-epoch': { epoch: configuration.epoch > 1 ? configuration.epoch - 1 : configuration.epoch + 1 },
      }[lie as string];
      candidate = forgeCandidate(keys, { ...draft, content, ...twist });
      countFault(faults, `lie:${lie}`);
    } else {
      candidate = forgeCandidate(keys, draft);
      if (branches.length > 1) countFault(faults, 'lie:equivocate');
    }
    const acks = new Map<string, Ack>();
    for (const colluder of start.colluders) acks.set(colluder, forgeAck(keys, colluder, candidate, start.wallMs()));
    branch.entries.push({ candidate, below: tip, acks, lie, seal: null });
    branch.patience = 6;
    if (candidate.content.kind === 'records') earlier.push(...candidate.content.audited);
  }

  function seal(branch: Branch, entry: Entry): void {
    const { candidate, below, lie } = entry;
    const acks = [...entry.acks.values()].filter(({ member }) => departments.includes(member));
    const wants = (one: Lie): boolean => lie === one || (lie === null && lies.includes(one) && random.chance(150));
    const forged: Ack[] = [];
    const outsider = forgeAck(keys, learners[0] ?? 'm99', candidate, start.wallMs());
    if (wants('own-acknowledgement')) forged.push(forgeAck(keys, name, candidate, start.wallMs()));
    else if (wants('foreign-acknowledgement')) forged.push(outsider);
    else if (wants('forged-acknowledgement')) {
      const absent = departments.find((member) => !entry.acks.has(member));
      if (absent !== undefined) forged.push({ ...outsider, member: absent });
    } else if (wants('repeated-acknowledgement') && acks[0] !== undefined) forged.push(acks[0]);
    const isShort = forged.length > 0 || wants('short-certificate');
    if (acks.length < (isShort ? needed - 1 : needed)) return;
    if (isShort) countFault(faults, `lie:${forged.length > 0 ? 'forged-certificate' : 'short-certificate'}`);
    const chosen = isShort ? [...acks.slice(0, needed - 1), ...forged] : acks;
    const isStamped = wants('false-timestamp');
    if (isStamped) countFault(faults, 'lie:false-timestamp');
    entry.seal = forgeSeal(
      keys,
      below,
      candidate,
      chosen,
      isStamped ? { timestampShiftMs: random.pick([-5, 7, 3_600_000]) } : {},
    );
    if (wants('reuse-acks')) reuse(branch, entry, chosen);
    else if (wants('twin-headers')) twin(branch, entry, acks);
    if (wants('anchor-unsealed') || wants('anchor-twin')) anchorFalsely(entry, acks);
  }

  /** Another candidate for half of the audience, with the acknowledgements of the one that was proposed. */
  function reuse(branch: Branch, entry: Entry, acks: readonly Ack[]): void {
    const { candidate, below } = entry;
    salts += 1;
    const other = forgeCandidate(keys, {
      center: name,
      term,
      epoch: candidate.epoch,
      tip: below,
      content: candidate.content.kind === 'empty' ? records(gather(below)) : { kind: 'empty' },
      salt: `${name}-${term}-${salts}`,
    });
    const twinSeal = forgeSeal(keys, below, other, acks);
    countFault(faults, 'lie:reuse-acks');
    tell(branch, { candidate: other, seal: twinSeal }, below);
  }

  function twin(branch: Branch, entry: Entry, acks: readonly Ack[]): void {
    const { candidate, below } = entry;
    const other = acks.length > needed ? acks.slice(1) : acks;
    const twinSeal = forgeSeal(keys, below, candidate, other, acks.length > needed ? {} : { timestampShiftMs: 1 });
    countFault(faults, 'lie:twin-headers');
    tell(branch, { candidate, seal: twinSeal }, below);
  }

  function tell(branch: Branch, entry: LogEntry, below: Tip): void {
    for (const to of branch.audience.filter(() => random.chance(500))) {
      post(to, {
        type: 'append',
        from: name,
        to,
        term,
        prev: { height: below.height, hash: below.hash },
        seal: null,
        entries: [entry],
        election: start.election,
      });
    }
  }

  function anchorFalsely(entry: Entry, acks: readonly Ack[]): void {
    const { candidate, below } = entry;
    countFault(faults, 'lie:anchor');
    const twinSeal = forgeSeal(keys, below, candidate, acks, { timestampShiftMs: 1 });
    start.anchor({ candidate, seal: twinSeal }, []);
    const next = forgeCandidate(keys, {
      center: name,
      term,
      epoch: candidate.epoch,
      tip: tipAfter(below, candidate, twinSeal),
      content: { kind: 'empty' },
      salt: 'twin',
    });
    start.anchor({ candidate, seal: twinSeal }, [{ candidate: next, seal: forgeSeal(keys, below, next, acks) }]);
  }

  /** Another content for a height that is sealed already. */
  function rewrite(branch: Branch): void {
    const at = branch.entries.findLastIndex((entry) => entry.seal !== null);
    const entry = branch.entries[at];
    if (entry === undefined) return;
    countFault(faults, 'lie:rewrite-block');
    branch.entries = branch.entries.slice(0, at);
    propose(branch, random.below(2));
    for (const [member, height] of branch.sealedAt) {
      branch.sealedAt.set(member, Math.min(height, entry.candidate.height - 1));
    }
  }

  /** Whether a seal goes round that nobody takes: it was found out. */
  function isIgnored(branch: Branch, { candidate }: Entry): boolean {
    const isTaken = [...branch.sealedAt.values()].some((height) => height >= candidate.height);
    branch.ignored = isTaken ? 0 : branch.ignored + 1;
    return branch.ignored > 5;
  }

  function sealTruly(branch: Branch, entry: Entry): void {
    branch.ignored = 0;
    const acks = [...entry.acks.values()].filter(({ member }) => departments.includes(member));
    if (acks.length >= needed) entry.seal = forgeSeal(keys, entry.below, entry.candidate, acks);
    else branch.entries.pop();
  }

  /** Another candidate for the place of the open one, for the same departments. */
  function change(branch: Branch, which: number): void {
    countFault(faults, 'lie:change-candidate');
    branch.entries.pop();
    propose(branch, 1 - Math.min(1, which));
    push(branch);
  }

  function falseCatchUp(branch: Branch): void {
    const tip = tipOf(branch);
    countFault(faults, 'lie:false-catch-up');
    salts += 1;
    const candidate = forgeCandidate(keys, {
      center: name,
      term,
      epoch: configuration.epoch,
      tip,
      content: records(gather(tip)),
      salt: `${name}-${salts}`,
    });
    const entry = {
      candidate,
      seal: forgeSeal(keys, tip, candidate, [forgeAck(keys, name, candidate, start.wallMs())]),
    };
    const after = tipAfter(tip, candidate, entry.seal);
    const second = forgeCandidate(keys, {
      center: name,
      term,
      epoch: configuration.epoch,
      tip: after,
      content: { kind: 'empty' },
      salt: 'x',
    });
    const third = {
      candidate: second,
      seal: forgeSeal(keys, after, second, [forgeAck(keys, name, second, start.wallMs())]),
    };
    for (const to of branch.audience.filter(() => random.chance(500))) {
      post(to, { type: 'blocks', from: name, to, term, snapshot: null, entries: [entry, third] });
    }
  }

  function falseSnapshot(branch: Branch): void {
    const tip = tipOf(branch);
    countFault(faults, 'lie:false-snapshot');
    const candidate = forgeCandidate(keys, {
      center: name,
      term,
      epoch: configuration.epoch,
      tip,
      content: { kind: 'empty' },
      salt: 'snapshot',
    });
    const acks = departments.map((member) => forgeAck(keys, member, candidate, start.wallMs()));
    const first = forgeSeal(
      keys,
      tip,
      candidate,
      acks.map((ack) => ({ ...ack, signature: 'f' })),
    );
    const snapshot: Snapshot = {
      height: tip.height + 1,
      salt: 'snapshot',
      cursors: [...tip.cursors]
        .map(([department, { seq, hash }]) => ({ department, seq: Math.max(0, seq - 1), hash }))
        .sort((a, b) => (a.department < b.department ? -1 : 1)),
      configuration,
      configurations: [],
      seals: [first],
    };
    for (const to of branch.audience.filter(() => random.chance(500))) {
      post(to, { type: 'snapshot', from: name, to, term, snapshot, election: start.election });
    }
  }

  function post(to: string, message: Message): void {
    start.send(to, { kind: 'core', message });
  }

  function push(branch: Branch): void {
    for (const to of branch.audience) {
      const from = branch.sealedAt.get(to) ?? start.tip.height;
      const above = branch.entries.filter(({ below }) => below.height >= from);
      const first = above[0];
      const prev = first?.below ?? tipOf(branch);
      const belowEntry = branch.entries.find((entry) => entry.seal?.hash === prev.hash);
      post(to, {
        type: 'append',
        from: name,
        to,
        term,
        prev: { height: prev.height, hash: prev.hash },
        seal: belowEntry?.seal ?? (prev.hash === start.tip.hash ? start.tipSeal : null),
        entries: above.slice(0, 4).map((entry) => ({ candidate: entry.candidate, seal: entry.seal })),
        election: start.election,
      });
    }
  }

  return {
    tick() {
      if (deposed && !lies.includes('stale-center')) return;
      if (deposed) countFault(faults, 'lie:stale-center');
      branches.forEach((branch, which) => {
        const open = branch.entries.at(-1);
        if (open !== undefined && open.seal !== null && isIgnored(branch, open)) {
          sealTruly(branch, open);
        } else if (open === undefined || open.seal !== null) {
          branch.quiet += 1;
          const due = gather(tipOf(branch)).length > 0 || branch.quiet % 3 === 0;
          if (open !== undefined && lies.includes('rewrite-block') && random.chance(150)) rewrite(branch);
          else if (due) propose(branch, which);
          if (lies.includes('false-catch-up') && random.chance(80)) falseCatchUp(branch);
          if (lies.includes('false-snapshot') && random.chance(80)) falseSnapshot(branch);
        } else {
          if (lies.includes('change-candidate') && random.chance(200)) {
            change(branch, which);
            return;
          }
          seal(branch, open);
          if (branch.entries.at(-1)?.seal === null) branch.patience -= 1;
          // Found out, or nobody there: it takes the story back and tries another one.
          if (branch.patience <= 0) branch.entries.pop();
        }
        push(branch);
      });
    },
    receive(from, wire) {
      if (wire.kind === 'submit') {
        const { submission } = wire;
        const { department, seq, hash } = submission;
        const waiting = queue.get(department) ?? new Map<number, Submission>();
        queue.set(department, waiting.set(seq, submission));
        if (lies.includes('drop-submission') && !dropped.has(department) && random.chance(300)) {
          countFault(faults, 'lie:drop-submission');
          dropped.set(department, seq);
        }
        const acceptedMs = start.wallMs();
        const height = branches[0]?.entries.at(-1)?.candidate.height ?? start.tip.height;
        const statement = ['waymark/rsl/receipt/v1', LEDGER, department, seq, hash, name, term, height, acceptedMs];
        const receipt = { ledger: LEDGER, department, seq, hash, center: name, term, height, acceptedMs };
        start.send(from, { kind: 'receipt', receipt: { ...receipt, signature: keys.sign(name, statement) } });
        return;
      }
      if (wire.kind !== 'core') return;
      const { message } = wire;
      if (message.term > term) deposed = true;
      if (message.type !== 'append-reply') return;
      for (const branch of branches) {
        if (!branch.audience.includes(from)) continue;
        branch.sealedAt.set(from, Math.max(start.tip.height, Math.min(message.sealed, message.height)));
        const open = branch.entries.at(-1);
        const { ack } = message;
        if (open?.seal !== null || ack === null) continue;
        const { candidate } = open;
        if (ack.height === candidate.height && ack.root === candidate.root && ack.term === term)
          open.acks.set(from, ack);
      }
    },
  };
}
