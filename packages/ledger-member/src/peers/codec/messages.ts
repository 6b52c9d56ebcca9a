import type { AppendReply, LogEntry, Message } from '@waymark/rsl';
import * as wire from '@waymark/transport/ledger';
import { candidateFromWire } from './candidates.ts';
import {
  blockHash,
  codecLimits,
  list,
  name,
  nullable,
  optional,
  present,
  refuseMessage,
  text,
  whole,
} from './checks.ts';
import { snapshotFromWire, snapshotToWire } from './configurations.ts';
import {
  electionFromWire,
  electionToWire,
  handOverFromWire,
  handOverToWire,
  logEndFromWire,
  logEndToWire,
  voteFromWire,
  voteToWire,
} from './elections.ts';
import { evidenceFromWire, evidenceToWire } from './evidence.ts';
import { ackFromWire, ackToWire, sealFromWire, sealToWire } from './seals.ts';

type Body = NonNullable<wire.LedgerMessage['body']>;
/** How a candidate becomes bytes; the sender remembers them for the other members. */
export type EncodeCandidate = (candidate: LogEntry['candidate']) => Uint8Array;

const results = {
  matched: wire.AppendReply_Result.RESULT_MATCHED,
  gap: wire.AppendReply_Result.RESULT_GAP,
  refused: wire.AppendReply_Result.RESULT_REFUSED,
  stale: wire.AppendReply_Result.RESULT_STALE,
} as const;
const resultNames = new Map(Object.entries(results).map(([key, value]) => [value, key as AppendReply['result']]));

/** @throws WaymarkError input-invalid for what the core does not make */
export function messageToWire(message: Message, encodeCandidate: EncodeCandidate): wire.LedgerMessage {
  const { from, to, term } = message;
  return { from, to, term: whole(term, 'term'), body: bodyToWire(message, encodeCandidate) };
}

/** @throws WaymarkError input-invalid */
export function messageFromWire(message: wire.LedgerMessage): Message {
  const common = { from: name(message.from, 'from'), to: name(message.to, 'to'), term: message.term };
  return { ...common, ...bodyFromWire(present(message.body, 'body')) };
}

function bodyToWire(message: Message, encodeCandidate: EncodeCandidate): Body {
  const entriesToWire = (entries: readonly LogEntry[]): wire.LogEntry[] =>
    entries.map(({ candidate, seal }) => ({ candidate: encodeCandidate(candidate), seal: optional(seal, sealToWire) }));
  switch (message.type) {
    case 'append':
      return {
        $case: 'append',
        append: {
          prevHeight: whole(message.prev.height, 'prev height'),
          prevHash: message.prev.hash,
          seal: optional(message.seal, sealToWire),
          entries: entriesToWire(message.entries),
          election: optional(message.election, electionToWire),
        },
      };
    case 'append-reply':
      return {
        $case: 'appendReply',
        appendReply: {
          result: results[message.result],
          height: whole(message.height, 'reply height'),
          sealed: whole(message.sealed, 'reply sealed'),
          ack: optional(message.ack, ackToWire),
          reason: message.reason ?? undefined,
          needsElection: message.needsElection,
        },
      };
    case 'vote-request':
      return {
        $case: 'voteRequest',
        voteRequest: {
          pre: message.pre,
          epoch: whole(message.epoch, 'epoch'),
          logEnd: logEndToWire(message.logEnd),
          handOver: optional(message.handOver, handOverToWire),
        },
      };
    case 'vote-reply':
      return {
        $case: 'voteReply',
        voteReply: {
          asked: whole(message.asked, 'asked'),
          pre: message.pre,
          granted: message.granted,
          vote: optional(message.vote, voteToWire),
          reason: message.reason ?? undefined,
        },
      };
    case 'hand-over':
      return { $case: 'handOver', handOver: handOverToWire(message.handOver) };
    case 'snapshot':
      return {
        $case: 'snapshot',
        snapshot: {
          snapshot: snapshotToWire(message.snapshot),
          election: optional(message.election, electionToWire),
        },
      };
    case 'fetch':
      return { $case: 'fetch', fetch: { height: whole(message.height, 'fetch height') } };
    case 'blocks':
      return {
        $case: 'blocks',
        blocks: { snapshot: optional(message.snapshot, snapshotToWire), entries: entriesToWire(message.entries) },
      };
    case 'evidence':
      return { $case: 'evidence', evidence: evidenceToWire(message.evidence) };
  }
}

type WithoutCommon<T> = T extends Message ? Omit<T, 'from' | 'to' | 'term'> : never;

function bodyFromWire(body: Body): WithoutCommon<Message> {
  switch (body.$case) {
    case 'append': {
      const { prevHeight, prevHash, seal, entries, election } = body.append;
      return {
        type: 'append',
        prev: { height: prevHeight, hash: blockHash(prevHash, 'prev') },
        seal: nullable(seal, sealFromWire),
        entries: entriesFromWire(entries),
        election: nullable(election, electionFromWire),
      };
    }
    case 'appendReply': {
      const { result, height, sealed, ack, reason, needsElection } = body.appendReply;
      return {
        type: 'append-reply',
        result: resultNames.get(result as (typeof results)['gap']) ?? refuseMessage('result'),
        height,
        sealed,
        ack: nullable(ack, ackFromWire),
        reason: reasonFromWire(reason),
        needsElection,
      };
    }
    case 'voteRequest': {
      const { pre, epoch, logEnd, handOver } = body.voteRequest;
      return {
        type: 'vote-request',
        pre,
        epoch,
        logEnd: logEndFromWire(present(logEnd, 'log end')),
        handOver: nullable(handOver, handOverFromWire),
      };
    }
    case 'voteReply': {
      const { asked, pre, granted, vote, reason } = body.voteReply;
      return {
        type: 'vote-reply',
        asked,
        pre,
        granted,
        vote: nullable(vote, voteFromWire),
        reason: reasonFromWire(reason),
      };
    }
    case 'handOver':
      return { type: 'hand-over', handOver: handOverFromWire(body.handOver) };
    case 'snapshot':
      return {
        type: 'snapshot',
        snapshot: snapshotFromWire(present(body.snapshot.snapshot, 'snapshot')),
        election: nullable(body.snapshot.election, electionFromWire),
      };
    case 'fetch':
      return { type: 'fetch', height: body.fetch.height };
    case 'blocks':
      return {
        type: 'blocks',
        snapshot: nullable(body.blocks.snapshot, snapshotFromWire),
        entries: entriesFromWire(body.blocks.entries),
      };
    case 'evidence':
      return { type: 'evidence', evidence: evidenceFromWire(body.evidence) };
  }
}

function entriesFromWire(entries: readonly wire.LogEntry[]): LogEntry[] {
  return list(entries, codecLimits.maxEntries, 'entries', ({ candidate, seal }) => ({
    candidate: candidateFromWire(wire.Candidate.decode(candidate)),
    seal: nullable(seal, sealFromWire),
  }));
}

function reasonFromWire(reason: string | undefined): string | null {
  return nullable(reason, (value) => text(value, 'reason'));
}
