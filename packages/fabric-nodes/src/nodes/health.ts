import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { WaymarkError } from '@waymark/protocol';
import type { NodeLaunch, NodeProcess } from './runner.ts';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;
const POLL_MS = 50;
const HOST = '127.0.0.1';

/**
 * Waits until a node is well and serves: its health check may answer a little before it does.
 *
 * @throws WaymarkError `unavailable` with its last words when it ends or does not serve within 60 s; it is stopped then
 */
export async function untilServing(process: NodeProcess, { hostName, ports }: NodeLaunch): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  process.exited.then(end, end);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!ended.signal.aborted && Date.now() < deadline) {
    if ((await isHealthy(ports.operationsPort)) && (await servesTls(ports.port, ended.signal))) return;
    await delay(POLL_MS);
  }
  const reason = ended.signal.aborted ? 'it has ended' : 'its health check did not answer in time';
  await process.stop().catch(() => undefined);
  throw new WaymarkError('unavailable', `${hostName} did not start: ${reason}: ${await process.lastWords()}`);
}

/** Whether a node answers its health check with 200. */
export async function isHealthy(operationsPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${HOST}:${operationsPort}/healthz`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    return response.ok;
  } catch {
    return false;
  }
}

/** A forwarded port is open before anybody serves it: only a handshake tells. Whose certificate it is does not matter here. */
async function servesTls(port: number, ended: AbortSignal): Promise<boolean> {
  const socket = connect({ host: HOST, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.any([ended, AbortSignal.timeout(PROBE_TIMEOUT_MS)]) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
