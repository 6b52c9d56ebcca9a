import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { isErrorCode, WaymarkError } from '@waymark/protocol';
import type { ControlPlace } from './control-file.ts';

const timeoutMs = 15 * 60_000;

/**
 * Tells a supervisor to do something, and waits until it is done.
 *
 * @param onStep told what happens meanwhile
 * @throws WaymarkError what the supervisor answered; `unavailable` when it does not answer
 */
export async function callControl(
  { port, token }: ControlPlace,
  action: string,
  argument: unknown,
  onStep: (step: string) => void = () => undefined,
): Promise<unknown> {
  const call = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: `/${action}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    timeout: timeoutMs,
    agent: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const failed = (cause: unknown): void =>
    reject(new WaymarkError('unavailable', 'the supervisor of the network does not answer', { cause }));
  call.on('error', failed);
  call.on('timeout', () => call.destroy(new Error('no answer in time')));
  call.on('response', (response) => {
    const lines = createInterface({ input: response });
    lines.on('line', (line) => {
      let said: { step?: string; result?: unknown; code?: string; message?: string };
      try {
        said = JSON.parse(line) as typeof said;
      } catch (cause) {
        failed(cause);
        return;
      }
      if (said.step !== undefined) onStep(said.step);
      else if (said.code === undefined) resolve(said.result);
      else reject(new WaymarkError(isErrorCode(said.code) ? said.code : 'internal', said.message ?? said.code));
    });
    response.on('error', failed);
    response.on('close', () => failed(new Error(`answered with status ${response.statusCode ?? 0}`)));
  });
  call.end(JSON.stringify(argument ?? null));
  return promise;
}
