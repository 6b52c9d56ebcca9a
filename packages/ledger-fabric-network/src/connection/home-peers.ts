import { isWaymarkError } from '@waymark/protocol';
import type { Endorser } from 'fabric-common';

/**
 * The own organisation's peers, one of which answers evaluations and tells of commits: the same one for both, so that what
 * was committed is there to be read.
 */
export interface HomePeers {
  readonly current: Endorser;
  /** Goes on to the next one, unless somebody else did already. */
  leave(peer: Endorser): void;
  /** Asks the current peer and, when it does not answer, each of the others once. @throws what the last one threw */
  ask<T>(question: (peer: Endorser) => Promise<T>): Promise<T>;
}

/** @param peers at least one */
export function homePeers(peers: readonly Endorser[]): HomePeers {
  let index = 0;
  const current = (): Endorser => {
    const peer = peers[index % peers.length];
    if (peer === undefined) throw new Error('no peer of the own organisation');
    return peer;
  };
  const leave = (peer: Endorser): void => {
    if (peer === current()) index += 1;
  };
  return {
    get current() {
      return current();
    },
    leave,
    async ask(question) {
      for (let attempt = 1; ; attempt += 1) {
        const peer = current();
        try {
          return await question(peer);
        } catch (error) {
          if (!isWaymarkError(error, 'unavailable') || attempt >= peers.length) throw error;
          leave(peer);
        }
      }
    },
  };
}
