import { isWaymarkError } from '@waymark/protocol';
import type { Candidate, MemberId, Message } from '@waymark/rsl';
import { encodeEnvelope } from '../codec/envelope.ts';
import type { PeersLimits } from '../limits.ts';
import type { DropReason, PeerAddress, PeersEvents, PeersOptions, PeerStats } from '../peers.ts';
import { type Connection, openConnection } from './connection.ts';
import { piecesOf } from './pieces.ts';
import { createSendQueue } from './send-queue.ts';

/** The way to one other member: a stream that is opened again whenever it ends, and what waits for it. */
export interface Dial {
  readonly address: PeerAddress;
  readonly isConnected: boolean;
  send(message: Message): void;
  /** Says hello again. */
  announce(): void;
  /** The other member was just heard of: does not wait any longer to try again. */
  hurry(): void;
  stats(): PeerStats;
  stop(): Promise<void>;
}

export interface DialOptions extends Pick<
  PeersOptions,
  'ledger' | 'member' | 'identity' | 'greeting' | keyof PeersEvents
> {
  readonly peer: MemberId;
  readonly address: PeerAddress;
  readonly limits: PeersLimits;
  readonly random: () => number;
  readonly encodeCandidate: (candidate: Candidate) => Uint8Array;
}

const lastingTypes: readonly Message['type'][] = ['vote-request', 'vote-reply', 'hand-over', 'evidence'];

/** Begins to connect at once. */
export function createDial(options: DialOptions): Dial {
  const { peer, address, limits, encodeCandidate } = options;
  const queue = createSendQueue(limits.maxQueuedMessages, limits.maxQueuedBytes);
  const dropped: Record<DropReason, number> = { 'queue-full': 0, 'not-connected': 0, 'too-large': 0, unsendable: 0 };
  let sentMessages = 0;
  let sentBytes = 0;
  let connection: Connection | null = null;
  let isStopped = false;
  let wake: () => void = () => undefined;

  const drop = (reason: DropReason, count: number): void => {
    if (count === 0) return;
    dropped[reason] += count;
    options.onDropped?.(peer, reason, count);
  };
  const pump = (): void => {
    while (connection?.hasRoom === true) {
      const item = queue.shift();
      if (item === undefined) return;
      connection.write(item.bytes);
      sentMessages += 1;
      sentBytes += item.bytes.length;
    }
  };
  const enqueue = (bytes: Uint8Array, isLasting: boolean): void => {
    if (bytes.length > limits.maxEnvelopeSizeBytes) drop('too-large', 1);
    else drop('queue-full', queue.push({ bytes, isLasting }));
    pump();
  };
  const hello = (): Uint8Array =>
    encodeEnvelope({ kind: 'hello', ledger: options.ledger, member: options.member, greeting: options.greeting(peer) });

  /** One stream, from the attempt to its end. @returns why it ended, and whether it stood */
  const attempt = async (): Promise<{ readonly wasOpen: boolean; readonly error: unknown }> => {
    let current: Connection | null = null;
    try {
      current = openConnection({ ...options, hello, onOpen: () => options.onConnected?.(peer), onRoom: pump });
      connection = current;
      return await current.ended;
    } catch (error) {
      return { wasOpen: current?.wasOpen ?? false, error };
    } finally {
      connection = null;
      const left = queue.length;
      queue.clear();
      drop('not-connected', left);
    }
  };
  const stopping = (): boolean => isStopped;
  const run = async (): Promise<void> => {
    let failures = 0;
    let lastProblem = '';
    while (!stopping()) {
      const startedMs = performance.now();
      const { wasOpen, error } = await attempt();
      if (stopping()) return;
      const problem = isWaymarkError(error) ? error.code : 'internal';
      if (wasOpen) options.onDisconnected?.(peer, error);
      else if (problem !== lastProblem) options.onUnreachable?.(peer, error);
      lastProblem = wasOpen ? '' : problem;
      // Who is let in and thrown out again at once is not let in.
      failures = wasOpen && performance.now() - startedMs > limits.maxBackoffMs ? 1 : failures + 1;
      await pause(failures);
    }
  };
  const pause = (failures: number): Promise<void> => {
    const ceilingMs = Math.min(limits.maxBackoffMs, limits.minBackoffMs * 2 ** Math.min(failures - 1, 16));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.round(ceilingMs * (0.5 + options.random() / 2)));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
  const running = run();

  return {
    address,
    get isConnected() {
      return connection?.isOpen ?? false;
    },
    send(message) {
      if (connection?.isOpen !== true) {
        drop('not-connected', 1);
        return;
      }
      try {
        const sizes = {
          targetBytes: limits.targetEnvelopeSizeBytes,
          // Room for what stands beside the blocks.
          maxBytes: Math.floor(limits.maxEnvelopeSizeBytes * 0.9),
        };
        const pieces = piecesOf(message, (candidate) => encodeCandidate(candidate).length, sizes);
        for (const piece of pieces) {
          enqueue(
            encodeEnvelope({ kind: 'message', message: piece }, encodeCandidate),
            lastingTypes.includes(message.type),
          );
        }
      } catch {
        drop('unsendable', 1);
      }
    },
    announce() {
      if (connection?.isOpen === true) enqueue(hello(), true);
    },
    hurry: () => wake(),
    stats: () => ({
      peer,
      isConnected: connection?.isOpen ?? false,
      queuedMessages: queue.length,
      queuedBytes: queue.sizeBytes,
      sentMessages,
      sentBytes,
      dropped: { ...dropped },
    }),
    async stop() {
      isStopped = true;
      connection?.close();
      wake();
      await running;
    },
  };
}
