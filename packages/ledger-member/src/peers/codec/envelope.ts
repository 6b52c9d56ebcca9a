import { WaymarkError } from '@waymark/protocol';
import type { MemberId, Message } from '@waymark/rsl';
import * as wire from '@waymark/transport/ledger';
import type { MemberGreeting } from '../../ports.ts';
import { candidateToWire } from './candidates.ts';
import { name, nullable, optional, present, refuseMessage, text, whole } from './checks.ts';
import { checkShape, envelopeShape } from './shape.ts';
import { type EncodeCandidate, messageFromWire, messageToWire } from './messages.ts';

/** What travels on a stream between two members (`proto/ledger.proto`). */
export type Envelope =
  | { readonly kind: 'hello'; readonly ledger: string; readonly member: MemberId; readonly greeting: MemberGreeting }
  | { readonly kind: 'welcome'; readonly ledger: string; readonly member: MemberId }
  | { readonly kind: 'message'; readonly message: Message };

/** @throws WaymarkError input-invalid for what the core does not make */
export function encodeEnvelope(envelope: Envelope, candidate: EncodeCandidate = encodeCandidate): Uint8Array {
  return wire.LedgerEnvelope.encode({ kind: kindToWire(envelope, candidate) }).finish();
}

/** @throws WaymarkError input-invalid for anything that is not such an envelope, or is larger than a member may say */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  checkShape(bytes, envelopeShape);
  try {
    const { kind } = wire.LedgerEnvelope.decode(bytes);
    return kindFromWire(present(kind, 'envelope'));
  } catch (error) {
    if (error instanceof WaymarkError) throw error;
    refuseMessage('envelope', error);
  }
}

export const encodeCandidate: EncodeCandidate = (candidate) =>
  wire.Candidate.encode(candidateToWire(candidate)).finish();

type Kind = NonNullable<wire.LedgerEnvelope['kind']>;

function kindToWire(envelope: Envelope, candidate: EncodeCandidate): Kind {
  switch (envelope.kind) {
    case 'hello': {
      const { ledger, member, greeting } = envelope;
      const position = positionToWire(greeting.position);
      const remembered = optional(greeting.remembered, positionToWire);
      return { $case: 'hello', hello: { ledger, member, position, remembered } };
    }
    case 'welcome':
      return { $case: 'welcome', welcome: { ledger: envelope.ledger, member: envelope.member } };
    case 'message':
      return { $case: 'message', message: messageToWire(envelope.message, candidate) };
  }
}

function kindFromWire(kind: Kind): Envelope {
  switch (kind.$case) {
    case 'hello': {
      const { ledger, member, position, remembered } = kind.hello;
      return {
        kind: 'hello',
        ledger: name(ledger, 'hello ledger'),
        member: name(member, 'hello member'),
        greeting: {
          position: positionFromWire(present(position, 'hello position')),
          remembered: nullable(remembered, positionFromWire),
        },
      };
    }
    case 'welcome': {
      const { ledger, member } = kind.welcome;
      return { kind: 'welcome', ledger: name(ledger, 'welcome ledger'), member: name(member, 'welcome member') };
    }
    case 'message':
      return { kind: 'message', message: messageFromWire(kind.message) };
  }
}

function positionToWire({ log, opens, session, seq }: MemberGreeting['position']): wire.LogPosition {
  return { log, opens: whole(opens, 'opens'), session, seq: whole(seq, 'seq') };
}

function positionFromWire({ log, opens, session, seq }: wire.LogPosition): MemberGreeting['position'] {
  return { log: text(log, 'position'), opens, session: text(session, 'position'), seq };
}
