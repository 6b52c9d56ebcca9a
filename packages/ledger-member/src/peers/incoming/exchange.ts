import { WaymarkError } from '@waymark/protocol';
import type { MemberId } from '@waymark/rsl';
import type { BidiHandler, CallContext } from '@waymark/transport';
import { decodeEnvelope, encodeEnvelope } from '../codec/envelope.ts';
import type { PeersOptions } from '../peers.ts';

/** Which member opened a stream, asked again as often as one likes. */
export interface Caller {
  readonly member: MemberId;
  /** @throws WaymarkError when it may not (any more) */
  readonly check: () => void;
}

type CallerOptions = Pick<PeersOptions, 'member' | 'peers' | 'identify'>;

/**
 * @throws WaymarkError certificate-untrusted without a certificate; role-not-permitted for who is no other member of this ledger; what `identify`
 *   throws
 */
export function callerOf({ member: self, peers, identify }: CallerOptions, context: CallContext): Caller {
  const { peerCertificate } = context;
  if (peerCertificate === undefined) throw new WaymarkError('certificate-untrusted', 'a member shows its certificate');
  const identified = (): MemberId => {
    const member = identify(peerCertificate);
    if (member === self || !peers().has(member))
      throw new WaymarkError('role-not-permitted', 'the caller is no other member of this ledger');
    return member;
  };
  const member = identified();
  return {
    member,
    check: () => {
      if (identified() !== member)
        throw new WaymarkError('role-not-permitted', 'the certificate stands for another member now');
    },
  };
}

type ExchangeOptions = Pick<PeersOptions, 'ledger' | 'member' | 'onGreeting' | 'onMessage'>;

/** Takes what one member says, in order, one message at a time. */
export async function takeExchange(
  { ledger, member, onGreeting, onMessage }: ExchangeOptions,
  caller: MemberId,
  onWelcomed: () => void,
  [requests, responses, { signal }]: Parameters<BidiHandler<Uint8Array, Uint8Array>>,
): Promise<void> {
  let isWelcome = false;
  for await (const bytes of requests) {
    // What had come in before the stream was ended is not heard any more.
    if (signal.aborted) return;
    const envelope = decodeEnvelope(bytes);
    switch (envelope.kind) {
      case 'hello':
        if (envelope.ledger !== ledger) throw new WaymarkError('recipient-mismatch', 'this is another ledger');
        if (envelope.member !== caller) throw speaksForAnother();
        if (!isWelcome) {
          isWelcome = true;
          await responses.write(encodeEnvelope({ kind: 'welcome', ledger, member }));
          onWelcomed();
        }
        onGreeting(caller, envelope.greeting);
        break;
      case 'message':
        if (!isWelcome) throw new WaymarkError('input-invalid', 'a stream begins with a hello');
        if (envelope.message.from !== caller) throw speaksForAnother();
        if (envelope.message.to !== member) throw new WaymarkError('recipient-mismatch', 'this is another member');
        await onMessage(envelope.message);
        break;
      case 'welcome':
        throw new WaymarkError('input-invalid', 'nobody was called on this stream');
    }
  }
}

function speaksForAnother(): WaymarkError {
  return new WaymarkError('role-not-permitted', 'a member speaks for itself only');
}
