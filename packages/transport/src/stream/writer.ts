import type { Writable } from 'node:stream';
import { WaymarkError } from '@waymark/protocol';

/** The sending half of a stream, with back-pressure. */
export interface MessageWriter<T> {
  /**
   * Resolves when there is room for the next message, so a caller that awaits it never gathers more than a few
   * messages. Several writers may wait at once.
   *
   * @throws WaymarkError `unavailable` when the stream has ended.
   */
  write(message: T): Promise<void>;
}

/** Makes `write()` of an object stream wait for `drain`. */
export function messageWriter<T>(stream: Writable): MessageWriter<T> {
  let room: Promise<void> | undefined;
  const nextRoom = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (then: () => void) => (): void => {
        stream.off('drain', onDrain);
        stream.off('close', onClose);
        stream.off('finish', onClose);
        stream.off('error', onClose);
        room = undefined;
        then();
      };
      const onDrain = settle(resolve);
      const onClose = settle(() => reject(ended()));
      stream.on('drain', onDrain);
      stream.on('close', onClose);
      stream.on('finish', onClose);
      stream.on('error', onClose);
    });
  return {
    async write(message) {
      while (room !== undefined) await room;
      if (stream.destroyed || !stream.writable) throw ended();
      if (stream.write(message)) return;
      room ??= nextRoom();
      await room;
    },
  };
}

function ended(): WaymarkError {
  return new WaymarkError('unavailable', 'the stream has ended');
}
