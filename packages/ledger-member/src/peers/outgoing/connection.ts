import { WaymarkError } from '@waymark/protocol';
import type { MemberId } from '@waymark/rsl';
import { fromServiceError, openBidi, type TlsIdentity } from '@waymark/transport';
import { decodeEnvelope } from '../codec/envelope.ts';
import type { PeersLimits } from '../limits.ts';
import { connectTo, openExchange } from '../member-service.ts';
import type { PeerAddress } from '../peers.ts';

export interface ConnectionOptions {
  readonly ledger: string;
  readonly peer: MemberId;
  readonly address: PeerAddress;
  readonly identity: TlsIdentity;
  readonly limits: PeersLimits;
  /** The envelope that the stream begins with. */
  readonly hello: () => Uint8Array;
  /** The other member has let this one in. */
  readonly onOpen: () => void;
  /** There is room for more. */
  readonly onRoom: () => void;
}

/** One stream to another member, from the attempt to its end. */
export interface Connection {
  readonly isOpen: boolean;
  /** Whether it ever was open. */
  readonly wasOpen: boolean;
  /** Whether it would take another envelope now. */
  readonly hasRoom: boolean;
  write(bytes: Uint8Array): void;
  /** Rejects when the stream is over, with the reason. */
  readonly ended: Promise<never>;
  close(): void;
}

/** @throws WaymarkError configuration-invalid, and what `hello` throws */
export function openConnection(options: ConnectionOptions): Connection {
  const { ledger, peer, address, identity, limits, onOpen, onRoom } = options;
  const hello = options.hello();
  const client = connectTo(address, identity, limits);
  const call = openExchange(client);
  const stream = openBidi(call);
  let isOpen = false;
  let wasOpen = false;
  let isOver = false;
  let unsentBytes = 0;
  let reason: WaymarkError | null = null;

  const end = (why: WaymarkError): void => {
    reason ??= why;
    stream.cancel();
  };
  const write = (bytes: Uint8Array): void => {
    unsentBytes += bytes.length;
    call.write(bytes, () => {
      unsentBytes -= bytes.length;
      if (isOpen && !isOver) onRoom();
    });
  };
  const timer = setTimeout(
    () => end(new WaymarkError('unavailable', 'the member does not answer', { details: { peer } })),
    limits.connectTimeoutMs,
  );

  const read = async (): Promise<never> => {
    try {
      for await (const bytes of stream.responses) {
        const envelope = decodeEnvelope(bytes);
        if (isOpen || envelope.kind !== 'welcome')
          throw new WaymarkError('input-invalid', 'a member says something on the stream of another');
        if (envelope.member !== peer || envelope.ledger !== ledger)
          throw new WaymarkError('recipient-mismatch', 'another member or ledger is at this address');
        clearTimeout(timer);
        isOpen = true;
        wasOpen = true;
        onOpen();
      }
      throw new WaymarkError('unavailable', 'the member ended the stream');
    } catch (error) {
      throw reason ?? fromServiceError(error);
    } finally {
      isOver = true;
      isOpen = false;
      clearTimeout(timer);
      client.close();
    }
  };

  write(hello);
  return {
    get isOpen() {
      return isOpen;
    },
    get wasOpen() {
      return wasOpen;
    },
    get hasRoom() {
      return isOpen && unsentBytes < limits.maxUnsentBytes;
    },
    write,
    ended: read(),
    close: () => end(new WaymarkError('unavailable', 'this member is stopping')),
  };
}
