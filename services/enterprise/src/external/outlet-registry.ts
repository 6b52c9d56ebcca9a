import { randomUUID } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import { type ExternalAnswer, type ExternalQuery, fromFailure } from '@waymark/transport';

/** Queries one outlet may have open at once. */
const maxOpenPerOutlet = 256;

/** An outlet that is connected and waits for queries. */
interface ConnectedOutlet {
  readonly send: (query: ExternalQuery) => Promise<void>;
  readonly waiting: Map<string, { resolve: (answer: string) => void; reject: (error: Error) => void }>;
  /** Ends the stream, so that whoever is behind it connects again if it still wants to answer. */
  readonly end: (reason: WaymarkError) => void;
}

/** The outlets that are ready to answer external queries (S9): each keeps one stream open to its center. */
export interface OutletRegistry {
  /** Serves one outlet's stream until it ends. A newer stream of the same outlet replaces the older. */
  serve(
    outlet: string,
    answers: AsyncIterable<ExternalAnswer>,
    send: (query: ExternalQuery) => Promise<void>,
  ): Promise<void>;
  /**
   * Notifies the outlet that holds the data and waits for what it gives: a JWE for the asker, which the center cannot open.
   * @throws WaymarkError unavailable (not connected, or silent for `timeoutMs`), limit-exceeded, or what the outlet answers
   */
  ask(outlet: string, query: { recordOid: string; request: string }, timeoutMs: number): Promise<string>;
  connected(): readonly string[];
}

async function takeAnswers({ waiting }: ConnectedOutlet, answers: AsyncIterable<ExternalAnswer>): Promise<void> {
  for await (const { queryId, answer, failure } of answers) {
    const asked = waiting.get(queryId);
    if (asked === undefined) continue;
    waiting.delete(queryId);
    if (failure === undefined) asked.resolve(answer);
    else asked.reject(fromFailure(failure));
  }
}

/** Makes an empty registry. */
export function createOutletRegistry(): OutletRegistry {
  const outlets = new Map<string, ConnectedOutlet>();

  const drop = (name: string, connection: ConnectedOutlet): void => {
    if (outlets.get(name) === connection) outlets.delete(name);
    for (const { reject } of connection.waiting.values()) {
      reject(new WaymarkError('unavailable', 'The outlet that holds the data went away.'));
    }
    connection.waiting.clear();
  };

  return {
    async serve(name, answers, send) {
      const ended = Promise.withResolvers<never>();
      const connection: ConnectedOutlet = { send, waiting: new Map(), end: ended.reject };
      const older = outlets.get(name);
      if (older !== undefined) {
        drop(name, older);
        older.end(new WaymarkError('unavailable', 'A newer connection of this outlet has taken over.'));
      }
      outlets.set(name, connection);
      try {
        await Promise.race([takeAnswers(connection, answers), ended.promise]);
      } finally {
        drop(name, connection);
      }
    },

    async ask(name, query, timeoutMs) {
      const connection = outlets.get(name);
      if (connection === undefined)
        throw new WaymarkError('unavailable', 'The outlet that holds the data is not connected.');
      if (connection.waiting.size >= maxOpenPerOutlet) {
        throw new WaymarkError('limit-exceeded', 'The outlet has too many open queries.', {
          details: { limit: maxOpenPerOutlet },
        });
      }
      const queryId = randomUUID();
      const answer = new Promise<string>((resolve, reject) => {
        connection.waiting.set(queryId, { resolve, reject });
      });
      const timer = setTimeout(() => {
        connection.waiting.get(queryId)?.reject(new WaymarkError('unavailable', 'The outlet did not answer in time.'));
        connection.waiting.delete(queryId);
      }, timeoutMs);
      try {
        const [jwe] = await Promise.all([answer, connection.send({ queryId, ...query })]);
        return jwe;
      } finally {
        clearTimeout(timer);
        connection.waiting.delete(queryId);
      }
    },

    connected: () => [...outlets.keys()],
  };
}
