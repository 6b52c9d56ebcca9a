import { isWaymarkError } from '@waymark/protocol';
import type { ApiClient } from './api-client.ts';

/**
 * Services that answer the same, as one: a firm's centers, of which one is in office. Who answered last is asked first; who does not answer, or cannot, gives
 * way to the next.
 * @param clients at least one
 */
export function firstThatAnswers(clients: readonly ApiClient[]): ApiClient {
  let current = 0;
  return {
    async call(method, path, body, signal) {
      const first = current;
      let fault: unknown;
      for (let turn = 0; turn < clients.length; turn += 1) {
        const place = (first + turn) % clients.length;
        try {
          const answer = await clients[place]?.call(method, path, body, signal);
          current = place;
          return answer;
        } catch (error) {
          if (!isWaymarkError(error, 'unavailable')) throw error;
          fault ??= error;
        }
      }
      throw fault;
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}
