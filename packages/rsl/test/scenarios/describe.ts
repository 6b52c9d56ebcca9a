import type { Content, MemberId, Message, Ready } from '../../src/index.ts';

/** What a block holds, in a few words: `b#1(x,y!duplicate-oid)` is b's first submission with an accepted and a rejected record. */
export function describeContent(content: Content): string {
  if (content.kind === 'configuration') {
    const { epoch, members, learners } = content.configuration;
    return `epoch ${epoch}: ${members.join(',')}${learners.length > 0 ? ` learners ${learners.join(',')}` : ''}`;
  }
  if (content.kind === 'empty') return 'empty';
  return content.audited
    .map(({ submission, rejected }) => {
      const records = submission.records.map(({ oid }, index) => {
        const rejection = rejected.find((r) => r.index === index);
        return rejection === undefined ? oid : `${oid}!${rejection.reason}`;
      });
      return `${submission.department}#${submission.seq}(${records.join(',')})`;
    })
    .join(' ');
}

/** Lines of what a member has to tell after its duties. */
export function describeReady(id: MemberId, ready: Ready): string[] {
  const lines: string[] = [];
  if (ready.snapshot !== null) lines.push(`${id} installs the snapshot of ${ready.snapshot.height}`);
  for (const { candidate, seal } of ready.sealed) {
    const by = seal.certificate.map(({ member }) => member).join(',');
    lines.push(
      `${id} sealed ${candidate.height} in term ${candidate.term}, certificate ${by}: ${describeContent(candidate.content)}`,
    );
  }
  for (const { candidate } of ready.confirmed) lines.push(`${id} confirmed ${candidate.height}`);
  for (const alert of ready.alerts) {
    if (alert.type === 'refused') lines.push(`${id} refuses ${alert.height} of ${alert.center}: ${alert.reason}`);
    else if (alert.type === 'equivocation') lines.push(`${id} has proof that ${alert.evidence.center} lied`);
    else lines.push(`${id} holds another block ${alert.height} than the channel`);
  }
  for (const { department, seq, reason } of ready.returned) lines.push(`${id} returns ${department}#${seq}: ${reason}`);
  return lines;
}

/** One message in a line. */
export function describeMessage(message: Message): string {
  const head = `${message.from}->${message.to} ${message.type} term ${message.term}`;
  switch (message.type) {
    case 'append': {
      const entries = message.entries.map(
        ({ candidate, seal }) =>
          `${candidate.height}/${candidate.term}${seal === null ? '' : ' sealed'} ${describeContent(candidate.content)}`,
      );
      const seal = message.seal === null ? '' : ` seal ${message.seal.header.height}`;
      const election =
        message.election === null ? '' : ` elected by ${message.election.votes.map((v) => v.voter).join(',')}`;
      return `${head} on ${message.prev.height}${seal}${election} [${entries.join('; ')}]`;
    }
    case 'append-reply': {
      const ack = message.ack === null ? '' : ` ack ${message.ack.height}/${message.ack.term}`;
      const reason = message.reason === null ? '' : ` (${message.reason})`;
      return `${head} ${message.result} ${message.height} sealed ${message.sealed}${ack}${reason}`;
    }
    case 'vote-request': {
      const { sealed, candidate } = message.logEnd;
      const end = `${sealed.height}/${sealed.term}${candidate === null ? '' : `+${candidate.height}/${candidate.term}`}`;
      return `${head}${message.pre ? ' pre' : ''} log ${end}${message.handOver === null ? '' : ' by order'}`;
    }
    case 'vote-reply':
      return `${head}${message.pre ? ' pre' : ''} ${message.granted ? 'yes' : `no (${String(message.reason)})`}`;
    case 'snapshot':
      return `${head} at ${message.snapshot.height}`;
    case 'fetch':
      return `${head} above ${message.height}`;
    case 'blocks':
      return `${head} ${message.entries.length} entries${message.snapshot === null ? '' : ` and the snapshot of ${message.snapshot.height}`}`;
    case 'hand-over':
    case 'evidence':
      return head;
  }
}
