import { isWaymarkError } from '@waymark/protocol';
import { inTurn } from '@waymark/transport';
import type { ApiClient } from './api-client.ts';

/** The REST of a firm's centers as one: who does not answer, or cannot, gives way to the next. @param clients at least one */
export function firstThatAnswers(clients: readonly ApiClient[]): ApiClient {
  const turns = inTurn(clients);
  return {
    call: (method, path, body, signal) =>
      turns.ask(
        (client) => client.call(method, path, body, signal),
        (error) => isWaymarkError(error, 'unavailable'),
      ),
    close: () => {
      for (const client of clients) client.close();
    },
  };
}
