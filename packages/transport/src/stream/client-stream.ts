import type { ClientDuplexStream } from '@grpc/grpc-js';
import { fromServiceError } from '../errors.ts';
import { messageWriter, type MessageWriter } from './writer.ts';

/** A bidirectional stream as its client sees it. */
export interface BidiStream<Request, Response> extends MessageWriter<Request> {
  /** Responses until the server ends the stream; can be iterated once. Throws `WaymarkError`. */
  readonly responses: AsyncIterable<Response>;
  /** No more requests; responses still come. */
  finish(): void;
  /** Ends the stream at once, both ways. */
  cancel(): void;
}

/** Wraps a stream that a generated client has just opened: `openBidi(client.upload())`. */
export function openBidi<Request, Response>(
  call: ClientDuplexStream<Request, Response>,
): BidiStream<Request, Response> {
  let failure: unknown;
  call.on('error', (error) => {
    failure = error;
  });
  // grpc-js lets messages pile up without limit until the first read is asked for; from then on it holds the server back.
  call.read(0);
  const writer = messageWriter<Request>(call);
  return {
    async write(message) {
      try {
        await writer.write(message);
      } catch (error) {
        throw failure === undefined ? error : fromServiceError(failure);
      }
    },
    responses: responsesOf(call),
    finish: () => void call.end(),
    cancel: () => call.cancel(),
  };
}

async function* responsesOf<Request, Response>(call: ClientDuplexStream<Request, Response>): AsyncGenerator<Response> {
  try {
    for await (const message of call as AsyncIterable<Response>) yield message;
  } catch (error) {
    throw fromServiceError(error);
  } finally {
    call.cancel();
  }
}
